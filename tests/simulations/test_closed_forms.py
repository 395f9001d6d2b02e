"""Where the answer can be worked out on paper, the simulator has it."""

import math
from decimal import Decimal

import numpy as np
import pytest

from simulations.enums import Outcome, Volatility
from simulations.rules.play import OUTCOMES
from simulations.rules.results import standard_error_of
from simulations.rules.scenario import ListedGame, Stake
from tests.simulations.scenarios import (
    gift_offer,
    match_offer,
    played,
    promo_offer,
    result_for,
    scenario,
    slots,
)

CERTAIN = {"volatility": Volatility.NONE}


def test_without_luck_the_cost_is_the_bonus_less_the_margin_of_the_wagering() -> None:
    result = result_for(match_offer(), **CERTAIN)

    # 100 − 30 × 100 × (1 − 0.96)
    assert result.cost == Decimal("-20.00")
    assert result.standard_error == 0
    assert result.outcomes[Outcome.COMPLETED] == 1
    assert (result.turnover, result.turnover_multiple) == (Decimal("3000.00"), Decimal(30))
    assert (result.booked_cost, result.margin) == (Decimal("100.00"), Decimal("120.00"))


def test_on_bonus_and_deposit_twice_as_much_is_wagered() -> None:
    offer = match_offer(wagering_basis="bonus_plus_deposit", wagering_multiplier=Decimal(10))

    result = result_for(offer, **CERTAIN)

    assert (result.requirement, result.multiple) == (Decimal(2000), Decimal(20))
    assert result.cost == Decimal("20.00")


def test_a_game_that_counts_a_tenth_takes_ten_times_the_stakes() -> None:
    offer = match_offer(wagering_multiplier=Decimal(3), game_contribution={"slots": 10})

    result = result_for(offer, rtp=Decimal("0.99"), **CERTAIN)

    assert result.turnover == Decimal("3000.00")
    assert result.cost == Decimal("70.00")


@pytest.mark.parametrize("volatility", [Volatility.LOW, Volatility.MEDIUM])
def test_with_luck_the_mean_is_the_same_while_nobody_goes_broke(volatility: Volatility) -> None:
    given = scenario(own_money=Decimal(100_000), volatility=volatility, players=4_000)

    _position, run, result = played(match_offer(), given)

    assert result.outcomes[Outcome.COMPLETED] == 1
    # What one bet brings has the variance of the table; there are 3000 of them.
    assert abs(result.cost - Decimal(-20)) < 4 * result.standard_error
    variance = {Volatility.LOW: 2.1984, Volatility.MEDIUM: 41.112}[volatility]
    assert float(result.standard_error) == pytest.approx(
        math.sqrt(3000 * variance / 4_000), rel=0.06
    )
    assert run.paths.bets.tolist() == [3000] * 4_000


@pytest.mark.parametrize("volatility", [Volatility.LOW, Volatility.MEDIUM, Volatility.HIGH])
@pytest.mark.parametrize("rtp", ["0.9", "1"])
def test_the_house_wins_its_edge_of_every_stake_whoever_goes_broke(
    volatility: Volatility, rtp: str
) -> None:
    # By optional stopping, what is won less the edge of what was staked has the mean 0.
    given = scenario(rtp=Decimal(rtp), volatility=volatility, players=20_000, deposit=Decimal(10))

    position, run, result = played(match_offer(), given)

    paths = run.paths
    won = position.own_money + position.credited - paths.returned - paths.value
    beyond = won - (1 - float(rtp)) * paths.turnover
    assert abs(beyond.mean()) < 4 * standard_error_of(beyond)
    assert Decimal("0.05") < result.outcomes[Outcome.BUSTED] < 1
    assert result.cost == result.booked_cost - result.margin


def test_who_never_wins_is_broke_after_as_many_bets_as_there_are_stakes() -> None:
    result = result_for(gift_offer("10.00"), rtp=Decimal(0), **CERTAIN)

    assert result.outcomes[Outcome.BUSTED] == 1
    assert (result.turnover, result.cost, result.empty) == (Decimal("10.00"), 0, 1)
    assert result.booked_cost == result.margin == Decimal("10.00")


def test_with_nothing_to_wager_the_bonus_is_the_cost() -> None:
    result = result_for(gift_offer("10.00", wagering_multiplier=Decimal(0)))

    assert (result.cost, result.turnover, result.bets) == (Decimal("10.00"), 0, 0)
    assert result.outcomes[Outcome.COMPLETED] == 1
    assert result.completion_hours is not None
    assert set(result.completion_hours.values()) == {Decimal("0.00")}


def test_an_instant_promo_costs_what_it_pays() -> None:
    offer = promo_offer(type="INSTANT", amount=Decimal("7.50"), currency="EUR")

    result = result_for(offer, deposit=Decimal(0), games=())

    assert (result.cost, result.multiple) == (Decimal("7.50"), 0)


def test_the_win_cap_holds_back_what_is_above_it() -> None:
    offer = gift_offer("10.00", wagering_multiplier=Decimal(1), max_win_cap=Decimal("2.00"))

    # Ten stakes of 1, each of which pays 1: no win, and the cap takes nothing.
    result = result_for(offer, rtp=Decimal(1), **CERTAIN)

    assert result.cost == Decimal("10.00")
    lucky = result_for(offer, rtp=Decimal(1), volatility=Volatility.HIGH, players=20_000)
    assert max(lucky.balance_quantiles.values()) == Decimal("12.00")
    assert lucky.booked_cost < Decimal("10.00")


def test_a_stake_above_the_maximum_forfeits_at_the_first_bet() -> None:
    result = result_for(match_offer(max_bet=Decimal("0.99")), **CERTAIN)

    assert result.outcomes[Outcome.FORFEITED] == 1
    # Main money pays first, so all of the bonus goes back; the bet lost 0.04.
    assert (result.cost, result.booked_cost, result.margin) == (
        Decimal("-0.04"),
        0,
        Decimal("0.04"),
    )


def test_a_stake_that_equals_the_maximum_is_fine() -> None:
    result = result_for(match_offer(max_bet=Decimal("1.00")), **CERTAIN)

    assert result.outcomes[Outcome.COMPLETED] == 1


def test_time_that_is_up_ends_it_and_the_bonus_goes_back() -> None:
    offer = match_offer(time_limit_hours=1)

    # 599 bets come before the end of the hour, the 600th at it.
    result = result_for(offer, **CERTAIN)

    assert result.outcomes[Outcome.EXPIRED] == 1
    assert result.turnover == Decimal("599.00")
    assert (result.cost, result.booked_cost) == (Decimal("-23.96"), 0)


def test_the_last_bet_in_time_completes() -> None:
    result = result_for(match_offer(time_limit_hours=6), **CERTAIN)

    # The 3000th bet comes after five hours.
    assert result.outcomes[Outcome.COMPLETED] == 1
    assert result.completion_hours is not None
    assert result.completion_hours["0.5"] == Decimal("5.00")
    assert [point.share for point in result.completions] == [0] * 40 + [1]


def test_without_a_time_limit_who_is_not_through_stays_open() -> None:
    result = result_for(match_offer(), bets_per_hour=1, hours_per_day=1, horizon_days=30, **CERTAIN)

    assert result.outcomes[Outcome.OPEN] == 1


def test_the_same_share_gives_up_each_day() -> None:
    given = scenario(
        rtp=Decimal(1),
        bets_per_hour=100,
        hours_per_day=1,
        gives_up_per_day=Decimal("0.1"),
        players=20_000,
        **CERTAIN,
    )

    _position, run, result = played(match_offer(wagering_multiplier=Decimal(5)), given)

    # 500 bets take five days, with four mornings on which a tenth stops.
    assert float(result.outcomes[Outcome.COMPLETED]) == pytest.approx(0.9**4, abs=0.012)
    assert float(result.outcomes[Outcome.GAVE_UP]) == pytest.approx(1 - 0.9**4, abs=0.012)
    gone = run.paths.outcome == OUTCOMES.index(Outcome.GAVE_UP)
    assert set(np.unique(run.paths.bets[gone]).tolist()) == {100, 200, 300, 400}
    # Who gives up keeps their own money and loses the bonus.
    assert set(np.unique(run.paths.value[gone]).tolist()) == {10_000}


def test_a_claim_that_expires_gives_back_the_bonus_as_far_as_it_is_there() -> None:
    offer = promo_offer(games=(ListedGame("slot", "slots", Decimal(1), None),), time_seconds=3600)

    result = result_for(offer, games=(slots(slug="slot"),), rtp=Decimal("0.5"), **CERTAIN)

    # 200 less half of 399 stakes is 0.50: too little to bet on, and taken back.
    assert result.outcomes[Outcome.BUSTED] == 1
    assert (result.cost, result.booked_cost) == (Decimal("-100.00"), Decimal("99.50"))
    patient = result_for(offer, games=(slots(slug="slot"),), **CERTAIN)
    # 599 stakes lose 23.96; of the 176.04 that are left, the bonus of 100 is taken.
    assert patient.outcomes[Outcome.EXPIRED] == 1
    assert (patient.cost, patient.booked_cost) == (Decimal("-23.96"), 0)


def test_games_that_take_no_bonus_money_are_left_once_the_own_money_is_gone() -> None:
    offer = match_offer(
        type="free_spins",
        config={
            "count": 20,
            "value_per_spin": "0.50",
            "currency": "EUR",
            "eligible_games": ["lucky"],
        },
        wagering_multiplier=Decimal(3),
    )
    mix = (slots(slug="lucky"), slots(slug="other"))

    result = result_for(
        offer, own_money=Decimal(5), games=mix, rtp=Decimal(0), deposit=Decimal(0), **CERTAIN
    )
    only_other = result_for(
        offer, own_money=Decimal(5), games=mix[1:], rtp=Decimal(0), deposit=Decimal(0), **CERTAIN
    )

    assert result.turnover == Decimal("15.00")
    assert only_other.turnover == Decimal("5.00")
    assert only_other.booked_cost == 0


def test_who_cannot_pay_a_stake_places_the_largest_that_they_can() -> None:
    stakes = (Stake(Decimal(1), Decimal(1)), Stake(Decimal(4), Decimal(1_000_000)))

    result = result_for(gift_offer("10.00"), stakes=stakes, rtp=Decimal(0), players=100, **CERTAIN)

    # 4 + 4 + 1 + 1, whoever never drew the small one.
    assert result.turnover == Decimal("10.00")
    assert result.bets == 400
