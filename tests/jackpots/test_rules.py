"""The arithmetic of contributions: conservation, rounding, and the schedule's edges."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import get_currency
from jackpots import rules
from jackpots.enums import ContributionType
from jackpots.rules import ContributionTerms

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


@given(terms=PERCENTS.map(percent), wager=AMOUNTS, wallet=WALLETS, rate=RATES)
def test_what_a_player_pays_fits_the_wallet_and_never_passes_the_terms(
    terms: ContributionTerms, wager: Decimal, wallet: str, rate: Decimal
) -> None:
    currency = get_currency(wallet)

    funded = rules.player_funded_amount(
        terms, base_wager=wager, rate=rate, wallet=currency, wallet_rate=rate
    )

    assert funded.debit % currency.minor_unit == 0
    assert funded.debit * 100 <= wager * terms.percent
    assert wager * terms.percent / 100 - funded.debit < currency.minor_unit + Decimal("1e-12")


@given(terms=PERCENTS.map(percent), wager=AMOUNTS, wallet=WALLETS)
def test_in_one_currency_exactly_the_debit_reaches_the_meters(
    terms: ContributionTerms, wager: Decimal, wallet: str
) -> None:
    funded = rules.player_funded_amount(
        terms,
        base_wager=wager,
        rate=Decimal(1),
        wallet=get_currency(wallet),
        wallet_rate=Decimal(1),
    )

    assert funded.amount == funded.debit


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
