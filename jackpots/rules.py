"""The arithmetic of contributions: plain values in, plain values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core import money
from core.money import EXACT, Currency
from jackpots.enums import ContributionType

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class ContributionTerms:
    """What a wager adds to an instance: a fixed amount, or a percentage of it."""

    type: ContributionType
    amount: Decimal | None
    percent: Decimal | None


def exact_contribution(terms: ContributionTerms, *, base_wager: Decimal, rate: Decimal) -> Decimal:
    """
    Return the contribution in the instance's currency, not yet rounded.

    ``rate`` is units of the instance's currency for one unit of the wager's. A wager of
    zero is participation without money, whatever the terms.
    """
    assert base_wager >= 0, f"base wager of {base_wager}"
    if base_wager == 0:
        return Decimal(0)
    if terms.type == ContributionType.FIXED:
        assert terms.amount is not None, "fixed terms without an amount"
        return terms.amount
    assert terms.percent is not None, "percent terms without a percentage"
    wager = EXACT.multiply(base_wager, rate)
    return EXACT.divide(EXACT.multiply(wager, terms.percent), _HUNDRED)


def operator_funded_amount(
    terms: ContributionTerms, *, base_wager: Decimal, rate: Decimal
) -> Decimal:
    """Return the contribution, rounded once, half-even, to 8 decimals."""
    return money.round_half_even(exact_contribution(terms, base_wager=base_wager, rate=rate))


@dataclass(frozen=True, slots=True)
class PlayerFundedAmount:
    """What the player pays in the wallet's currency, and what that adds to the meters."""

    debit: Decimal
    amount: Decimal


def player_funded_amount(
    terms: ContributionTerms,
    *,
    base_wager: Decimal,
    rate: Decimal,
    wallet: Currency,
    wallet_rate: Decimal,
) -> PlayerFundedAmount:
    """
    Return what is debited and what is metered (API.md, settled details: jackpots).

    The debit is rounded down to the decimals the wallet has, and exactly that reaches
    the meters. ``wallet_rate`` is units of the instance's currency for one unit of the
    wallet's: 1 when they are the same.
    """
    wanted = exact_contribution(terms, base_wager=base_wager, rate=rate)
    debit = money.round_down(EXACT.divide(wanted, wallet_rate), wallet)
    return PlayerFundedAmount(debit=debit, amount=money.convert(debit, wallet_rate))


def split_over_pots(amount: Decimal, shares: Sequence[Decimal]) -> list[Decimal]:
    """Split a contribution over the pots, ties in their order; the parts sum to it."""
    return money.split(amount, shares)


def is_open(*, opens_at: datetime | None, closes_at: datetime | None, now: datetime) -> bool:
    """Tell whether ``now`` is inside the schedule; the upper bound is exclusive."""
    return (opens_at is None or opens_at <= now) and (closes_at is None or now < closes_at)
