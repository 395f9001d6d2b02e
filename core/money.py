"""
Amounts and currencies: exact, or refused.

Amounts are ``Decimal`` with at most 8 decimals (``numeric(28, 8)`` in the database).
Arithmetic that may pass the default 28 digits goes through ``EXACT``, never through
the ambient decimal context. A rounding mode is always written at the call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from functools import cache, reduce

from babel.core import get_global
from babel.numbers import get_currency_precision

from core.errors import CurrencyUnknown, InvalidRequest

AMOUNT_DECIMALS = 8
AMOUNT_DIGITS = 28
#: The least amount that can be stored.
QUANTUM = Decimal(1).scaleb(-AMOUNT_DECIMALS)
#: Amounts stay below this: numeric(28, 8) has 20 digits before the point.
AMOUNT_LIMIT = Decimal(10) ** (AMOUNT_DIGITS - AMOUNT_DECIMALS)
RATE_DECIMALS = 18
RATE_QUANTUM = Decimal(1).scaleb(-RATE_DECIMALS)

#: Wide enough that a product of two stored numbers is never rounded behind our back.
EXACT = Context(
    prec=120, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)

#: Currencies that ISO 4217 does not list, with their decimals (at most 8 are kept).
_CRYPTO = {
    "BCH": 8,
    "BNB": 8,
    "BTC": 8,
    "DOGE": 8,
    "ETH": 8,
    "LTC": 8,
    "SOL": 8,
    "TRX": 6,
    "USDC": 6,
    "USDT": 6,
    "XRP": 6,
}


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency and the number of decimals that its minor unit has."""

    code: str
    decimals: int

    @property
    def minor_unit(self) -> Decimal:
        """Return the least amount a player can hold: 0.01 for EUR, 1 for JPY."""
        return Decimal(1).scaleb(-self.decimals)


@cache
def currencies() -> dict[str, Currency]:
    """Return every currency we take, by code: today's legal tender, and the crypto table."""
    tender = {
        code
        for entries in get_global("territory_currencies").values()
        for code, _start, end, is_tender in entries
        if end is None and is_tender
    }
    registry = {code: Currency(code, get_currency_precision(code)) for code in tender}
    # Ours last: Babel answers 2 decimals for any code that it does not know.
    registry.update({code: Currency(code, decimals) for code, decimals in _CRYPTO.items()})
    return dict(sorted(registry.items()))


def get_currency(code: str) -> Currency:
    """
    Return the currency with that code.

    :raises CurrencyUnknown: if the registry has none.
    """
    try:
        return currencies()[code]
    except KeyError:
        raise CurrencyUnknown(f"There is no currency {code!r}.") from None


@cache
def _unit(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def quantize(amount: Decimal, *, decimals: int, rounding: str) -> Decimal:
    """
    Return ``amount`` rounded to ``decimals`` places.

    :raises InvalidRequest: if the result has more digits than can be stored.
    """
    result = amount.quantize(_unit(decimals), rounding=rounding, context=EXACT)
    if abs(result) >= AMOUNT_LIMIT:
        raise InvalidRequest("The amount is larger than can be stored.")
    return result


def round_half_even(amount: Decimal) -> Decimal:
    """Return ``amount`` rounded half-even to the 8 decimals that are stored."""
    return quantize(amount, decimals=AMOUNT_DECIMALS, rounding=ROUND_HALF_EVEN)


def round_down(amount: Decimal, currency: Currency) -> Decimal:
    """Return ``amount`` rounded down to what a player can hold in ``currency``."""
    return quantize(amount, decimals=currency.decimals, rounding=ROUND_DOWN)


def has_only_minor_units(amount: Decimal, currency: Currency) -> bool:
    """Tell whether ``amount`` has no more decimals than ``currency`` has."""
    return EXACT.remainder(amount, currency.minor_unit) == 0


def cross_rate(usd_rate_from: Decimal, usd_rate_to: Decimal) -> Decimal:
    """
    Return the units of the second currency for one of the first, to 18 decimals.

    The rounded rate is what is stored and what is multiplied with, so that a stored
    amount can be computed again from its stored original and rate.

    :raises InvalidRequest: if the rate has more digits than can be stored.
    """
    rate = EXACT.divide(usd_rate_from, usd_rate_to).quantize(RATE_QUANTUM, context=EXACT)
    if rate >= AMOUNT_LIMIT:
        raise InvalidRequest("The exchange rate is larger than can be stored.")
    return rate


def convert(amount: Decimal, rate: Decimal) -> Decimal:
    """Return ``amount`` at ``rate``, rounded half-even to 8 decimals."""
    return round_half_even(EXACT.multiply(amount, rate))


def split(amount: Decimal, shares: Sequence[Decimal]) -> list[Decimal]:
    """
    Split ``amount`` (at most 8 decimals, not negative) in proportion to ``shares``.

    By largest remainder, ties in the order of the shares: the parts always sum to the
    amount, to the last unit.
    """
    assert amount >= 0, f"split of {amount}"
    whole = reduce(EXACT.add, shares, Decimal(0))
    assert whole > 0, f"shares {shares}"
    assert min(shares) >= 0, f"shares {shares}"
    exact = [EXACT.divide(EXACT.multiply(amount, share), whole) for share in shares]
    parts = [part.quantize(QUANTUM, rounding=ROUND_DOWN, context=EXACT) for part in exact]
    left = EXACT.subtract(amount, reduce(EXACT.add, parts, Decimal(0)))
    units_left = int(EXACT.divide(left, QUANTUM))
    by_remainder = sorted(
        range(len(parts)), key=lambda index: EXACT.subtract(parts[index], exact[index])
    )
    for index in by_remainder[:units_left]:
        parts[index] += QUANTUM
    return parts


def format_amount(amount: Decimal, currency_code: str) -> str:
    """Return ``amount`` as it goes over the wire: "10.00", "0.0125"; never an exponent."""
    return format_digits(f"{amount:.{AMOUNT_DECIMALS}f}", currency_code)


def tell_amount(amount: Decimal, currency_code: str) -> str:
    """Return an amount for people: "1,234.50 EUR"."""
    return f"{tell_figure(amount, currency_code)} {currency_code}"


def tell_figure(amount: Decimal, currency_code: str) -> str:
    """Return an amount for people where its currency stands beside it: "1,234.50"."""
    sign = "−" if amount < 0 else ""
    whole, point, fraction = format_amount(abs(amount), currency_code).partition(".")
    return f"{sign}{int(whole):,}{point}{fraction}"


def format_digits(digits: str, currency_code: str) -> str:
    """Return an amount in plain digits, with at most 8 decimals, as it goes over the wire."""
    decimals = get_currency(currency_code).decimals
    whole, _point, fraction = digits.partition(".")
    kept = fraction[:decimals].ljust(decimals, "0") + fraction[decimals:].rstrip("0")
    return f"{whole}.{kept}" if kept else whole


def format_decimal(value: Decimal) -> str:
    """Return a rate, share or percentage as plain digits without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
