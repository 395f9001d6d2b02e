"""The arithmetic of drops: nothing is lost, chances are what they are said to be."""

import hashlib
import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import AMOUNT_LIMIT, EXACT, QUANTUM, Currency, get_currency, has_only_minor_units
from jackpots.enums import Recurrence
from jackpots.rules.drops import (
    commitment,
    draw_trigger,
    drop_after,
    is_hit,
    pay_out,
    seed_from,
)

amounts = st.decimals(min_value=0, max_value=Decimal(10) ** 19, places=8)
meters = st.decimals(min_value=0, max_value=Decimal(10) ** 29, places=8)
caps = st.none() | st.decimals(min_value=QUANTUM, max_value=Decimal(10) ** 19, places=8)
currencies = st.sampled_from(["EUR", "JPY", "KWD", "BTC"]).map(get_currency)


@given(accrued=meters, cap=caps, currency=currencies)
def test_what_is_won_and_what_remains_is_what_has_accrued(
    accrued: Decimal, cap: Decimal | None, currency: Currency
) -> None:
    payout = pay_out(accrued, cap=cap, currency=currency)

    assert EXACT.add(payout.amount, payout.remainder) == accrued
    assert 0 <= payout.amount < AMOUNT_LIMIT
    assert payout.remainder >= 0
    assert cap is None or payout.amount <= cap
    assert has_only_minor_units(payout.amount, currency)
    # And no more than that is kept from the winner.
    if cap is None and accrued < AMOUNT_LIMIT - 1:
        assert payout.remainder < currency.minor_unit


@given(reserve=meters, seed=amounts)
def test_a_seed_is_paid_by_the_reserve_first_and_whole(reserve: Decimal, seed: Decimal) -> None:
    seeding = seed_from(reserve, seed=seed)

    assert seeding.from_reserve + seeding.from_house == seed
    assert seeding.from_reserve == min(reserve, seed)


@given(above=amounts, room=amounts, data=st.data())
def test_a_hidden_amount_is_above_the_opening_and_not_above_its_limit(
    above: Decimal, room: Decimal, data: st.DataObject
) -> None:
    trigger = draw_trigger(
        above=above, up_to=above + room, randbelow=lambda n: data.draw(st.integers(0, n - 1))
    )

    assert above < trigger <= above + room or room == 0 == trigger - above
    assert trigger == trigger.quantize(QUANTUM)


def test_every_amount_between_is_as_likely_as_any_other() -> None:
    drawn = [
        draw_trigger(above=Decimal(1), up_to=Decimal(1) + 3 * QUANTUM, randbelow=lambda n, k=k: k)
        for k in range(3)
    ]

    assert drawn == [1 + QUANTUM, 1 + 2 * QUANTUM, 1 + 3 * QUANTUM]


def test_hits_are_as_frequent_as_their_chance_says() -> None:
    dice = random.Random(20260329)
    draws = 20_000
    chances = [Decimal("0.01"), Decimal("0.1"), Decimal("0.5")]

    squares = 0.0
    for chance in chances:
        hits = sum(
            is_hit(probability=chance / 10, wager=Decimal(10), randbelow=dice.randrange)
            for _ in range(draws)
        )
        expected = draws * float(chance)
        squares += (hits - expected) ** 2 / (expected * (1 - float(chance)))

    # Three degrees of freedom: one in a thousand lies above. With this seed none does.
    assert squares < 16.27


def test_a_wager_of_nothing_never_hits_and_one_beyond_certainty_always() -> None:
    assert not is_hit(probability=Decimal(1), wager=Decimal(0), randbelow=lambda n: 0)
    assert is_hit(probability=Decimal("0.5"), wager=Decimal(9), randbelow=lambda n: n - 1)
    # The chance itself is not hit: 0 to just below it is.
    half = {"probability": Decimal("0.5"), "wager": Decimal(1)}
    assert is_hit(**half, randbelow=lambda n: n // 2 - 1)
    assert not is_hit(**half, randbelow=lambda n: n // 2)


def test_a_commitment_is_the_digest_of_what_is_revealed() -> None:
    published = commitment(pot_id=7, cycle=3, trigger="12.50", nonce="ab")

    assert published == hashlib.sha256(b"7:3:12.50:ab").hexdigest()


@pytest.mark.parametrize(
    ("recurrence", "after", "next_at"),
    [
        (Recurrence.DAILY, (2, 1, 11), (2, 2, 11)),
        (Recurrence.WEEKLY, (2, 1, 12), (2, 7, 11)),
        (Recurrence.MONTHLY, (1, 31, 11), (2, 28, 11)),
        (Recurrence.MONTHLY, (2, 28, 11), (3, 31, 10)),
    ],
)
def test_the_next_drop_is_whole_periods_from_the_first(
    recurrence: Recurrence, after: tuple[int, ...], next_at: tuple[int, ...]
) -> None:
    anchor = datetime(2026, 1, 31, 11, tzinfo=UTC)

    found = drop_after(
        anchor, recurrence, after=datetime(2026, *after, tzinfo=UTC), timezone="Europe/Berlin"
    )

    assert found == datetime(2026, *next_at, tzinfo=UTC)
