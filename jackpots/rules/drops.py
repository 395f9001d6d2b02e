"""
The arithmetic of drops: hidden amounts and chances, what a win pays, what begins anew.

Randomness comes in as ``randbelow`` (secrets.randbelow outside of tests): a function that
returns one of the whole numbers from 0 to its argument, each equally likely, without it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core import money
from core.money import AMOUNT_LIMIT, EXACT, QUANTUM, Currency
from jackpots.enums import Recurrence
from jackpots.rules.recurrence import first_after

RandBelow = Callable[[int], int]

#: Chances are compared on this lattice: finer than anything that could be observed.
_CHANCE_UNITS = 2**128


def draw_trigger(*, above: Decimal, up_to: Decimal, randbelow: RandBelow) -> Decimal:
    """
    Return a hidden amount, uniform over (``above``, ``up_to``] in units of 8 decimals.

    Where there is no room between the two, it is ``up_to``: whatever comes next hits it.
    """
    units = int(EXACT.divide(EXACT.subtract(up_to, above), QUANTUM))
    if units <= 0:
        return up_to
    return EXACT.add(above, EXACT.multiply(QUANTUM, Decimal(randbelow(units) + 1)))


def commitment(*, pot_id: int, cycle: int, trigger: str, nonce: str) -> str:
    """Return what is published of a hidden amount: a SHA-256 in hex, checkable at the win."""
    return hashlib.sha256(f"{pot_id}:{cycle}:{trigger}:{nonce}".encode()).hexdigest()


def is_hit(*, probability: Decimal, wager: Decimal, randbelow: RandBelow) -> bool:
    """
    Draw whether a wager hits: with ``probability`` for each unit, and surely from 1 on.

    ``wager`` is in the instance's currency.
    """
    chance = min(EXACT.multiply(probability, wager), Decimal(1))
    # Drawn for every chance, so that a wager of nothing takes as long as any other.
    return randbelow(_CHANCE_UNITS) < EXACT.multiply(chance, Decimal(_CHANCE_UNITS))


@dataclass(frozen=True, slots=True)
class Payout:
    """What of an accrued pot the winner gets, and what stays for its reserve."""

    amount: Decimal
    remainder: Decimal


def pay_out(accrued: Decimal, *, cap: Decimal | None, currency: Currency) -> Payout:
    """
    Divide what a cycle has accrued: the meter, rounded down, is won; the rest remains.

    The meter never passes ``cap``, nor what a single amount can hold.
    """
    largest = EXACT.subtract(AMOUNT_LIMIT, currency.minor_unit)
    amount = money.round_down(min(accrued, largest if cap is None else min(cap, largest)), currency)
    return Payout(amount=amount, remainder=EXACT.subtract(accrued, amount))


@dataclass(frozen=True, slots=True)
class Seeding:
    """Who pays for a seed."""

    from_reserve: Decimal
    from_house: Decimal


def seed_from(reserve: Decimal, *, seed: Decimal) -> Seeding:
    """Take a seed from the reserve as far as that goes, and the rest from the house."""
    from_reserve = min(reserve, seed)
    return Seeding(from_reserve=from_reserve, from_house=EXACT.subtract(seed, from_reserve))


def drop_after(
    anchor: datetime, recurrence: Recurrence, *, after: datetime, timezone: str
) -> datetime | None:
    """
    Return the first instant after ``after`` that is whole periods from ``anchor``.

    Counted from the anchor in local time, so that neither a short month nor a night in
    which the clocks change leaves a mark on later drops. None if the calendar ends before.
    """
    found = first_after(anchor, recurrence, after=after, periods_min=1, timezone=timezone)
    return None if found is None else found[1]
