"""What amounts are worth in an operator's base currency, at one instant."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core import money
from operators.models import ExchangeRate, Operator
from operators.selectors import USD
from reports.rules.periods import day_text


@dataclass(frozen=True, slots=True)
class BaseRate:
    """Units of the base currency for one of another, and since when; null: since always."""

    rate: Decimal
    since: datetime | None


class BaseRates:
    """The rates into the base currency at one instant: one statement for all currencies."""

    def __init__(self, operator: Operator, *, at: datetime) -> None:
        self.base = operator.base_currency
        in_force = (
            ExchangeRate.objects.for_operator(operator)
            .filter(valid_from__lte=at)
            .order_by("currency", "-valid_from", "-id")
            .distinct("currency")
        )
        self._usd: dict[str, tuple[Decimal, datetime | None]] = {USD: (Decimal(1), None)}
        for row in in_force:
            self._usd[row.currency] = (row.usd_rate, row.valid_from)

    def find(self, currency: str) -> BaseRate | None:
        """Return the rate of a currency; null if there is none."""
        if currency == self.base:
            return BaseRate(Decimal(1), None)
        if currency not in self._usd or self.base not in self._usd:
            return None
        (source, since), (target, target_since) = self._usd[currency], self._usd[self.base]
        instants = [instant for instant in (since, target_since) if instant is not None]
        return BaseRate(money.cross_rate(source, target), max(instants, default=None))

    def convert(self, amount: Decimal | None, currency: str) -> Decimal | None:
        """Return an amount in the base currency; null if it has no rate."""
        rate = self.find(currency)
        if rate is None or amount is None:
            return None
        worth = money.EXACT.multiply(amount, rate.rate)
        return worth.quantize(
            money.get_currency(self.base).minor_unit,
            rounding="ROUND_HALF_EVEN",
            context=money.EXACT,
        )

    def describe(self, currency: str) -> str:
        """Say the rate of a currency; empty for the base currency itself."""
        rate = self.find(currency)
        if currency == self.base:
            return ""
        if rate is None:
            return f"There is no exchange rate from {currency} to {self.base}."
        since = "" if rate.since is None else f", in force since {day_text(rate.since.date())}"
        return f"1 {currency} = {money.format_decimal(rate.rate)} {self.base}{since}."
