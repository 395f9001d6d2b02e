"""The arithmetic of bonus play: nothing is made or lost, whatever the numbers are."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonuses.rules.wagering import (
    change_release,
    is_over_max_bet,
    release_limit,
    split_payout,
    split_release,
    split_stake,
    weight_of,
    weighted_amount_of,
)
from core.money import Currency, get_currency, has_only_minor_units

WEIGHTS = {"slots": 100, "table": 10, "default": 3, "games": {"sums": 50, "free": 0}}

currencies = st.sampled_from(["JPY", "EUR", "USDT", "BTC"]).map(get_currency)


def amounts(currency: Currency, *, least: int = 0) -> st.SearchStrategy[Decimal]:
    """Return amounts that a player may hold, so that five of them can still be stored."""
    most = 10**19 * 10**currency.decimals
    small = st.integers(min_value=least, max_value=1_000)
    return st.one_of(small, st.integers(min_value=least, max_value=most)).map(
        lambda units: Decimal(units).scaleb(-currency.decimals)
    )


# Weights


@pytest.mark.parametrize(
    ("slug", "category", "weight"),
    [
        ("sums", "slots", 50),
        ("free", "slots", 0),
        ("other", "slots", 100),
        ("other", "table", 10),
        ("other", "live", 3),
        ("slots", "live", 3),
    ],
)
def test_the_game_counts_before_its_category_and_that_before_the_default(
    slug: str, category: str, weight: int
) -> None:
    found = weight_of(game_contribution=WEIGHTS, game_slug=slug, game_category=category)

    assert found == weight


@pytest.mark.parametrize("weights", [{}, {"table": 10}, {"games": {}}, {"games": None}])
def test_what_nobody_named_counts_nothing(weights: dict[str, Any]) -> None:
    assert weight_of(game_contribution=weights, game_slug="a", game_category="slots") == 0


@pytest.mark.parametrize(
    ("stake", "weight", "counted"),
    [
        ("100.00", "5", "5"),
        ("100.00", "0", "0"),
        ("100.00", "100", "100"),
        ("0.00000001", "50", "0"),
        ("0.00000003", "50", "0.00000002"),
        ("0.00000005", "50", "0.00000002"),
    ],
)
def test_a_weight_is_a_percentage_of_the_stake_rounded_half_even(
    stake: str, weight: str, counted: str
) -> None:
    found = weighted_amount_of(stake=Decimal(stake), weight=Decimal(weight))

    assert found == Decimal(counted)


@given(st.data(), currencies)
def test_more_staked_never_counts_less(data: st.DataObject, currency: Currency) -> None:
    weight = Decimal(data.draw(st.integers(min_value=0, max_value=100)))
    less, more = sorted(data.draw(st.tuples(amounts(currency), amounts(currency))))

    counted = [weighted_amount_of(stake=stake, weight=weight) for stake in (less, more)]

    assert 0 <= counted[0] <= counted[1] <= more


# Max bet


@pytest.mark.parametrize(
    ("stake", "max_bet", "is_over"),
    [
        ("5.00", "5.00", False),
        ("5.01", "5.00", True),
        ("4.99", "5.00", False),
        ("5", "5.00000000", False),
        ("1000000", None, False),
    ],
)
def test_a_stake_that_equals_the_maximum_is_fine(
    stake: str, max_bet: str | None, is_over: bool
) -> None:
    most = None if max_bet is None else Decimal(max_bet)

    assert is_over_max_bet(stake=Decimal(stake), max_bet=most) is is_over


# Who pays


@given(st.data(), currencies)
def test_the_parts_of_a_stake_are_all_of_it_or_all_there_is(
    data: st.DataObject, currency: Currency
) -> None:
    stake = data.draw(amounts(currency, least=1))
    main, *bonuses = data.draw(st.lists(amounts(currency), min_size=1, max_size=5))

    parts = split_stake(stake=stake, main=main, bonuses=bonuses)

    assert sum(parts) == min(stake, sum([main, *bonuses]))
    assert all(0 <= part <= held for part, held in zip(parts, [main, *bonuses], strict=True))
    # Nobody pays before those in front of it have paid all that they hold.
    for number, part in enumerate(parts):
        if part:
            assert parts[:number] == [main, *bonuses][:number]


# Who is paid


@given(st.data(), currencies)
def test_the_parts_of_a_payout_are_all_of_it_in_minor_units(
    data: st.DataObject, currency: Currency
) -> None:
    payout = data.draw(amounts(currency))
    stakes = data.draw(
        st.lists(amounts(currency), min_size=1, max_size=5).filter(lambda parts: sum(parts) > 0)
    )

    parts = split_payout(payout=payout, stake_parts=stakes, currency=currency)

    assert sum(parts) == payout
    assert all(has_only_minor_units(part, currency) for part in parts)
    assert all(part == 0 for part, stake in zip(parts, stakes, strict=True) if stake == 0)
    # None is further from its exact share than one minor unit.
    unit, whole = Fraction(currency.minor_unit), sum(map(Fraction, stakes))
    for part, stake in zip(parts, stakes, strict=True):
        assert abs(Fraction(part) - Fraction(payout) * Fraction(stake) / whole) < unit


@pytest.mark.parametrize(
    ("currency", "payout", "stakes", "parts"),
    [
        ("EUR", "10.00", ["1.00", "1.00", "1.00"], ["3.34", "3.33", "3.33"]),
        ("EUR", "0.01", ["1.00", "2.00"], ["0", "0.01"]),
        ("JPY", "100", ["1", "2"], ["33", "67"]),
        ("BTC", "0.00000001", ["0.5", "0.4"], ["0.00000001", "0"]),
        ("EUR", "25.00", ["0", "10.00"], ["0", "25.00"]),
    ],
)
def test_a_payout_is_split_by_largest_remainder(
    currency: str, payout: str, stakes: list[str], parts: list[str]
) -> None:
    found = split_payout(
        payout=Decimal(payout),
        stake_parts=[Decimal(stake) for stake in stakes],
        currency=get_currency(currency),
    )

    assert found == [Decimal(part) for part in parts]


# Release


@pytest.mark.parametrize(
    ("bonus", "cap", "currency", "limit"),
    [
        ("10.00", None, "EUR", None),
        ("10.00", "50.00", "EUR", "60.00"),
        ("10.00", "0", "EUR", "10.00"),
        ("10.00", "50.00999999", "EUR", "60.00"),
        ("1000", "33.9", "JPY", "1033"),
        ("0.00000001", "0.00000001", "BTC", "0.00000002"),
        ("10.00", "99999999999999999989.99", "EUR", "99999999999999999999.99"),
        # Beyond any amount there is: it caps nothing.
        ("10.00", "99999999999999999990.00", "EUR", None),
        ("99999999999999999999.99", "99999999999999999999.99", "EUR", None),
    ],
)
def test_the_most_that_is_released_is_bonus_and_cap_in_minor_units(
    bonus: str, cap: str | None, currency: str, limit: str | None
) -> None:
    found = release_limit(
        bonus_amount=Decimal(bonus),
        max_win_cap=None if cap is None else Decimal(cap),
        currency=get_currency(currency),
    )

    assert found == (None if limit is None else Decimal(limit))


@given(st.data(), currencies)
def test_a_release_is_all_of_it_and_never_above_the_limit(
    data: st.DataObject, currency: Currency
) -> None:
    total = data.draw(amounts(currency))
    limit = data.draw(st.none() | amounts(currency))

    release = split_release(total=total, limit=limit)

    assert release.main + release.excess == total
    assert min(release.main, release.excess) >= 0
    assert limit is None or release.main <= limit


@given(st.data(), currencies)
def test_it_does_not_matter_whether_a_bet_is_paid_before_or_after_the_release(
    data: st.DataObject, currency: Currency
) -> None:
    total, later = data.draw(st.tuples(amounts(currency), amounts(currency)))
    limit = data.draw(st.none() | amounts(currency))
    first = split_release(total=total, limit=limit)
    change = change_release(total=total, change=later, limit=limit)

    at_once = split_release(total=total + later, limit=limit)
    assert first.main + change.main == at_once.main
    assert first.excess + change.excess == at_once.excess
    assert min(change.main, change.excess) >= 0


@given(st.data(), currencies)
def test_what_is_changed_and_changed_back_is_as_it_was(
    data: st.DataObject, currency: Currency
) -> None:
    total, change = data.draw(st.tuples(amounts(currency), amounts(currency)))
    limit = data.draw(st.none() | amounts(currency))
    there = change_release(total=total, change=change, limit=limit)
    back = change_release(total=total + change, change=-change, limit=limit)

    assert (there.main + back.main, there.excess + back.excess) == (0, 0)
