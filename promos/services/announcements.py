"""
What others hear of claims: outbox messages, in the transaction of the change.

A message carries the claim as the API shows it at that instant.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from core import outbox
from core.instants import format_instant
from core.models import OutboxMessage
from core.money import format_amount, format_decimal
from promos.enums import UserPromoStatus
from promos.models import UserPromo

CLAIM_TOPICS = frozenset(
    {
        "promo.claim.made",
        "promo.claim.activated",
        "promo.claim.completed",
        "promo.claim.cancelled",
        "promo.claim.expired",
    }
)

_USD = "USD"


def announce_claim(*, user_promo: UserPromo, topic: str, now: datetime) -> OutboxMessage:
    """Tell of a claim, after the change was saved and in its transaction."""
    assert topic in CLAIM_TOPICS, f"{topic} is no topic of claims"
    return outbox.publish(
        operator=user_promo.operator,
        topic=topic,
        subject=user_promo,
        payload=describe_user_promo(user_promo=user_promo),
        now=now,
    )


def prepare_claim_made(*, user_promo: UserPromo, now: datetime) -> list[dict[str, Any]]:
    """Return what tells of a claim that is being made; one that is paid at once completes too."""
    topics = ["promo.claim.made"]
    if user_promo.status == UserPromoStatus.COMPLETED:
        topics.append("promo.claim.completed")
    return outbox.prepare_all(
        operator=user_promo.operator,
        topics=topics,
        subject=user_promo,
        payload=describe_user_promo(user_promo=user_promo),
        now=now,
    )


def describe_user_promo(*, user_promo: UserPromo) -> dict[str, Any]:
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
