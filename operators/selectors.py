"""Reads of the tenant layer."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.errors import NotFound
from operators.errors import ExchangeRateMissing
from operators.models import ExchangeRate, Operator

USD = "USD"


@dataclass(frozen=True, slots=True)
class UsdRate:
    """US dollars for one unit of a currency, and since when; USD is 1 since always."""

    currency: str
    rate: Decimal
    valid_from: datetime | None


def get_usd_rate(*, operator: Operator, currency: str, now: datetime) -> UsdRate:
    """
    Return the rate in force at ``now``.

    :raises ExchangeRateMissing: if there is none.
    """
    if currency == USD:
        return UsdRate(currency=USD, rate=Decimal(1), valid_from=None)
    row = (
        ExchangeRate.objects.for_operator(operator)
        .filter(currency=currency, valid_from__lte=now)
        .order_by("-valid_from", "-id")
        .first()
    )
    if row is None:
        raise exchange_rate_missing(currency)
    return UsdRate(currency=currency, rate=row.usd_rate, valid_from=row.valid_from)


def get_operator(*, slug: str) -> Operator:
    """
    Return the operator with that slug.

    :raises NotFound: if there is none.
    """
    operator = Operator.objects.filter(slug=slug).first()
    if operator is None:
        raise NotFound(f"There is no operator {slug!r}.")
    return operator


def exchange_rate_missing(currency: str) -> ExchangeRateMissing:
    """Return the refusal for a currency without a rate in force."""
    return ExchangeRateMissing(
        f"There is no exchange rate for {currency} yet. Set one with PUT /v1/exchange-rates."
    )
