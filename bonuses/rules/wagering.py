"""The arithmetic of bonus play: what counts, who pays a stake, who gets a payout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money
from core.money import AMOUNT_DECIMALS, AMOUNT_LIMIT, EXACT, Currency

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)

#: The keys of a grant's ``game_contribution`` that are no category.
GAMES, DEFAULT = "games", "default"


def weight_of(
    *, game_contribution: Mapping[str, Any], game_slug: str, game_category: str
) -> Decimal:
    """Return the percentage of a stake that counts: by game, else category, else default."""
    games: Mapping[str, Any] = game_contribution.get(GAMES) or {}
    for weights, key in (
        (games, game_slug),
        (game_contribution, game_category),
        (game_contribution, DEFAULT),
    ):
        if key in weights:
            return Decimal(str(weights[key]))
    return _ZERO


def weighted_amount_of(*, stake: Decimal, weight: Decimal) -> Decimal:
    """Return what of ``stake`` counts at ``weight`` percent, half-even to 8 decimals."""
    return money.round_half_even(EXACT.divide(EXACT.multiply(stake, weight), _HUNDRED))


def is_over_max_bet(*, stake: Decimal, max_bet: Decimal | None) -> bool:
    """Tell whether a stake forfeits; one that equals the maximum does not."""
    return max_bet is not None and stake > max_bet


def split_stake(*, stake: Decimal, main: Decimal, bonuses: Sequence[Decimal]) -> list[Decimal]:
    """
    Return who pays the stake: the main balance first, then the bonuses in their order.

    The first part is the main balance's. The parts sum to the stake, or to everything there
    is if that is less.
    """
    parts, left = [], stake
    for held in (main, *bonuses):
        part = min(held, left)
        parts.append(part)
        left = EXACT.subtract(left, part)
    return parts


def split_payout(
    *, payout: Decimal, stake_parts: Sequence[Decimal], currency: Currency
) -> list[Decimal]:
    """
    Split a payout in proportion to who paid the stake, in minor units of the currency.

    By largest remainder, ties in the order of the parts: the parts always sum to the payout.
    """
    # money.split deals out the least unit that can be stored: to that unit is scaled.
    shift = AMOUNT_DECIMALS - currency.decimals
    parts = money.split(payout.scaleb(-shift, context=EXACT), stake_parts)
    return [part.scaleb(shift, context=EXACT) for part in parts]


@dataclass(frozen=True, slots=True)
class Release:
    """What of a completed bonus is the player's, and what the win cap holds back."""

    main: Decimal
    excess: Decimal


def release_limit(
    *, bonus_amount: Decimal, max_win_cap: Decimal | None, currency: Currency
) -> Decimal | None:
    """
    Return the most that a bonus releases, winnings included; None if nothing caps it.

    A cap that is beyond any amount that can be stored cannot be reached: it is no cap.
    """
    if max_win_cap is None:
        return None
    most = EXACT.add(bonus_amount, max_win_cap)
    if most >= AMOUNT_LIMIT:
        return None
    # Down: a player holds minor units only, and the cap is not to be passed.
    return money.round_down(most, currency)


def split_release(*, total: Decimal, limit: Decimal | None) -> Release:
    """Return how what a bonus came to is released: up to the limit, the rest held back."""
    main = total if limit is None else min(total, limit)
    return Release(main=main, excess=EXACT.subtract(total, main))


def change_release(*, total: Decimal, change: Decimal, limit: Decimal | None) -> Release:
    """
    Return what more is released, or below zero taken back, if the total changes.

    So it never matters whether a bet was paid before or after the bonus was completed.
    """
    before = split_release(total=total, limit=limit)
    after = split_release(total=EXACT.add(total, change), limit=limit)
    return Release(
        main=EXACT.subtract(after.main, before.main),
        excess=EXACT.subtract(after.excess, before.excess),
    )
