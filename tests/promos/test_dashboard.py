"""What promos cost in a period, worked out by hand, over operators and currencies."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from operators.models import Operator
from promos.dashboard import CurrencyCost, PromoCost, read_promo_cost
from promos.enums import PromoType, UserPromoStatus
from promos.models import UserPromo
from promos.selectors import read_promo_figures
from tests.concurrency.sabotage import execute, triggers_off
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory, UserPromoFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def since(now: datetime) -> datetime:
    return now - 7 * DAY


def claim(operator: Operator, status: UserPromoStatus, **kwargs: Any) -> UserPromo:
    """Claim a deposit promo of the operator: 80 euros, 100 US dollars, unless told otherwise."""
    return UserPromoFactory.create(
        promo=PromoFactory.create(operator=operator), status=status, **kwargs
    )


def paid(operator: Operator, at: datetime, **kwargs: Any) -> UserPromo:
    """Let a deposit activate a claim at that instant."""
    return claim(operator, UserPromoStatus.ACTIVE, claimed_at=at - DAY, activated_at=at, **kwargs)


def taken_back(operator: Operator, at: datetime, *, paid_at: datetime, **kwargs: Any) -> UserPromo:
    """Expire a claim whose 80 euros had been paid, and take 60 of them back."""
    return claim(
        operator,
        UserPromoStatus.EXPIRED,
        claimed_at=paid_at - DAY,
        activated_at=paid_at,
        expired_at=at,
        **{
            "bonus_amount": Decimal(80),
            "bonus_usd_amount": Decimal(100),
            "target_usd_amount": Decimal(3000),
            "clawback_amount": Decimal(60),
            "clawback_shortfall": Decimal(20),
            **kwargs,
        },
    )


def paid_at_once(operator: Operator, at: datetime, amount: str, currency: str) -> UserPromo:
    """Let a player of that currency claim an instant promo."""
    return UserPromoFactory.create(
        promo=PromoFactory.create(operator=operator, instant=True),
        player=PlayerFactory.create(operator=operator, currency=currency),
        promo_type=PromoType.INSTANT,
        status=UserPromoStatus.COMPLETED,
        bonus_amount=Decimal(amount),
        bonus_usd_amount=None,
        target_usd_amount=None,
        target_multiplier=None,
        wagered_usd_amount=0,
        claimed_at=at,
        activated_at=None,
        completed_at=at,
    )


def test_promos_cost_nothing_when_nothing_was_claimed(since: datetime, db: Any) -> None:
    assert read_promo_cost(since=since) == PromoCost()


def test_what_was_paid_in_the_period_less_what_was_taken_back_in_it(
    operator: Operator, since: datetime, now: datetime
) -> None:
    other = OperatorFactory.create()
    paid(operator, since)
    paid(operator, now, bonus_amount=Decimal("40.50"), bonus_usd_amount=Decimal("50.63"))
    paid(other, now)
    paid(operator, since - timedelta(microseconds=1))
    taken_back(operator, now, paid_at=since - DAY)
    taken_back(operator, now, paid_at=since + DAY, bonus_amount=Decimal(90))
    claim(operator, UserPromoStatus.CLAIMED, claimed_at=now)
    claim(operator, UserPromoStatus.CANCELLED, claimed_at=now - DAY, cancelled_at=now)

    cost = read_promo_cost(since=since)

    # Paid: 80 + 40.50 + 80 + 90. The 60 of the last are worth 60/90 of its 100 dollars.
    assert cost.currencies == (CurrencyCost("EUR", 4, Decimal("290.50"), 2, Decimal(120)),)
    assert cost.currencies[0].cost == Decimal("170.50")
    dollars = 100 + Decimal("50.63") + 100 + 100 - 60 * Decimal(100) / 80
    assert cost.cost_usd == round(dollars - 60 * Decimal(100) / 90, 8)
    assert cost.unpriced_count == 0


def test_each_currency_for_itself_and_dollars_at_the_rate_of_the_claim(
    operator: Operator, since: datetime, now: datetime
) -> None:
    ExchangeRateFactory.create(operator=operator, currency="EUR", usd_rate=Decimal("1.10"))
    ExchangeRateFactory.create(
        operator=operator, currency="EUR", usd_rate=Decimal(2), valid_from=since + DAY
    )
    paid_at_once(operator, since, "10.00", "EUR")
    paid_at_once(operator, since + 2 * DAY, "10.00", "EUR")
    paid_at_once(operator, now, "7.00", "USD")
    paid_at_once(operator, now, "1000", "JPY")

    cost = read_promo_cost(since=since)

    assert cost.currencies == (
        CurrencyCost("EUR", 2, Decimal(20)),
        CurrencyCost("JPY", 1, Decimal(1000)),
        CurrencyCost("USD", 1, Decimal(7)),
    )
    assert cost.cost_usd == 11 + 20 + 7
    assert cost.unpriced_count == 1


def test_rates_are_the_operators_own(operator: Operator, since: datetime, now: datetime) -> None:
    ExchangeRateFactory.create(operator=OperatorFactory.create(), currency="EUR")
    paid_at_once(operator, now, "10.00", "EUR")

    assert read_promo_cost(since=since).unpriced_count == 1


def test_more_may_come_back_than_was_paid(
    operator: Operator, since: datetime, now: datetime
) -> None:
    taken_back(operator, now, paid_at=since - DAY)

    [euros] = read_promo_cost(since=since).currencies

    assert (euros.paid_count, euros.cost) == (0, Decimal(-60))


def test_the_pages_of_the_promos_say_the_same(
    operator: Operator, since: datetime, now: datetime
) -> None:
    ExchangeRateFactory.create(operator=operator, currency="EUR", usd_rate=Decimal("1.10"))
    claims = [
        paid(operator, now),
        taken_back(operator, now, paid_at=since + DAY),
        paid_at_once(operator, now, "10.00", "EUR"),
    ]

    figures = read_promo_figures(promo_ids=[each.promo_id for each in claims])

    assert read_promo_cost(since=since).cost_usd == sum(each.cost_usd for each in figures.values())


# What it costs to read

_MULTIPLY = """
    INSERT INTO promos_userpromo
    SELECT made.* FROM promos_userpromo AS original, generate_series(1, 8000) AS copy,
        jsonb_populate_record(original, jsonb_build_object(
            'id', gen_random_uuid(), 'player_id', original.player_id + 1000 + copy,
            'activated_at', original.activated_at - copy * interval '1 minute',
            'expired_at', original.expired_at - copy * interval '1 minute')) AS made
"""


@pytest.fixture
def _many_claims(operator: Operator, now: datetime) -> None:
    """Many claims that were paid and taken back before the period, and one in it."""
    taken_back(operator, now, paid_at=now)
    with triggers_off():
        execute(_MULTIPLY)
    execute("VACUUM ANALYZE promos_userpromo")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_many_claims")
def test_no_claim_but_those_of_the_period_is_read(now: datetime) -> None:
    with CaptureQueriesContext(connection) as queries:
        cost = read_promo_cost(since=now)

    assert [(each.paid_count, each.taken_back_count) for each in cost.currencies] == [(1, 1)]
    assert len(queries) == 1
    plan = explained(queries[0]["sql"])
    assert "Seq Scan on promos_userpromo" not in plan
    assert "user_promo_paid" in plan
    assert "user_promo_taken_back" in plan


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_many_claims")
def test_the_check_of_the_cost_can_fail() -> None:
    assert "Seq Scan on promos_userpromo" in explained(
        "SELECT sum(bonus_amount) FROM promos_userpromo WHERE rate IS NULL"
    )


def explained(sql: str) -> str:
    """Return how PostgreSQL would answer the statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())
