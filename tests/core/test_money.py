"""core.money: exact, or refused."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core import money
from core.errors import CurrencyUnknown, InvalidRequest

LARGEST = money.AMOUNT_LIMIT - money.QUANTUM

amounts = st.integers(0, 10**28 - 1).map(lambda units: Decimal(units).scaleb(-8))
shares = st.lists(
    st.integers(0, 10**28 - 1).map(lambda units: Decimal(units).scaleb(-18)),
    min_size=1,
    max_size=20,
)
rates = st.integers(1, 10**30 - 1).map(lambda units: Decimal(units).scaleb(-18))


@given(amounts, shares)
def test_the_parts_sum_to_the_whole_to_the_last_unit(
    amount: Decimal, shares: list[Decimal]
) -> None:
    assume(any(shares))

    parts = money.split(amount, shares)

    assert sum(map(Fraction, parts)) == Fraction(amount)
    assert len(parts) == len(shares)


@given(amounts, shares)
def test_no_part_is_a_unit_away_from_its_due(amount: Decimal, shares: list[Decimal]) -> None:
    assume(any(shares))
    whole = sum(map(Fraction, shares))

    for part, share in zip(money.split(amount, shares), shares, strict=True):
        due = Fraction(amount) * Fraction(share) / whole
        assert abs(Fraction(part) - due) < Fraction(money.QUANTUM)
        assert part == part.quantize(money.QUANTUM, context=money.EXACT)


@given(amounts, shares)
def test_a_larger_share_never_gets_less(amount: Decimal, shares: list[Decimal]) -> None:
    assume(any(shares))

    parts = money.split(amount, shares)

    by_share = sorted(zip(shares, parts, strict=True))
    assert [part for _share, part in by_share] == sorted(parts)


@pytest.mark.parametrize(
    ("amount", "shares", "parts"),
    [
        ("0.00000001", "1 1 1", "0.00000001 0 0"),
        ("0.00000002", "1 1 1", "0.00000001 0.00000001 0"),
        ("0.00000001", "0 1", "0 0.00000001"),
        ("0.00000001", "0.4 0.6", "0 0.00000001"),
        ("10", "0.5 0.3 0.2", "5 3 2"),
        ("10", "1 1 1", "3.33333334 3.33333333 3.33333333"),
        ("0", "1 2", "0 0"),
        ("0.00000007", "0.25 0.25 0.5", "0.00000002 0.00000002 0.00000003"),
        (f"{LARGEST}", "1 1", "50000000000000000000 49999999999999999999.99999999"),
    ],
)  # fmt: skip
def test_ties_go_to_the_first(amount: str, shares: str, parts: str) -> None:
    expected = [Decimal(part) for part in parts.split()]

    assert money.split(Decimal(amount), [Decimal(share) for share in shares.split()]) == expected


@pytest.mark.parametrize(
    ("amount", "shares"), [("-1", ["1"]), ("1", []), ("1", ["0"]), ("1", ["2", "-1"])]
)
def test_a_split_that_means_nothing_is_the_programmers_mistake(
    amount: str, shares: list[str]
) -> None:
    with pytest.raises(AssertionError):
        money.split(Decimal(amount), [Decimal(share) for share in shares])


@given(amounts, rates)
def test_a_converted_amount_is_the_exact_product_rounded_once(
    amount: Decimal, rate: Decimal
) -> None:
    product = Fraction(amount) * Fraction(rate)

    try:
        converted = money.convert(amount, rate)
    except InvalidRequest:
        assert product >= Fraction(LARGEST)
        return

    error = abs(Fraction(converted) - product)
    assert error <= Fraction(money.QUANTUM) / 2
    units = Fraction(converted) / Fraction(money.QUANTUM)
    # Half-way goes to the even neighbour.
    assert error < Fraction(money.QUANTUM) / 2 or units % 2 == 0


@given(amounts)
def test_a_rate_of_one_changes_nothing(amount: Decimal) -> None:
    assert money.convert(amount, Decimal(1)) == amount


@pytest.mark.parametrize(
    ("usd_from", "usd_to", "rate"),
    [
        ("1.25", "1", "1.25"),
        ("1", "1.25", "0.8"),
        ("1.25", "1.25", "1"),
        ("1", "3", "0.333333333333333333"),
        ("2", "3", "0.666666666666666667"),
        ("65000", "0.0067", "9701492.537313432835820896"),
    ],
)
def test_a_cross_rate_has_eighteen_decimals(usd_from: str, usd_to: str, rate: str) -> None:
    crossed = money.cross_rate(Decimal(usd_from), Decimal(usd_to))

    assert crossed == Decimal(rate)
    assert crossed.as_tuple().exponent == -18


def test_a_cross_rate_too_large_to_store_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        money.cross_rate(Decimal(999999999999), Decimal("0.000000000000000001"))


@pytest.mark.parametrize(
    ("code", "decimals"),
    [
        ("JPY", 0), ("KRW", 0), ("EUR", 2), ("USD", 2), ("GBP", 2), ("BRL", 2), ("KWD", 3),
        ("BHD", 3), ("USDT", 6), ("USDC", 6), ("TRX", 6), ("BTC", 8), ("ETH", 8),
    ],
)  # fmt: skip
def test_a_currency_has_the_decimals_of_its_minor_unit(code: str, decimals: int) -> None:
    currency = money.get_currency(code)

    assert (currency.code, currency.decimals) == (code, decimals)
    assert currency.minor_unit == Decimal(10) ** -decimals


@pytest.mark.parametrize("code", ["", "eur", "EUX", "DEM", "XXX", "EUR ", "€", "x" * 100])
def test_an_unknown_currency_is_refused(code: str) -> None:
    with pytest.raises(CurrencyUnknown):
        money.get_currency(code)


@pytest.mark.parametrize(
    ("amount", "code", "text"),
    [
        ("10", "EUR", "10.00"),
        ("10.1", "EUR", "10.10"),
        ("0.0125", "EUR", "0.0125"),
        ("0.00000001", "EUR", "0.00000001"),
        ("10.10000000", "EUR", "10.10"),
        ("10", "JPY", "10"),
        ("10.50", "JPY", "10.5"),
        ("10", "USDT", "10.000000"),
        ("1E+3", "EUR", "1000.00"),
        ("1E-8", "BTC", "0.00000001"),
        ("0", "BTC", "0.00000000"),
        ("0E-8", "EUR", "0.00"),
        ("99999999999999999999.99999999", "EUR", "99999999999999999999.99999999"),
    ],
)
def test_an_amount_is_written_with_at_least_its_currencys_decimals(
    amount: str, code: str, text: str
) -> None:
    assert money.format_amount(Decimal(amount), code) == text


@given(amounts, st.sampled_from(sorted(money.currencies())))
def test_a_written_amount_reads_back_as_itself(amount: Decimal, code: str) -> None:
    text = money.format_amount(amount, code)

    assert Decimal(text) == amount
    assert "E" not in text
    _whole, _point, fraction = text.partition(".")
    assert len(fraction) >= money.get_currency(code).decimals


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.250", "1.25"), ("100", "100"), ("0", "0"), ("0.000", "0"), ("1E+2", "100"),
        ("1E-18", "0.000000000000000001"),
    ],
)  # fmt: skip
def test_a_rate_is_written_without_trailing_zeros(value: str, text: str) -> None:
    assert money.format_decimal(Decimal(value)) == text


@pytest.mark.parametrize(
    ("amount", "code", "kept"),
    [("1.999", "EUR", "1.99"), ("1.9", "JPY", "1"), ("1.99999999", "BTC", "1.99999999")],
)
def test_what_a_player_holds_is_rounded_down(amount: str, code: str, kept: str) -> None:
    assert money.round_down(Decimal(amount), money.get_currency(code)) == Decimal(kept)


@pytest.mark.parametrize(
    ("amount", "code", "fits"),
    [
        ("1.99", "EUR", True),
        ("1.990", "EUR", True),
        ("1.999", "EUR", False),
        ("1", "JPY", True),
        ("1.5", "JPY", False),
        ("99999999999999999999.99999999", "BTC", True),
        ("99999999999999999999.99999999", "EUR", False),
    ],
)
def test_minor_units_are_told_from_fractions_of_them(amount: str, code: str, fits: bool) -> None:
    assert money.has_only_minor_units(Decimal(amount), money.get_currency(code)) is fits


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.000000005", "0"), ("0.000000015", "0.00000002"), ("0.0000000051", "0.00000001")],
)
def test_half_a_unit_goes_to_the_even_neighbour(amount: str, rounded: str) -> None:
    assert money.round_half_even(Decimal(amount)) == Decimal(rounded)


def test_an_amount_too_large_to_store_is_refused() -> None:
    assert money.round_half_even(LARGEST) == LARGEST
    with pytest.raises(InvalidRequest):
        money.round_half_even(money.AMOUNT_LIMIT)
    with pytest.raises(InvalidRequest):
        money.convert(LARGEST, Decimal(2))
