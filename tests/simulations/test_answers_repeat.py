"""The same seed has the same answer, another seed another; more requirements cost less."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import numpy as np
import pytest

from operators.models import Operator
from simulations.enums import Outcome, Volatility
from simulations.rules import running
from simulations.rules.odds import Odds, list_choices
from simulations.rules.play import ROUND_WORK
from simulations.rules.position import position_of
from simulations.rules.running import (
    CostAt,
    break_even_of,
    is_unfinished_only,
    run_scenario,
    try_larger_requirements,
)
from simulations.services.simulating import simulate_terms
from tests.simulations.scenarios import gift_offer, match_offer, played, result_for, scenario

MIXED = {"volatility": Volatility.MEDIUM, "players": 3_000}


def test_the_same_seed_has_the_same_answer() -> None:
    assert result_for(match_offer(), **MIXED) == result_for(match_offer(), **MIXED)


def test_another_seed_has_another_answer_near_it() -> None:
    first = result_for(match_offer(), **MIXED)
    other = result_for(match_offer(), **MIXED, seed=8)

    assert first.cost != other.cost
    assert abs(first.cost - other.cost) < 5 * (first.standard_error + other.standard_error)


def test_players_beyond_the_work_are_left_out(monkeypatch) -> None:
    monkeypatch.setattr(running, "WORK_MAX", 100_000)

    _position, run, result = played(match_offer(), scenario(volatility=Volatility.LOW))

    # Batches of the smallest size: whoever has begun plays to the end.
    assert result.players == 500
    assert run.paths.work > 100_000


def test_batches_have_random_numbers_of_their_own(monkeypatch) -> None:
    given = scenario(volatility=Volatility.MEDIUM, horizon_days=1)
    # Room for 500 players and the rounds themselves, with some left for as many more.
    monkeypatch.setattr(running, "WORK_MAX", 3_300 * (500 + ROUND_WORK))

    _position, run, result = played(match_offer(), given)

    assert result.players == 1_000
    assert run.paths.value[:500].tolist() != run.paths.value[500:].tolist()


def test_a_run_with_fewer_requirements_costs_what_the_milestone_said() -> None:
    given = scenario(volatility=Volatility.MEDIUM, players=4_000)
    _position, run, _result = played(match_offer(), given)
    half = next(each for each in run.costs if each.multiple == 15)

    _position, shorter, _result = played(match_offer(wagering_multiplier=Decimal(15)), given)

    # The same players, bet by bet: who passes the milestone would have completed there.
    assert shorter.costs[-1].multiple == 15
    assert abs(shorter.costs[-1].cost - half.cost) < 4 * shorter.paths.value.std() / 4_000**0.5


def test_without_luck_the_break_even_is_one_over_the_edge() -> None:
    offer = match_offer(wagering_multiplier=Decimal(10))
    given = scenario(volatility=Volatility.NONE, players=100, own_money=Decimal(1000))
    position = position_of(offer=offer, scenario=given)
    odds = Odds(list_choices(offer=offer, position=position, scenario=given))
    run = run_scenario(position=position, odds=odds, scenario=given)
    costs = [
        *run.costs,
        *try_larger_requirements(position=position, odds=odds, scenario=given),
    ]

    # A hundredth of the bonus is lost by a quarter of it staked: 1 / 0.04 times, all is.
    assert break_even_of(costs=run.costs, acceptable=0) is None
    # A milestone is passed with the bet that reaches it, so up to one bet late.
    assert break_even_of(costs=costs, acceptable=0) == pytest.approx(25, abs=0.02)
    multiples = [each.multiple for each in costs]
    assert multiples == sorted(multiples)


def test_a_break_even_lies_between_the_tried_multiples() -> None:
    costs = [CostAt(0, 100), CostAt(10, 60), CostAt(20, -20)]

    assert break_even_of(costs=costs, acceptable=0) == 17.5
    assert break_even_of(costs=costs, acceptable=100) == 0
    assert break_even_of(costs=costs, acceptable=-30) is None


def test_no_break_even_lies_between_what_can_be_finished_and_what_cannot() -> None:
    costs = [CostAt(0, 100), CostAt(8, 75), CostAt(9, 0, is_finished=False)]

    assert break_even_of(costs=costs, acceptable=50) is None
    assert is_unfinished_only(costs=costs, acceptable=50)
    assert break_even_of(costs=costs, acceptable=80) == pytest.approx(6.4)
    assert not is_unfinished_only(costs=costs, acceptable=80)
    assert not is_unfinished_only(costs=costs, acceptable=-1)


@pytest.mark.django_db
@pytest.mark.parametrize("multiple", [1, 7, 9])
def test_what_nobody_can_finish_in_time_is_not_acceptable_terms(
    operator: Operator, now: datetime, multiple: int
) -> None:
    # In two hours of play there are 800 bets of 0.10: eight times the bonus, and no more.
    offer = gift_offer(wagering_multiplier=Decimal(multiple), time_limit_hours=24)

    wanted = {"players": 500}
    result = simulate_terms(operator=operator, offer=offer, wanted=wanted, now=now).result

    assert (result.break_even, result.is_unfinished_only) == (None, True)
    finished = [cost for tried, cost in result.costs if tried <= 8]
    assert min(finished) > result.acceptable_cost


def test_all_that_became_of_the_money_is_told() -> None:
    given = scenario(volatility=Volatility.HIGH, players=2_000)
    given = replace(given, gives_up_per_day=Decimal("0.3"))
    offer = match_offer(time_limit_hours=48, max_win_cap=Decimal(50))

    _position, run, result = played(offer, given)

    # Each share is rounded to four places.
    assert float(sum(result.outcomes.values())) == pytest.approx(1, abs=0.0005)
    shares = result.empty + sum(bar.share for bar in result.bars)
    assert float(shares) == pytest.approx(1, abs=0.002)
    assert int(np.sum(run.paths.bets)) == result.bets
    assert result.outcomes[Outcome.FORFEITED] == 0
