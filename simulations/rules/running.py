"""
Running a scenario: players in batches, each with random numbers of its own.

How much is calculated depends on the scenario alone, never on the clock: the same scenario
with the same seed has the same answer on every machine.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from simulations.enums import Outcome
from simulations.rules.odds import Odds
from simulations.rules.pace import BETS_MAX, DAY_S, Pace
from simulations.rules.play import OUTCOMES, ROUND_WORK, Milestones, Paths, Purses, Table, released
from simulations.rules.position import Position
from simulations.rules.scenario import Scenario

#: How much one simulation calculates, in bets of one player; no batch is begun beyond.
WORK_MAX = 80_000_000
# A batch is so large that it stays within the work if everybody wagers what is required.
_BATCH_MIN = 500
_MARGIN = 1.1
#: The players with whom larger requirements are tried, and up to which multiple at least.
TRIED_PLAYERS = 2_000
TRIED_WORK_MAX = 30_000_000
TRIED_MULTIPLE_MIN = 60
_TRIED_TIMES = 2
_STEPS = 24
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class CostAt:
    """
    What a player costs on average if the bonus had to be wagered ``multiple`` times.

    Where nobody would have finished, it costs what is left to players who did not.
    """

    multiple: float
    cost: float
    is_finished: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """How many bets a player has time for, and how it is called if that was not enough."""

    bets: int
    at_end: Outcome
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Run:
    """The paths of all players, and what they would have cost at other requirements."""

    paths: Paths
    span: Span
    costs: list[CostAt]


def span_of(*, position: Position, scenario: Scenario) -> Span:
    """Return how long players play."""
    pace = pace_of(scenario)
    horizon_s = scenario.horizon_days * DAY_S
    limit_s = position.time_limit_s
    is_limited = limit_s is not None and limit_s <= horizon_s
    bets = pace.bets_before(limit_s if limit_s is not None and is_limited else horizon_s)
    if bets > BETS_MAX:
        return Span(BETS_MAX, Outcome.OPEN, is_cut=True)
    return Span(bets, Outcome.EXPIRED if is_limited else Outcome.OPEN, is_cut=False)


def pace_of(scenario: Scenario) -> Pace:
    """Return the pace of the players."""
    return Pace(scenario.bets_per_hour, scenario.hours_per_day)


def run_scenario(*, position: Position, odds: Odds | None, scenario: Scenario) -> Run:
    """Play the scenario; without odds nobody places a bet."""
    span = span_of(position=position, scenario=scenario)
    if odds is None:
        is_limited = position.time_limit_s is not None
        span = Span(0, Outcome.EXPIRED if is_limited else Outcome.OPEN, is_cut=False)
    if position.required == 0 or odds is None:
        paths = _without_bets(position, scenario.players, span)
        costs = [_cost_at_once(position)]
    else:
        progress = _steps_between(0, position.required)[1:]
        milestones = Milestones.at(progress)
        paths = _play(
            position, odds, scenario, span, milestones, scenario.players, WORK_MAX, stream=0
        )
        costs = [_cost_at_once(position), *_costs(position, milestones, len(paths.value))]
    return Run(paths, span, costs)


def try_larger_requirements(*, position: Position, odds: Odds, scenario: Scenario) -> list[CostAt]:
    """Return what fewer players cost at requirements from the one of the terms upwards."""
    assert position.bonus_progress, "no bonus to wager"
    most = max(_TRIED_TIMES * position.required, TRIED_MULTIPLE_MIN * position.bonus_progress)
    milestones = Milestones.at(_steps_between(position.required, most)[1:])
    players = min(TRIED_PLAYERS, scenario.players)
    span = span_of(position=position, scenario=scenario)
    paths = _play(position, odds, scenario, span, milestones, players, TRIED_WORK_MAX, stream=1)
    return _costs(position, milestones, len(paths.value))


def break_even_of(*, costs: Sequence[CostAt], acceptable: float) -> float | None:
    """
    Return the multiple from which on the bonus costs what is acceptable, or null.

    What nobody can finish says nothing of what is before it: cost does not fall towards it, it
    falls away.
    """
    before: CostAt | None = None
    for each in costs:
        if each.cost <= acceptable:
            if not each.is_finished:
                return None
            if before is None or before.cost == each.cost:
                return each.multiple
            share = (before.cost - acceptable) / (before.cost - each.cost)
            return before.multiple + share * (each.multiple - before.multiple)
        before = each
    return None


def is_unfinished_only(*, costs: Sequence[CostAt], acceptable: float) -> bool:
    """Tell whether the cost is acceptable only because nobody can finish."""
    first = next((each for each in costs if each.cost <= acceptable), None)
    return first is not None and not first.is_finished


def _play(
    position: Position,
    odds: Odds,
    scenario: Scenario,
    span: Span,
    milestones: Milestones,
    players: int,
    work_max: int,
    *,
    stream: int,
) -> Paths:
    """Play batch after batch, until all have played or the work is done."""
    size = _batch_of(odds, span, milestones, work_max)
    found: list[Paths] = []
    done = work = 0
    while done < players and work < work_max:
        seed = np.random.SeedSequence(scenario.seed, spawn_key=(stream, len(found)))
        table = Table(
            position=position,
            odds=odds,
            pace=pace_of(scenario),
            milestones=milestones,
            players=min(size, players - done),
            random=np.random.Generator(np.random.PCG64(seed)),
        )
        table.end_who_cannot_bet()
        paths = table.play(
            bets=span.bets,
            gives_up_per_day=float(scenario.gives_up_per_day),
            at_end=span.at_end,
        )
        found.append(paths)
        done += len(paths.value)
        work += paths.work
    return Paths(
        outcome=np.concatenate([paths.outcome for paths in found]),
        value=np.concatenate([paths.value for paths in found]),
        returned=np.concatenate([paths.returned for paths in found]),
        bets=np.concatenate([paths.bets for paths in found]),
        turnover=np.concatenate([paths.turnover for paths in found]),
        work=work,
    )


def _batch_of(odds: Odds, span: Span, milestones: Milestones, work_max: int) -> int:
    """Return how many players can wager what is required within the work."""
    wagering = math.inf
    if odds.mean_progress:
        wagering = int(milestones.progress[-1]) / odds.mean_progress
    rounds = max(int(min(span.bets, _MARGIN * wagering)), 1)
    return max(_BATCH_MIN, work_max // rounds - ROUND_WORK)


def _without_bets(position: Position, players: int, span: Span) -> Paths:
    """Return the paths of players who bet nothing: they are through at once, or never."""
    is_through = position.required == 0
    purses = Purses.of(position, players)
    all_of_it = purses.main + purses.bonus
    if is_through:
        value = released(position, purses.main, purses.bonus)
    else:
        value = np.full(players, position.own_money, dtype=np.int64)
    outcome = OUTCOMES.index(Outcome.COMPLETED if is_through else span.at_end)
    nothing = np.zeros(players, dtype=np.int64)
    return Paths(
        outcome=np.full(players, outcome, dtype=np.int8),
        value=value,
        returned=all_of_it - value,
        bets=nothing,
        turnover=nothing,
        work=0,
    )


def _cost_at_once(position: Position) -> CostAt:
    purses = Purses.of(position, 1)
    value = int(released(position, purses.main, purses.bonus)[0])
    return CostAt(0.0, float(value - position.own_money))


def _costs(position: Position, milestones: Milestones, players: int) -> list[CostAt]:
    if not position.bonus_progress:
        return []
    return [
        CostAt(
            multiple=int(progress) / position.bonus_progress,
            cost=int(value) / players - position.own_money,
            is_finished=bool(finishers),
        )
        for progress, value, finishers in zip(
            milestones.progress, milestones.values(), milestones.finishers, strict=True
        )
    ]


def _steps_between(least: int, most: int) -> list[int]:
    """Return both and evenly spaced steps between them, none twice."""
    return sorted({least + (most - least) * step // _STEPS for step in range(_STEPS + 1)})
