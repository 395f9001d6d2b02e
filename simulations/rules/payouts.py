"""
What games pay: named tables of multiples of the stake, each with its probability.

A table is written for a fair game, one that pays back what is staked. At an RTP below 1
every win is that much rarer and no win is smaller, so the RTP is exact whatever the table:
with S the mean square of the fair table, the variance at an RTP of r is r × S − r².
"""

from dataclasses import dataclass
from decimal import Decimal

from core.money import EXACT
from simulations.enums import Volatility

_ONE = Decimal(1)
_ZERO = Decimal(0)

#: Multiple of the stake, and how probable it is in a fair game; otherwise nothing is paid.
FAIR_WINS: dict[Volatility, tuple[tuple[Decimal, Decimal], ...]] = {
    volatility: tuple((Decimal(multiple), Decimal(probability)) for multiple, probability in wins)
    for volatility, wins in {
        Volatility.LOW: (
            ("0.5", "0.2"),
            ("1", "0.15"),
            ("2", "0.2"),
            ("5", "0.05"),
            ("10", "0.01"),
        ),
        Volatility.MEDIUM: (
            ("0.5", "0.14"),
            ("1", "0.1"),
            ("2", "0.1"),
            ("5", "0.05"),
            ("20", "0.01"),
            ("100", "0.0013"),
            ("500", "0.0001"),
        ),
        Volatility.HIGH: (
            ("0.5", "0.08"),
            ("1", "0.07"),
            ("2", "0.07"),
            ("5", "0.03"),
            ("20", "0.009"),
            ("100", "0.0017"),
            ("1000", "0.00015"),
            ("5000", "0.00002"),
        ),
    }.items()
}
#: No table pays more than so many times the stake.
MULTIPLE_MAX = 5_000


@dataclass(frozen=True, slots=True)
class Win:
    """What a bet may pay, as a multiple of its stake, and how probable that is."""

    multiple: Decimal
    probability: Decimal


def wins_of(*, volatility: Volatility, rtp: Decimal) -> tuple[Win, ...]:
    """Return everything that a bet may pay at an RTP from 0 to 1, nothing included."""
    assert _ZERO <= rtp <= _ONE, f"an RTP of {rtp}"
    if volatility == Volatility.NONE:
        return (Win(rtp, _ONE),)
    wins = [
        Win(multiple, EXACT.multiply(probability, rtp))
        for multiple, probability in FAIR_WINS[volatility]
    ]
    lost = _ONE - sum((win.probability for win in wins), _ZERO)
    return (Win(_ZERO, lost), *wins)


def variance_of(*, volatility: Volatility, rtp: Decimal) -> Decimal:
    """Return the variance of what a stake of 1 pays, exactly."""
    square = sum(
        (
            EXACT.multiply(EXACT.multiply(win.multiple, win.multiple), win.probability)
            for win in wins_of(volatility=volatility, rtp=rtp)
        ),
        _ZERO,
    )
    return EXACT.subtract(square, EXACT.multiply(rtp, rtp))
