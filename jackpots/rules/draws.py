"""
The draw of a raffle: who wins, and how much. A function of what is published, nothing else.

docs/draws.md says the same in words, and docs/verify_draw.py in forty lines; all three
must agree for ever, so a change here is a new algorithm with a name of its own.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import groupby
from uuid import UUID

from core.money import EXACT, Currency, round_down

ALGORITHM = "hmac-sha256-rejection-1"
_SPAN = 1 << 256


@dataclass(frozen=True, slots=True)
class Entry:
    """A player and their tickets; the order of entries is part of the draw."""

    player: str
    tickets: int


@dataclass(frozen=True, slots=True)
class PrizeRow:
    """A prize, drawn ``count`` times: an amount, or a share of the pot."""

    name: str
    amount: Decimal | None = None
    share: Decimal | None = None
    count: int = 1
    min_tickets: int = 1


@dataclass(frozen=True, slots=True)
class Winner:
    """Which entry won which prize (positions in their lists), and by which counter."""

    prize: int
    entry: int
    counter: int


@dataclass(frozen=True, slots=True)
class Award:
    """What the winners get, in their order; what the house adds; what stays in the pot."""

    amounts: tuple[Decimal, ...]
    top_up: Decimal
    left: Decimal


#: What a raffle without prizes draws for.
WHOLE_POT = PrizeRow(name="The whole pot", share=Decimal(1))


def commitment_of(seed: str) -> str:
    """Return the SHA-256 of the seed's text (64 hex digits in ASCII, no line end), in hex."""
    return hashlib.sha256(seed.encode("ascii")).hexdigest()


def digest_entries(entries: Iterable[Entry]) -> str:
    """Return the SHA-256, in hex, of a line for each entry: player, tab, tickets, line feed."""
    digest = hashlib.sha256()
    for entry in entries:
        digest.update(f"{entry.player}\t{entry.tickets}\n".encode())
    return digest.hexdigest()


def draw_winners(
    entries: Sequence[Entry], prizes: Sequence[PrizeRow], *, seed: str, draw_id: UUID
) -> list[Winner]:
    """
    Draw the prizes in their order, each ``count`` times, and return the winners.

    A ticket wins once: the winner of a prize stays in the draw with one ticket less. A
    prize for which nobody is eligible is not given.
    """
    remaining = [entry.tickets for entry in entries]
    winners: list[Winner] = []
    counter = 0
    # Who is eligible differs by the minimum only. One hat at a time: all of them together would
    # hold every entry once for each minimum that there is.
    for min_tickets, alike in groupby(enumerate(prizes), key=lambda row: row[1].min_tickets):
        hat = _Hat(
            left if entry.tickets >= min_tickets else 0
            for entry, left in zip(entries, remaining, strict=True)
        )
        for prize_number, prize in alike:
            for _ in range(prize.count):
                if hat.total == 0:
                    break
                ticket, counter = _draw_below(
                    hat.total, seed=seed, draw_id=draw_id, counter=counter
                )
                entry_number = hat.holder_of(ticket)
                winners.append(Winner(prize=prize_number, entry=entry_number, counter=counter))
                counter += 1
                remaining[entry_number] -= 1
                hat.take_one(entry_number)
    return winners


def award_prizes(
    winners: Sequence[Winner], prizes: Sequence[PrizeRow], *, pot: Decimal, currency: Currency
) -> Award:
    """
    Return what the winners get of ``pot``.

    Shares are of the whole pot, each rounded down to what the currency has. Amounts are
    paid from what is left then, and the house adds what that lacks.
    """
    amounts = []
    for winner in winners:
        prize = prizes[winner.prize]
        if prize.amount is not None:
            amounts.append(prize.amount)
        else:
            assert prize.share is not None, "neither an amount nor a share"
            amounts.append(round_down(EXACT.multiply(prize.share, pot), currency))
    given = reduce(EXACT.add, amounts, Decimal(0))
    return Award(
        amounts=tuple(amounts),
        top_up=max(EXACT.subtract(given, pot), Decimal(0)),
        left=max(EXACT.subtract(pot, given), Decimal(0)),
    )


def _draw_below(total: int, *, seed: str, draw_id: UUID, counter: int) -> tuple[int, int]:
    """Return an even number below ``total``, and the counter that gave it."""
    # The last, incomplete round of 2^256 would favour the first tickets: it is thrown away.
    limit = _SPAN - _SPAN % total
    while True:
        message = f"{draw_id}:{counter}".encode("ascii")
        value = int.from_bytes(hmac.digest(seed.encode("ascii"), message, "sha256"), "big")
        if value < limit:
            return value % total, counter
        counter += 1


class _Hat:
    """
    The tickets of a draw, counted entry by entry in a Fenwick tree.

    Finding the holder of a ticket and taking one out are steps in the logarithm of the
    entries, so many prizes among a million entries are drawn at once.
    """

    def __init__(self, tickets: Iterable[int]) -> None:
        tree = [0, *tickets]
        self.total = sum(tree)
        for node in range(1, len(tree)):
            parent = node + (node & -node)
            if parent < len(tree):
                tree[parent] += tree[node]
        self._tree = tree
        self._top = 1 << (len(tree) - 1).bit_length()

    def holder_of(self, ticket: int) -> int:
        """Return the entry at which a walk in order passes ``ticket``, counted from 0."""
        node, step = 0, self._top
        while step:
            child = node + step
            if child < len(self._tree) and self._tree[child] <= ticket:
                node = child
                ticket -= self._tree[child]
            step >>= 1
        return node

    def take_one(self, entry: int) -> None:
        """Take one ticket of the entry out."""
        self.total -= 1
        node = entry + 1
        while node < len(self._tree):
            self._tree[node] -= 1
            node += node & -node
