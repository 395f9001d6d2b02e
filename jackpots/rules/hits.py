"""Pots that drop by chance: each contribution draws for every one of them."""

from collections.abc import Sequence
from decimal import Decimal

from jackpots.rules.drops import RandBelow, is_hit


def draw_hits(
    probabilities: Sequence[Decimal | None], *, wagered: Decimal, randbelow: RandBelow
) -> list[int]:
    """
    Return the positions of the pots that are hit, each drawn for by itself.

    ``probabilities`` are the chances for each unit wagered, in the order of the pots, None
    for a pot that does not drop by chance; ``wagered`` is in the instance's currency.
    """
    return [
        position
        for position, probability in enumerate(probabilities)
        if probability is not None
        and is_hit(probability=probability, wager=wagered, randbelow=randbelow)
    ]
