"""rules.draws: winners and amounts follow from what is published, and every ticket counts once."""

import hashlib
import hmac
import random
import tracemalloc
from collections import Counter
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from core.money import get_currency
from jackpots.rules.draws import (
    Entry,
    PrizeRow,
    Winner,
    award_prizes,
    commitment_of,
    digest_entries,
    draw_winners,
)

DRAW_ID = UUID("019a5e80-3c4e-7e5f-8a6b-7c8d9e0f1a2b")
EUR = get_currency("EUR")

entries_lists = st.lists(st.integers(1, 6), max_size=12).map(
    lambda tickets: [Entry(f"p{number:02}", count) for number, count in enumerate(tickets)]
)
prize_rows = st.builds(
    PrizeRow,
    name=st.just("prize"),
    amount=st.just(Decimal(1)),
    count=st.integers(1, 6),
    min_tickets=st.integers(1, 4),
)
seeds = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")


def walk(entries: list[Entry], prizes: list[PrizeRow], seed: str) -> list[Winner]:
    """Draw as the rule is told: walk the eligible in order, and nothing clever."""
    remaining = [entry.tickets for entry in entries]
    winners, counter = [], 0
    for prize_number, prize in enumerate(prizes):
        for _ in range(prize.count):
            eligible = [
                n for n, e in enumerate(entries) if e.tickets >= prize.min_tickets and remaining[n]
            ]
            total = sum(remaining[n] for n in eligible)
            if total == 0:
                continue
            while True:
                message = f"{DRAW_ID}:{counter}".encode()
                value = int.from_bytes(hmac.digest(seed.encode(), message, "sha256"), "big")
                counter += 1
                if value < 2**256 - 2**256 % total:
                    break
            ticket = value % total
            for holder in eligible:
                if ticket < remaining[holder]:
                    break
                ticket -= remaining[holder]
            remaining[holder] -= 1
            winners.append(Winner(prize=prize_number, entry=holder, counter=counter - 1))
    return winners


@given(entries=entries_lists, prizes=st.lists(prize_rows, max_size=4), seed=seeds)
def test_winners_are_those_of_the_walk(
    entries: list[Entry], prizes: list[PrizeRow], seed: str
) -> None:
    winners = draw_winners(entries, prizes, seed=seed, draw_id=DRAW_ID)

    assert winners == walk(entries, prizes, seed)
    won = Counter(winner.entry for winner in winners)
    assert all(count <= entries[entry].tickets for entry, count in won.items())
    assert all(
        entries[winner.entry].tickets >= prizes[winner.prize].min_tickets for winner in winners
    )


@given(
    shares=st.lists(st.decimals("0.01", "0.2", places=8), max_size=5),
    amounts=st.lists(st.decimals("0.01", "50", places=2), max_size=5),
    pot=st.decimals("0", "1000", places=8),
)
def test_what_is_given_and_what_is_left_is_the_pot_and_the_top_up(
    shares: list[Decimal], amounts: list[Decimal], pot: Decimal
) -> None:
    prizes = [PrizeRow("share", share=share) for share in shares]
    prizes += [PrizeRow("amount", amount=amount) for amount in amounts]
    winners = [Winner(prize=number, entry=0, counter=0) for number in range(len(prizes))]

    award = award_prizes(winners, prizes, pot=pot, currency=EUR)

    assert sum(award.amounts) + award.left == pot + award.top_up
    assert not (award.top_up and award.left)
    assert list(award.amounts[len(shares) :]) == amounts
    for share, amount in zip(shares, award.amounts[: len(shares)], strict=True):
        assert amount <= share * pot < amount + EUR.minor_unit


def test_what_is_hashed_is_what_the_documents_say() -> None:
    seed = "5eed" * 16
    entries = [Entry("ada", 3), Entry("bob", 1)]

    assert commitment_of(seed) == hashlib.sha256(b"5eed" * 16).hexdigest()
    assert digest_entries(entries) == hashlib.sha256(b"ada\t3\nbob\t1\n").hexdigest()


def test_tickets_win_as_often_as_there_are_of_them() -> None:
    """Pearson's chi-square over 20 000 draws of a fixed seed, by hand."""
    tickets = [1, 2, 3, 5, 8, 13, 21]
    entries = [Entry(f"p{number}", count) for number, count in enumerate(tickets)]
    dice = random.Random(20261128)
    draws = 20_000

    won = Counter(
        draw_winners(
            entries,
            [PrizeRow("one", share=Decimal(1))],
            seed=f"{dice.getrandbits(256):064x}",
            draw_id=DRAW_ID,
        )[0].entry
        for _ in range(draws)
    )

    expected = [draws * count / sum(tickets) for count in tickets]
    chi_square = sum((won[n] - mean) ** 2 / mean for n, mean in enumerate(expected))
    # 6 degrees of freedom: an even draw stays below 22.46 in 999 of 1000 seeds.
    assert chi_square < 22.46
    # Control: had every player one ticket, however many they have, it would show.
    skewed = sum((draws / len(tickets) - mean) ** 2 / mean for mean in expected)
    assert skewed > 1000


def test_many_prizes_among_many_entries_are_given_each_to_a_ticket() -> None:
    entries = [Entry(f"p{number:06}", 1 + number % 7) for number in range(100_000)]
    prizes = [
        PrizeRow("first", amount=Decimal(1), count=500, min_tickets=7),
        PrizeRow("second", amount=Decimal(1), count=500),
    ]

    winners = draw_winners(entries, prizes, seed="5eed" * 16, draw_id=DRAW_ID)

    assert len(winners) == 1000
    assert {entries[winner.entry].tickets for winner in winners[:500]} == {7}


def peak_of_drawing(*, minimums: int) -> int:
    """Return the most bytes that drawing forty prizes with so many minimums takes at once."""
    entries = [Entry(f"p{number:04}", 1000 + number % 500) for number in range(5_000)]
    prizes = [
        PrizeRow("one", amount=Decimal(1), min_tickets=1000 + number % minimums)
        for number in range(40)
    ]
    tracemalloc.start()
    try:
        draw_winners(entries, prizes, seed="5eed" * 16, draw_id=DRAW_ID)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_many_minimums_do_not_multiply_the_entries_in_memory() -> None:
    # While a hat takes the place of another one there are two.
    assert peak_of_drawing(minimums=40) < 3 * peak_of_drawing(minimums=1)
