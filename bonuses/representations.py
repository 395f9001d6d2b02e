"""How an issuance looks on the wire: one form for every door."""

from datetime import datetime
from typing import Any

from bonuses.enums import IssuanceStatus
from bonuses.models import BonusIssuance
from bonuses.services.announcements import describe_grant
from core.instants import format_instant


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


def _instant(value: datetime | None) -> str | None:
    return None if value is None else format_instant(value)
