"""Promo usage, worked by hand: claims, what became of them, and what they cost."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from operators.models import Operator
from promos.enums import UserPromoStatus
from promos.models import Promo, UserPromo
from promos.selectors import read_promo_figures
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoBatchCodeFactory, PromoFactory, UserPromoFactory
from tests.plans import conditions_by_index
from tests.reports.conftest import at

pytestmark = pytest.mark.django_db

Ask = Callable[..., list[dict[str, Any]]]
STATES = ("claim", "waiting", "active", "completed", "cancelled", "expired")


def claim(
    promo: Promo,
    status: str = "CLAIMED",
    claimed_at: str = "2026-03-28 12:00",
    currency: str = "EUR",
    **kw: Any,
) -> UserPromo:
    player = PlayerFactory.create(operator=promo.operator, currency=currency)
    return UserPromoFactory.create(
        promo=promo,
        player=player,
        status=UserPromoStatus(status),
        claimed_at=at(claimed_at),
        **kw,
    )


def counts(row: dict[str, Any]) -> list[int]:
    return [row[f"{name}_count"] for name in STATES]


@pytest.fixture
def promo(operator: Operator) -> Promo:
    return PromoFactory.create(operator=operator, code="WELCOME100")


def taken_back(amount: str, **kw: Any) -> dict[str, Any]:
    """Return a bonus of 80 euros, worth 100 dollars, of which something was taken back."""
    return {
        "activated_at": at("2026-03-28 13:00"),
        "bonus_amount": Decimal(80),
        "bonus_usd_amount": Decimal(100),
        "target_usd_amount": Decimal(3000),
        "clawback_amount": Decimal(amount),
        **kw,
    }


def test_every_claim_is_in_one_state_and_the_cost_is_what_was_kept(promo: Promo, ask: Ask) -> None:
    """Given: five times 80. Taken back: 80, and 20 where 60 more were due."""
    claim(promo, "CLAIMED")
    claim(promo, "ACTIVE")
    claim(promo, "COMPLETED")
    claim(promo, "COMPLETED")
    claim(promo, "CANCELLED", **taken_back("80"))
    claim(promo, "EXPIRED", **taken_back("20", clawback_shortfall=Decimal(60)))
    claim(promo, "EXPIRED")

    [row] = ask("promo-usage", "2026-03-28")

    assert counts(row) == [7, 1, 1, 2, 1, 2]
    assert row["completed_percent"] == Decimal("28.6")
    assert (row["code"], row["type"], row["currency"]) == ("WELCOME100", "Deposit match", "EUR")
    assert (row["given_amount"], row["clawback_amount"]) == (Decimal(400), Decimal(100))
    assert (row["shortfall_amount"], row["cost_amount"]) == (Decimal(60), Decimal(300))
    assert row["wagered_usd"] == Decimal(6000)
    # A euro was worth 1.25 dollars in each of them: 5 × 100 less 100 less 25.
    assert (row["cost_base"], row["base_currency"], row["base_rate"]) == (375, "USD", 1)
    assert read_promo_figures(promo_ids=[promo.pk])[promo.pk].cost_usd == row["cost_base"]


def test_an_instant_promo_is_priced_at_the_rate_of_the_claim(operator: Operator, ask: Ask) -> None:
    instant = PromoFactory.create(operator=operator, instant=True, code="FREE10")
    ExchangeRateFactory.create(operator=operator, valid_from=at("2026-03-01 00:00"))
    ExchangeRateFactory.create(
        operator=operator, usd_rate=Decimal(2), valid_from=at("2026-03-28 13:00")
    )
    free = {"bonus_amount": Decimal(10), "bonus_usd_amount": None, "target_usd_amount": None,
            "target_multiplier": None, "activated_at": None, "wagered_usd_amount": 0}  # fmt: skip
    for instant_of_claim, currency in (
        ("2026-03-28 12:00", "EUR"),
        ("2026-03-28 14:00", "EUR"),
        ("2026-03-28 14:00", "USD"),
        ("2026-03-28 14:00", "JPY"),
    ):
        claim(instant, "COMPLETED", instant_of_claim, currency, **free)

    euro, yen, dollar = ask("promo-usage", "2026-03-28")

    assert [row["currency"] for row in (euro, yen, dollar)] == ["EUR", "JPY", "USD"]
    # 10 × 1.25 + 10 × 2.
    assert (euro["cost_amount"], euro["cost_base"]) == (Decimal(20), Decimal("32.50"))
    assert (dollar["cost_base"], dollar["unpriced_count"]) == (Decimal(10), 0)
    assert (yen["cost_amount"], yen["cost_base"], yen["unpriced_count"]) == (10, 0, 1)


def test_the_base_currency_is_reached_at_the_rate_when_the_days_end(
    operator: Operator, promo: Promo, ask: Ask
) -> None:
    Operator.objects.filter(pk=operator.pk).update(base_currency="EUR")
    operator = Operator.objects.get(pk=operator.pk)
    ExchangeRateFactory.create(operator=operator, valid_from=at("2026-03-01 00:00"))
    claim(promo, "COMPLETED")

    [row] = ask("promo-usage", "2026-03-28", other=operator)

    # 100 dollars at 0.8 euros each.
    assert (row["cost_base"], row["base_rate"]) == (Decimal(80), Decimal("0.8"))


def test_a_claim_counts_on_the_day_it_was_made_and_single_use_codes_are_counted(
    operator: Operator, promo: Promo, ask: Ask
) -> None:
    """Midnight in Malta is at 23:00 on the 28th, and at 22:00 on the 29th."""
    code = PromoBatchCodeFactory.create(batch__promo=promo, operator=operator)
    claim(promo, claimed_at="2026-03-28 22:59")
    claim(promo, claimed_at="2026-03-28 23:00", batch_code=code)
    claim(promo, claimed_at="2026-03-29 21:59")
    claim(promo, claimed_at="2026-03-29 22:00")

    [row] = ask("promo-usage", "2026-03-29")

    assert (row["claim_count"], row["single_use_count"]) == (2, 1)
    assert ask("promo-usage", "2026-03-27") == []


def test_another_operators_claims_are_not_told(promo: Promo, ask: Ask) -> None:
    claim(promo)
    neighbour = OperatorFactory.create()
    claim(PromoFactory.create(operator=neighbour, code="THEIRS"))

    assert [row["code"] for row in ask("promo-usage", "2026-03-28")] == ["WELCOME100"]
    assert [row["code"] for row in ask("promo-usage", "2026-03-28", other=neighbour)] == ["THEIRS"]


def test_the_claims_of_a_period_are_found_through_an_index(promo: Promo, ask: Ask) -> None:
    claim(promo)

    with CaptureQueriesContext(connection) as queries:
        ask("promo-usage", "2026-03-28")

    assert len(queries) == 2, "the claims, and the rates"
    statement = next(query["sql"] for query in queries if "promos_userpromo" in query["sql"])
    index = "user_promo_by_claim"
    [condition] = conditions_by_index(statement, indexes=(index,))[index]
    for part in ("operator_id = ", "claimed_at >= ", "claimed_at < "):
        assert part in condition
