"""rates.set_exchange_rate, selectors.get_usd_rate and /v1/exchange-rates"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from core.actors import Actor
from core.errors import InvalidRequest
from core.models import AuditEntry
from operators import selectors
from operators.errors import ExchangeRateMissing
from operators.models import ExchangeRate, Operator
from operators.services import rates
from tests.factories.operators import ExchangeRateFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def set_rate(operator: Operator, actor: Actor, now: datetime):
    """Return a function that sets a rate of ``operator``."""

    def set_rate(usd_rate: str, valid_from: datetime | None = None, *, currency: str = "EUR"):
        return rates.set_exchange_rate(
            operator=operator,
            currency=currency,
            usd_rate=Decimal(usd_rate),
            valid_from=valid_from,
            actor=actor,
            now=now,
        )

    return set_rate


def in_force(operator: Operator, at: datetime, currency: str = "EUR") -> Decimal:
    return selectors.get_usd_rate(operator=operator, currency=currency, now=at).rate


def test_a_rate_is_in_force_from_its_instant_on(set_rate, operator: Operator, now) -> None:
    set_rate("1.10", now)
    set_rate("1.20", now + HOUR)

    assert in_force(operator, now) == Decimal("1.10")
    assert in_force(operator, now + HOUR - timedelta(microseconds=1)) == Decimal("1.10")
    assert in_force(operator, now + HOUR) == Decimal("1.20")


def test_a_rate_is_in_force_at_once_unless_it_says_otherwise(
    set_rate, operator: Operator, now
) -> None:
    set_rate("1.10")

    assert in_force(operator, now) == Decimal("1.10")


def test_of_two_rates_of_one_instant_the_later_one_counts(
    set_rate, operator: Operator, now
) -> None:
    set_rate("1.10", now)
    set_rate("1.20", now)

    assert in_force(operator, now) == Decimal("1.20")


def test_a_rate_set_for_the_past_does_not_pass_a_newer_one(
    set_rate, operator: Operator, now
) -> None:
    set_rate("1.20", now)
    set_rate("1.10", now - HOUR)

    assert in_force(operator, now) == Decimal("1.20")
    assert in_force(operator, now - HOUR) == Decimal("1.10")


def test_before_the_first_rate_there_is_none(set_rate, operator: Operator, now) -> None:
    set_rate("1.10", now)

    with pytest.raises(ExchangeRateMissing):
        in_force(operator, now - timedelta(microseconds=1))
    with pytest.raises(ExchangeRateMissing):
        in_force(operator, now, currency="JPY")


def test_another_operators_rate_is_not_ours(operator: Operator, now) -> None:
    ExchangeRateFactory.create(currency="EUR")

    with pytest.raises(ExchangeRateMissing):
        in_force(operator, now)


def test_a_dollar_is_always_a_dollar(operator: Operator, now) -> None:
    assert in_force(operator, now, currency="USD") == 1


def test_a_dollar_has_no_rate(set_rate) -> None:
    with pytest.raises(InvalidRequest):
        set_rate("1.00", currency="USD")

    assert ExchangeRate.objects.exists() is False
    assert AuditEntry.objects.exists() is False


def test_setting_a_rate_leaves_a_trail(set_rate) -> None:
    set_rate("1.10")

    entry = AuditEntry.objects.get()
    assert entry.action == "operator.exchange_rate.set"
    assert entry.after == {"currency": "EUR", "usd_rate": "1.10"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE operators_exchangerate SET usd_rate = 2",
        "DELETE FROM operators_exchangerate",
    ],
)
def test_history_cannot_be_rewritten(statement: str) -> None:
    ExchangeRateFactory.create()

    with (
        pytest.raises(ProgrammingError, match="Cannot update or delete rows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert ExchangeRate.objects.get().usd_rate == Decimal("1.25")


@pytest.mark.parametrize(
    ("currency", "usd_rate"), [("EUR", "NaN"), ("EUR", "0"), ("EUR", "-1"), ("USD", "1")]
)
def test_the_database_refuses_a_rate_that_is_none(
    operator: Operator, currency: str, usd_rate: str
) -> None:
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO operators_exchangerate (id, operator_id, currency, usd_rate, valid_from,"
            " created_at) VALUES (gen_random_uuid(), %s, %s, %s, now(), now())",
            [operator.pk, currency, usd_rate],
        )

    assert ExchangeRate.objects.exists() is False


def test_put_answers_201_with_the_rate(client, operator: Operator) -> None:
    response = client.put(
        "/v1/exchange-rates/JPY",
        {"usd_rate": "0.00670", "valid_from": "2026-03-29T02:00:00+02:00"},
    )

    assert response.status_code == 201
    rate = ExchangeRate.objects.get()
    body = response.json()
    assert body.pop("created_at").endswith("Z")
    assert body == {
        "id": str(rate.pk),
        "currency": "JPY",
        "usd_rate": "0.0067",
        "valid_from": "2026-03-29T00:00:00Z",
    }
    assert (rate.operator, rate.usd_rate) == (operator, Decimal("0.0067"))
    assert rate.valid_from == datetime(2026, 3, 29, tzinfo=UTC)


def test_put_takes_a_rate_of_eighteen_decimals(client) -> None:
    response = client.put("/v1/exchange-rates/EUR", {"usd_rate": "1.123456789012345678"})

    assert response.json()["usd_rate"] == "1.123456789012345678"


@pytest.mark.parametrize(
    "usd_rate",
    [
        *["0", "-1", "+1", "1e3", "NaN", "Infinity", "", " 1", "1_0", "1,5", ".5", "5.", "\uff11"],
        *["1." + "0" * 19, "1" * 13],
        *[1, 1.5, True, None, [], {}],
    ],
)
def test_put_refuses_what_is_no_rate(client, usd_rate: Any) -> None:
    response = client.put("/v1/exchange-rates/EUR", {"usd_rate": usd_rate})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert response.json()["errors"][0]["pointer"] == "/usd_rate"
    assert ExchangeRate.objects.exists() is False


@pytest.mark.parametrize("currency", ["EUX", "eur", "DEM", "%00", "x" * 200])
def test_put_refuses_an_unknown_currency(client, currency: str) -> None:
    response = client.put(f"/v1/exchange-rates/{currency}", {"usd_rate": "1"})

    assert (response.status_code, response.json()["code"]) == (400, "CURRENCY_UNKNOWN")
    assert ExchangeRate.objects.exists() is False


def test_put_refuses_the_dollar(client) -> None:
    response = client.put("/v1/exchange-rates/USD", {"usd_rate": "1"})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")


def test_the_history_is_listed_newest_first_and_filtered(client) -> None:
    for currency, usd_rate in [("EUR", "1.1"), ("JPY", "0.0067"), ("EUR", "1.2")]:
        client.put(f"/v1/exchange-rates/{currency}", {"usd_rate": usd_rate})
    ExchangeRateFactory.create(usd_rate=Decimal(9))

    every = client.get("/v1/exchange-rates").json()["results"]
    euros = client.get("/v1/exchange-rates?currency=EUR").json()["results"]

    assert [rate["usd_rate"] for rate in every] == ["1.2", "0.0067", "1.1"]
    assert [rate["usd_rate"] for rate in euros] == ["1.2", "1.1"]
