"""How a claim looks on the wire, and the codes of a batch in a file: one form for every door."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.csv_cells import iterate_csv
from core.instants import format_instant
from core.money import format_amount, format_decimal
from promos.models import CodeBatch, PromoBatchCode, UserPromo
from promos.selectors import iterate_codes

_USD = "USD"


def represent_user_promo(user_promo: UserPromo) -> dict[str, Any]:
    """Return a claim, its player fetched, as the API shows it; ``progress`` once activated."""
    currency = user_promo.bonus_currency
    return {
        "id": str(user_promo.pk),
        "promo_id": str(user_promo.promo_id),
        "code": user_promo.code,
        "player_id": user_promo.player.reference,
        "status": str(user_promo.status),
        "bonus_amount": _amount(user_promo.bonus_amount, currency),
        "bonus_currency": currency,
        "claimed_at": format_instant(user_promo.claimed_at),
        "activated_at": _instant(user_promo.activated_at),
        "completed_at": _instant(user_promo.completed_at),
        "cancelled_at": _instant(user_promo.cancelled_at),
        "expired_at": _instant(user_promo.expired_at),
        "clawback_amount": _amount(user_promo.clawback_amount, currency),
        "clawback_shortfall": _amount(user_promo.clawback_shortfall, currency),
        "progress": _progress(user_promo),
    }


def _progress(user_promo: UserPromo) -> dict[str, Any] | None:
    if user_promo.activated_at is None:
        return None
    assert user_promo.bonus_usd_amount is not None, "activated without a bonus"
    assert user_promo.target_usd_amount is not None, "activated without a target"
    multiplier = user_promo.target_multiplier
    return {
        "bonus_usd_amount": format_amount(user_promo.bonus_usd_amount, _USD),
        "wager_usd_amount_to_complete": format_amount(user_promo.target_usd_amount, _USD),
        "wager_multiplier_to_complete": None if multiplier is None else format_decimal(multiplier),
        "wagered_usd_amount": format_amount(user_promo.wagered_usd_amount, _USD),
        "expires_at": _instant(user_promo.due_at),
    }


def _amount(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else format_instant(value)


def iterate_csv_lines(*, batch: CodeBatch) -> Iterator[str]:
    """
    Return the lines of the file of a batch's codes: code, claimed_at, player_id.

    A cell that a spreadsheet program would take for a formula begins with an apostrophe.
    """
    rows = (_cells(batch_code) for batch_code in iterate_codes(batch=batch))
    return iterate_csv(["code", "claimed_at", "player_id"], rows)


def _cells(batch_code: PromoBatchCode) -> list[str]:
    claim = getattr(batch_code, "user_promo", None)
    if claim is None:
        return [batch_code.code, "", ""]
    return [batch_code.code, format_instant(claim.claimed_at), claim.player.reference]
