"""How issuances and campaigns look on the wire and in files: one form for every door."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from bonuses.enums import IssuanceStatus
from bonuses.models import BonusCampaign, BonusIssuance, CampaignTarget
from bonuses.selectors import iterate_targets
from bonuses.services.announcements import describe_grant
from core.csv_cells import iterate_csv
from core.instants import format_instant
from core.money import format_amount

RESULT_COLUMNS = (
    "player_id",
    "status",
    "reason_code",
    "reason",
    "grant_id",
    "bonus_amount",
    "currency",
    "cost_base",
    "settled_at",
)


def represent_issuance(issuance: BonusIssuance) -> dict[str, Any]:
    """
    Return an issuance as the API shows it.

    ``grant_id`` only once there is a grant: before, nobody could find it.
    """
    is_granted = issuance.status == IssuanceStatus.SUCCEEDED
    error = None
    if issuance.error_code:
        error = {"code": issuance.error_code, "detail": issuance.error_detail}
    return {
        "id": str(issuance.pk),
        "status": str(issuance.status),
        "template_id": str(issuance.template_id),
        "player_id": issuance.player.reference,
        "attempts": issuance.attempts,
        "next_attempt_at": _instant(issuance.next_attempt_at if issuance.is_pending else None),
        "grant_id": str(issuance.grant_id) if is_granted else None,
        "error": error,
        "created_at": format_instant(issuance.created_at),
    }


def represent_armed_offer(issuance: BonusIssuance) -> dict[str, Any]:
    """
    Return an offer that a deposit has armed, and its grant.

    The grant is null while the platform has not been asked, or has not said yes.
    """
    grant = issuance.grant if issuance.status == IssuanceStatus.SUCCEEDED else None
    return {
        **represent_issuance(issuance),
        "grant": None if grant is None else describe_grant(grant=grant),
    }


def iterate_campaign_results(*, campaign: BonusCampaign) -> Iterator[str]:
    """Return the lines of the file of a campaign's results, one a player of its audience."""
    rows = (_result_cells(target, campaign) for target in iterate_targets(campaign=campaign))
    return iterate_csv(RESULT_COLUMNS, rows)


def _result_cells(target: CampaignTarget, campaign: BonusCampaign) -> list[str]:
    grant = getattr(target.issuance, "grant", None)
    grant_cells = ["", "", ""]
    if grant is not None:
        # The player's wallet may have got another currency since.
        bonus = format_amount(grant.bonus_amount, grant.bonus_currency)
        grant_cells = [str(grant.pk), bonus, grant.bonus_currency]
    return [
        target.player.reference,
        str(target.status),
        target.reason_code,
        target.reason,
        *grant_cells,
        _amount(target.cost_base, campaign.operator.base_currency) or "",
        _instant(target.settled_at) or "",
    ]


def _amount(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else format_instant(value)
