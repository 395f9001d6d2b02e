"""Orders of bonuses and of payouts, and adapters to send them through."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from adapters.http.breaker import NoBreaker
from adapters.http.client import HttpAdapter, LiveSecret
from bonuses.enums import BonusType, WageringBasis
from bonuses.ports import BonusOrder
from core.models import new_id
from jackpots.ports import PayoutOrder
from tests.adapters.fake_platform import FakePlatform


def order(**changes: Any) -> BonusOrder:
    """Return an order of 10.00 EUR without a deposit, to be wagered thirty times."""
    terms: dict[str, Any] = {
        "grant_id": new_id(),
        "player_reference": "../../player 7",
        "bonus_type": BonusType.NO_DEPOSIT,
        "amount": Decimal("10.00000000"),
        "currency": "EUR",
        "wagering_multiplier": Decimal("30.00000000"),
        "wagering_basis": WageringBasis.BONUS,
        "max_bet": Decimal("5.00000000"),
        "expires_at": datetime(2026, 4, 1, tzinfo=UTC),
        "config": {"amount": "10.00", "currency": "EUR"},
        "granted_by": {"kind": "api_key", "ref": "wf_abc"},
    }
    return BonusOrder(**{**terms, **changes})


def payout(**changes: Any) -> PayoutOrder:
    """Return an order to pay a win of 12.50 EUR."""
    terms: dict[str, Any] = {
        "payout_id": new_id(),
        "player_reference": "../../player 7",
        "amount": Decimal("12.50000000"),
        "currency": "EUR",
        "instance_id": new_id(),
        "pot": "grand",
        "cause": "hit_rate",
    }
    return PayoutOrder(**{**terms, **changes})


def adapter_of(platform: FakePlatform, **changes: Any) -> HttpAdapter:
    """Return an adapter that reaches the fake platform."""
    made: dict[str, Any] = {
        "slug": "fake",
        "base_url": platform.url,
        "secrets": (LiveSecret(platform.secrets[0]),),
        "breaker": NoBreaker(),
        "deadline_s": 10.0,
    }
    return HttpAdapter(**{**made, **changes})
