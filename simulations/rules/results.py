"""What came of a simulation, in amounts, shares and hours."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import numpy.typing as npt

from core import money
from core.money import EXACT, Currency
from simulations.enums import Outcome
from simulations.rules.odds import Choice, Ints
from simulations.rules.play import OUTCOMES
from simulations.rules.position import Position, amount_of
from simulations.rules.running import CostAt, Run, break_even_of, is_unfinished_only, pace_of
from simulations.rules.scenario import Scenario

QUANTILES = ("0.05", "0.25", "0.5", "0.75", "0.95", "0.99")
_BARS_MAX = 30
_POINTS = 40
_SHARE_DECIMALS = 4
_HALF = Decimal("0.5")
_ONE = Decimal(1)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many players end with an amount in [low, high); the last bar has no upper bound."""

    low: Decimal
    high: Decimal | None
    share: Decimal


@dataclass(frozen=True, slots=True)
class Point:
    """What share of all players has completed within so many hours."""

    hours: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class Result:
    """
    The answer. Amounts are in the player's currency and per player; shares are of players.

    ``cost`` is what a player has at the end beyond what they brought: below zero the house
    earns. It is ``booked_cost``, the bonus less what came back of it, less ``margin``, what
    the house won by the bets. ``empty`` is the share of players who end with less than the
    least stake; ``bars`` are the others. Without a ``break_even``, ``is_unfinished_only`` says
    whether the cost is acceptable at larger multiples, but only because nobody can finish.
    """

    currency: str
    bonus: Decimal
    own_money: Decimal
    requirement: Decimal
    requirement_currency: str
    multiple: Decimal | None
    players: int
    bets: int
    cost: Decimal
    standard_error: Decimal
    cost_share: Decimal | None
    acceptable_share: Decimal
    acceptable_cost: Decimal
    cost_quantiles: dict[str, Decimal]
    booked_cost: Decimal
    margin: Decimal
    turnover: Decimal
    turnover_multiple: Decimal | None
    outcomes: dict[Outcome, Decimal]
    completion_hours: dict[str, Decimal] | None
    completions: tuple[Point, ...]
    balance_quantiles: dict[str, Decimal]
    empty: Decimal
    bars: tuple[Bar, ...]
    costs: tuple[tuple[Decimal, Decimal], ...]
    break_even: Decimal | None
    is_unfinished_only: bool


def acceptable_share_of(*, position: Position, scenario: Scenario) -> Decimal:
    """
    Return what the house is ready to pay, as a share of the bonus.

    If nobody says otherwise: nothing where the player brings money of their own, half of a
    bonus that is given and wagered, and all of one that is simply given.
    """
    if scenario.acceptable_share is not None:
        return scenario.acceptable_share
    if position.own_money:
        return _ZERO
    return _HALF if position.required else _ONE


def result_of(
    *,
    position: Position,
    scenario: Scenario,
    choices: Sequence[Choice],
    run: Run,
    costs: Sequence[CostAt],
) -> Result:
    """Return the figures of a run; ``costs`` are those of all requirements that were tried."""
    paths, currency = run.paths, position.currency
    players = len(paths.value)
    cost = paths.value - position.own_money
    booked = position.credited - paths.returned
    share = acceptable_share_of(position=position, scenario=scenario)
    acceptable = share * position.credited
    mean, turnover = _mean(cost), _mean(paths.turnover)
    # Both are rounded before they are subtracted: the three figures add up as they are shown.
    shown_cost, shown_booked = _amount(mean, currency), _amount(_mean(booked), currency)
    least = min((choice.stake for choice in choices), default=1)
    break_even = break_even_of(costs=costs, acceptable=float(acceptable))
    return Result(
        currency=currency.code,
        bonus=amount_of(position.credited, currency),
        own_money=amount_of(position.own_money, currency),
        requirement=position.requirement,
        requirement_currency=position.requirement_currency,
        multiple=None if position.multiple is None else _rounded(position.multiple, 2),
        players=players,
        bets=int(paths.bets.sum()),
        cost=shown_cost,
        standard_error=_amount(Decimal(repr(standard_error_of(cost))), currency),
        cost_share=_rounded(mean / position.credited, 4) if position.credited else None,
        acceptable_share=share,
        acceptable_cost=_amount(acceptable, currency),
        cost_quantiles=_quantiles(cost, currency),
        booked_cost=shown_booked,
        margin=shown_booked - shown_cost,
        turnover=_amount(turnover, currency),
        turnover_multiple=_rounded(turnover / position.credited, 2) if position.credited else None,
        outcomes={
            outcome: _share(int((paths.outcome == number).sum()), players)
            for number, outcome in enumerate(OUTCOMES)
        },
        completion_hours=_completion_hours(run, scenario),
        completions=_completions(run, scenario),
        balance_quantiles=_quantiles(paths.value, currency),
        empty=_share(int((paths.value < least).sum()), players),
        bars=_bars(paths.value, least, currency),
        costs=tuple(
            (_rounded(Decimal(repr(each.multiple)), 2), _amount(Decimal(repr(each.cost)), currency))
            for each in costs
        ),
        break_even=None if break_even is None else _rounded(Decimal(repr(break_even)), 1),
        is_unfinished_only=is_unfinished_only(costs=costs, acceptable=float(acceptable)),
    )


def standard_error_of(values: Ints) -> float:
    """Return how far the mean of ``values`` is likely to be from the true one."""
    if len(values) < 2:
        return 0.0
    return float(values.std(ddof=1)) / math.sqrt(len(values))


def _mean(values: Ints) -> Decimal:
    return EXACT.divide(Decimal(int(values.sum())), Decimal(len(values)))


def _amount(units: Decimal, currency: Currency) -> Decimal:
    """Return minor units, whole or not, as an amount of the currency."""
    exact = units.scaleb(-currency.decimals, context=EXACT)
    return money.quantize(exact, decimals=currency.decimals, rounding=ROUND_HALF_EVEN)


def _rounded(value: Decimal, decimals: int) -> Decimal:
    return money.quantize(value, decimals=decimals, rounding=ROUND_HALF_EVEN)


def _share(count: int, players: int) -> Decimal:
    return _rounded(EXACT.divide(Decimal(count), Decimal(players)), _SHARE_DECIMALS)


def _quantiles(values: Ints, currency: Currency) -> dict[str, Decimal]:
    return {
        share: amount_of(int(value), currency)
        for share, value in zip(QUANTILES, _observed(values), strict=True)
    }


def _observed(values: Ints) -> Ints:
    """Return the quantiles, each a value that some player has."""
    shares = [float(share) for share in QUANTILES]
    return np.quantile(values, shares, method="inverted_cdf").astype(np.int64)


def _hours_to_completion(run: Run, scenario: Scenario) -> npt.NDArray[np.float64]:
    is_completed = run.paths.outcome == OUTCOMES.index(Outcome.COMPLETED)
    return pace_of(scenario).hours_of(run.paths.bets[is_completed])


def _completion_hours(run: Run, scenario: Scenario) -> dict[str, Decimal] | None:
    hours = _hours_to_completion(run, scenario)
    if not len(hours):
        return None
    found = np.quantile(hours, [float(share) for share in QUANTILES], method="inverted_cdf")
    return {
        share: _rounded(Decimal(repr(float(value))), 2)
        for share, value in zip(QUANTILES, found, strict=True)
    }


def _completions(run: Run, scenario: Scenario) -> tuple[Point, ...]:
    hours = np.sort(_hours_to_completion(run, scenario))
    if not len(hours):
        return ()
    players = len(run.paths.value)
    times = np.linspace(0, hours[-1], _POINTS + 1)
    # A hair later, so that what happens at the last instant is not lost by rounding.
    counts = np.searchsorted(hours, times * (1 + 1e-9), side="right")
    return tuple(
        Point(_rounded(Decimal(repr(float(time))), 2), _share(int(count), players))
        for time, count in zip(times, counts, strict=True)
    )


def _bars(values: Ints, least: int, currency: Currency) -> tuple[Bar, ...]:
    """Return a histogram of those who hold the least stake or more, the top 1 % in one bar."""
    held = values[values >= least]
    if not len(held):
        return ()
    top = int(np.quantile(held, 0.99, method="inverted_cdf"))
    width = _plain_step(math.ceil((top + 1) / _BARS_MAX))
    last = top // width + 1
    counts = np.bincount(np.minimum(held // width, last), minlength=last + 1)
    return tuple(
        Bar(
            low=amount_of(number * width, currency),
            high=None if number == last else amount_of((number + 1) * width, currency),
            share=_share(int(count), len(values)),
        )
        for number, count in enumerate(counts)
    )


def _plain_step(least: int) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, … that is not below ``least``."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= least:
                return factor * step
        step *= 10
