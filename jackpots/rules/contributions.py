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


@dataclass(frozen=True, slots=True)
class UsdRates:
    """US dollars for one unit of each currency that a player-funded contribution meets."""

    wager: Decimal
    wallet: Decimal
    instance: Decimal


def operator_funded_amount(
    terms: ContributionTerms, *, base_wager: Decimal, rate: Decimal
) -> Decimal:
    """
    Return the contribution in the instance's currency, rounded once, half-even, to 8 decimals.

    ``rate`` is units of the instance's currency for one unit of the wager's. A wager of
    zero is participation without money, whatever the terms.
    """
    assert base_wager >= 0, f"base wager of {base_wager}"
    if base_wager == 0:
        return Decimal(0)
    if terms.type == ContributionType.FIXED:
        assert terms.amount is not None, "fixed terms without an amount"
        return terms.amount
    return money.round_half_even(_percentage(terms, EXACT.multiply(base_wager, rate)))


@dataclass(frozen=True, slots=True)
class PlayerFundedAmount:
    """What the player pays in the wallet's currency, and what that adds to the meters."""

    debit: Decimal
    amount: Decimal


def player_funded_amount(
    terms: ContributionTerms, *, base_wager: Decimal, rates: UsdRates, wallet: Currency
) -> PlayerFundedAmount:
    """
    Return what is debited and what is metered (API.md, settled details: jackpots).

    The debit is rounded down to the decimals the wallet has, and exactly that reaches the
    meters. It is computed through US dollars without rounding on the way: a rate that was
    rounded before could cost a player, or save one, the last minor unit.
    """
    assert base_wager >= 0, f"base wager of {base_wager}"
    if base_wager == 0:
        return PlayerFundedAmount(debit=Decimal(0), amount=Decimal(0))
    if terms.type == ContributionType.FIXED:
        assert terms.amount is not None, "fixed terms without an amount"
        wanted_usd = EXACT.multiply(terms.amount, rates.instance)
    else:
        wanted_usd = _percentage(terms, EXACT.multiply(base_wager, rates.wager))
    debit = money.round_down(EXACT.divide(wanted_usd, rates.wallet), wallet)
    into_instance = money.cross_rate(rates.wallet, rates.instance)
    return PlayerFundedAmount(debit=debit, amount=money.convert(debit, into_instance))


def _percentage(terms: ContributionTerms, wager: Decimal) -> Decimal:
    assert terms.percent is not None, "percent terms without a percentage"
    return EXACT.divide(EXACT.multiply(wager, terms.percent), _HUNDRED)


def split_over_pots(amount: Decimal, shares: Sequence[Decimal]) -> list[Decimal]:
    """Split a contribution over the pots, ties in their order; the parts sum to it."""
    if len(shares) == 1:
        return [amount]
    return money.split(amount, shares)


def is_open(*, opens_at: datetime | None, closes_at: datetime | None, now: datetime) -> bool:
    """Tell whether ``now`` is inside the schedule; the upper bound is exclusive."""
    return (opens_at is None or opens_at <= now) and (closes_at is None or now < closes_at)
