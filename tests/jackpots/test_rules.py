"""The arithmetic of contributions: conservation, rounding, and the schedule's edges."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.money import get_currency
from jackpots.enums import ContributionType
from jackpots.rules import contributions as rules
from jackpots.rules.contributions import ContributionTerms, UsdRates

AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=8)
DECIMALS = st.sampled_from([0, 2, 8])
PERCENTS = st.decimals(min_value=Decimal("0.00000001"), max_value=100, places=8)
RATES = st.decimals(min_value=Decimal("0.000001"), max_value=10**6, places=6)
WALLETS = st.sampled_from(["JPY", "EUR", "BTC"])


def percent(value: str | Decimal) -> ContributionTerms:
    return ContributionTerms(ContributionType.PERCENT, None, Decimal(value))


def fixed(value: str) -> ContributionTerms:
    return ContributionTerms(ContributionType.FIXED, Decimal(value), None)


@st.composite
def shares(draw: st.DrawFn) -> list[Decimal]:
    """Shares with 8 decimals that sum to exactly 1."""
    cuts = draw(st.lists(st.integers(1, 10**8 - 1), max_size=9, unique=True))
    edges = [0, *sorted(cuts), 10**8]
    return [Decimal(b - a).scaleb(-8) for a, b in pairwise(edges)]


@given(amount=AMOUNTS, shares=shares(), decimals=DECIMALS)
def test_parts_sum_to_the_whole(amount: Decimal, shares: list[Decimal], decimals: int) -> None:
    whole = round(amount, decimals)

    parts = rules.split_over_pots(whole, shares)

    assert sum(parts) == whole
    assert all(part >= 0 for part in parts)


@given(amount=AMOUNTS, shares=shares())
def test_no_part_is_a_whole_unit_away_from_its_share(
    amount: Decimal, shares: list[Decimal]
) -> None:
    parts = rules.split_over_pots(amount, shares)

    for part, share in zip(parts, shares, strict=True):
        assert abs(part - amount * share) < Decimal("0.00000001") + amount * Decimal("1e-20")


def test_ties_go_to_the_pots_in_their_order() -> None:
    third = Decimal("0.33333333")

    parts = rules.split_over_pots(Decimal("0.00000002"), [third, third, 1 - 2 * third])

    assert parts == [Decimal("0.00000001"), Decimal(0), Decimal("0.00000001")]


def test_equal_shares_of_an_odd_unit_favour_the_first() -> None:
    half = Decimal("0.5")

    assert rules.split_over_pots(Decimal("0.00000003"), [half, half]) == [
        Decimal("0.00000002"),
        Decimal("0.00000001"),
    ]


@pytest.mark.parametrize(
    ("terms", "wager", "rate", "amount"),
    [
        (percent("1"), "10.00", "1", "0.1"),
        (percent("1.5"), "10.00", "1.25", "0.1875"),
        (fixed("0.5"), "10.00", "1", "0.5"),
        (fixed("0.5"), "0.01", "250", "0.5"),
        (fixed("0.5"), "0", "1", "0"),
        (percent("100"), "0", "1", "0"),
        # Half a unit of the eighth decimal goes to the even neighbour.
        (percent("50"), "0.00000001", "1", "0"),
        (percent("50"), "0.00000003", "1", "0.00000002"),
    ],
)
def test_operator_funded_amount(
    terms: ContributionTerms, wager: str, rate: str, amount: str
) -> None:
    found = rules.operator_funded_amount(terms, base_wager=Decimal(wager), rate=Decimal(rate))

    assert found == Decimal(amount)


def test_the_rounding_happens_once() -> None:
    # Rounding the converted wager first would give 0.00000002.
    found = rules.operator_funded_amount(
        percent("50"), base_wager=Decimal("0.00000001"), rate=Decimal("2.9")
    )

    assert found == Decimal("0.00000001")


@given(
    terms=PERCENTS.map(percent), wager=AMOUNTS, wallet=WALLETS, usd=st.tuples(RATES, RATES, RATES)
)
def test_what_a_player_pays_is_whole_units_and_less_than_one_below_the_terms(
    terms: ContributionTerms, wager: Decimal, wallet: str, usd: tuple[Decimal, ...]
) -> None:
    currency, rates = get_currency(wallet), UsdRates(*usd)
    wanted = Fraction(wager) * Fraction(terms.percent) / 100
    wanted *= Fraction(rates.wager) / Fraction(rates.wallet)
    assume(wanted < 10**20)

    funded = rules.player_funded_amount(terms, base_wager=wager, rates=rates, wallet=currency)

    assert funded.debit % currency.minor_unit == 0
    assert 0 <= wanted - Fraction(funded.debit) < Fraction(currency.minor_unit)


@given(terms=PERCENTS.map(percent), wager=AMOUNTS, wallet=WALLETS, usd=RATES)
def test_in_one_currency_exactly_the_debit_reaches_the_meters(
    terms: ContributionTerms, wager: Decimal, wallet: str, usd: Decimal
) -> None:
    funded = rules.player_funded_amount(
        terms, base_wager=wager, rates=UsdRates(usd, usd, usd), wallet=get_currency(wallet)
    )

    assert funded.amount == funded.debit


@pytest.mark.parametrize(
    ("terms", "wager", "usd", "debit", "amount"),
    [
        # A rate of 1 / 1.08, rounded first, would make it 0.26.
        (percent("1"), "25.00", ("1.08", "1", "1.08"), "0.27", "0.25"),
        # The wager's and the wallet's currency are one: no rate touches the debit.
        (percent("1"), "100.00", ("0.7", "0.7", "0.3"), "1.00", "2.33333333"),
        (fixed("0.25"), "25.00", ("1", "1", "1.08"), "0.27", "0.25"),
        (fixed("0.25"), "0", ("1", "1", "1.08"), "0", "0"),
    ],
)
def test_player_funded_amount(
    terms: ContributionTerms, wager: str, usd: tuple[str, str, str], debit: str, amount: str
) -> None:
    funded = rules.player_funded_amount(
        terms,
        base_wager=Decimal(wager),
        rates=UsdRates(*map(Decimal, usd)),
        wallet=get_currency("USD"),
    )

    assert (funded.debit, funded.amount) == (Decimal(debit), Decimal(amount))


def test_the_schedule_includes_its_start_and_excludes_its_end() -> None:
    opens_at = datetime(2026, 3, 29, tzinfo=UTC)
    closes_at = opens_at + timedelta(days=1)
    moment = timedelta(microseconds=1)

    answers = [
        rules.is_open(opens_at=opens_at, closes_at=closes_at, now=instant)
        for instant in (opens_at - moment, opens_at, closes_at - moment, closes_at)
    ]

    assert answers == [False, True, True, False]
    assert rules.is_open(opens_at=None, closes_at=None, now=opens_at)
