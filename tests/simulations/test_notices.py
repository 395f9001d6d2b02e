"""What a simulation warns of, and what it does not."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from operators.models import Operator
from simulations.enums import Volatility, Warned
from simulations.rules import running
from simulations.rules.multiples import multiple_of_bonus, multiple_of_promo
from simulations.rules.notices import Limit, Notice, limit_notices
from simulations.rules.scenario import BonusOffer, ListedGame, Offer, Stake
from simulations.services.simulating import Simulation, simulate_terms
from tests.factories.games import GameFactory
from tests.factories.simulations import TermsLimitsFactory
from tests.simulations.scenarios import gift_offer, match_offer, promo_offer

pytestmark = pytest.mark.django_db


@pytest.fixture
def simulate(operator: Operator, now: datetime) -> Any:
    """Return a function that simulates terms without luck, unless it is told otherwise."""

    def run(offer: Offer, **wanted: Any) -> Simulation:
        given = {"volatility": Volatility.NONE, "players": 200, "bets_per_hour": 3600, **wanted}
        return simulate_terms(operator=operator, offer=offer, wanted=given, now=now)

    return run


def codes(simulation: Simulation) -> list[Warned]:
    return [notice.code for notice in simulation.notices]


def test_terms_that_pay_for_themselves_warn_of_nothing(simulate: Any) -> None:
    assert simulate(match_offer()).notices == []


def test_terms_that_cost_more_than_they_bring_look_like_a_loss(simulate: Any) -> None:
    [notice] = simulate(match_offer(wagering_multiplier=Decimal(20))).notices

    assert notice == Notice(
        Warned.LOOKS_LIKE_A_LOSS,
        "A player costs 20.00 EUR on average, 20 % of the bonus. It should be nothing: the "
        "player brings money, and the house wins of it.",
    )


def test_a_gift_may_cost_half_of_itself(simulate: Any) -> None:
    # 10 − 12.5 × 10 × 0.04 is half of it, exactly.
    offer = gift_offer("10.00", wagering_multiplier=Decimal("12.5"))
    stakes = [Stake(Decimal("0.25"), Decimal(1))]

    half = simulate(offer, stakes=stakes)
    more = simulate(gift_offer("10.00", wagering_multiplier=Decimal(12)), stakes=stakes)

    assert half.result.cost == half.result.acceptable_cost == Decimal("5.00")
    assert codes(half) == []
    assert codes(more) == [Warned.LOOKS_LIKE_A_LOSS]
    assert "The house is ready to pay 50 %: 5.00 EUR." in more.notices[0].detail


def test_what_is_acceptable_can_be_said(simulate: Any) -> None:
    offer = match_offer(wagering_multiplier=Decimal(20))

    assert codes(simulate(offer, acceptable_share=Decimal("0.2"))) == []
    assert codes(simulate(offer, acceptable_share=Decimal("0.19"))) == [Warned.LOOKS_LIKE_A_LOSS]


def test_a_bonus_without_wagering_is_given_for_what_it_costs(simulate: Any) -> None:
    assert codes(simulate(gift_offer(wagering_multiplier=Decimal(0)))) == []
    # Who deposits could take both away at once.
    assert codes(simulate(match_offer(wagering_multiplier=Decimal(0)))) == [
        Warned.LOOKS_LIKE_A_LOSS
    ]


def test_wagering_above_a_limit_names_the_market(simulate: Any, operator: Operator) -> None:
    TermsLimitsFactory.create(operator=operator)
    TermsLimitsFactory.create(operator=operator, label="Elsewhere", wagering_multiple_max=30)
    TermsLimitsFactory.create(label="Of another operator", wagering_multiple_max=1)

    assert simulate(match_offer()).notices == [
        Notice(
            Warned.WAGERING_ABOVE_LIMIT,
            "Great Britain: the bonus may have to be wagered 10 times at most; these terms ask "
            "for 30 times.",
        )
    ]


def test_a_multiple_that_equals_the_limit_is_fine() -> None:
    limits = [Limit("Great Britain", Decimal(10))]

    assert list(limit_notices(multiple=Decimal(10), limits=limits)) == []
    assert len(list(limit_notices(multiple=Decimal("10.01"), limits=limits))) == 1
    assert list(limit_notices(multiple=None, limits=limits)) == []


def test_on_bonus_and_deposit_the_multiple_counts_both(simulate: Any, operator: Operator) -> None:
    TermsLimitsFactory.create(operator=operator, wagering_multiple_max=19)
    offer = match_offer(wagering_basis="bonus_plus_deposit", wagering_multiplier=Decimal(10))

    assert "for 20 times." in simulate(offer).notices[-1].detail


@pytest.mark.parametrize(
    ("offer", "multiple"),
    [
        (match_offer(), 30),
        (match_offer(wagering_basis="bonus_plus_deposit"), 60),
        (
            match_offer(
                config={"match_percent": "50", "cap_amount": "100.00", "currency": "EUR"},
                wagering_basis="bonus_plus_deposit",
            ),
            90,
        ),
        (promo_offer(), 10),
        (promo_offer(wager_multiplier=None, wager_usd=Decimal(1500)), 3),
        (promo_offer(wager_multiplier=None, wager_usd=Decimal(9), max_bonus_usd=Decimal(0)), None),
        (promo_offer(type="INSTANT", amount=Decimal(10), currency="EUR"), 0),
    ],
)
def test_terms_have_a_multiple_before_anybody_deposits(offer: Offer, multiple: int | None) -> None:
    found = (
        multiple_of_bonus(offer=offer)
        if isinstance(offer, BonusOffer)
        else multiple_of_promo(offer=offer)
    )

    assert found == multiple


def test_time_that_is_too_short_for_anybody_is_warned_of(simulate: Any) -> None:
    simulation = simulate(match_offer(time_limit_hours=1), bets_per_hour=100)

    assert (
        Notice(
            Warned.NOBODY_CAN_COMPLETE,
            "In the time that there is a player places 99 bets, which is 3.3 % of the requirement "
            "at most.",
        )
        in simulate(
            match_offer(time_limit_hours=1),
            bets_per_hour=100,
            stakes=[Stake(Decimal(1), Decimal(1))],
        ).notices
    )
    assert simulation.result.completion_hours is None


def test_games_that_do_not_count_are_warned_of(simulate: Any) -> None:
    simulation = simulate(match_offer(game_contribution={"table": 0}), horizon_days=1)

    assert Warned.NOBODY_CAN_COMPLETE in codes(simulation)


def test_a_promo_without_games_cannot_be_completed(simulate: Any) -> None:
    simulation = simulate(promo_offer())

    assert [notice.detail for notice in simulation.notices] == ["None of the games can be played."]
    assert (simulation.result.cost, simulation.result.bets) == (0, 0)


def test_a_game_that_the_promo_does_not_list_is_left_out(simulate: Any, operator: Operator) -> None:
    GameFactory.create(operator=operator, slug="roulette", category="table")
    offer = promo_offer(games=(ListedGame("slot", "slots", Decimal(1), None),))
    games = [{"game": "slot"}, {"game": "roulette"}]

    simulation = simulate(offer, games=games, deposit=Decimal(20))

    assert Warned.GAMES_LEFT_OUT in codes(simulation)
    assert "roulette" in next(
        notice.detail for notice in simulation.notices if notice.code == Warned.GAMES_LEFT_OUT
    )


def test_a_stake_above_the_limit_of_a_game_becomes_the_largest_below(simulate: Any) -> None:
    offer = promo_offer(games=(ListedGame("slot", "slots", Decimal(1), Decimal(2)),))
    stakes = [Stake(Decimal(2), Decimal(1)), Stake(Decimal("2.01"), Decimal(1))]

    simulation = simulate(offer, stakes=stakes, deposit=Decimal(20))

    assert simulation.result.turnover == Decimal("200.00")
    assert simulation.result.bets == 200 * 100


def test_stakes_that_forfeit_are_warned_of(simulate: Any) -> None:
    offer = match_offer(max_bet=Decimal(1))

    assert Warned.STAKES_FORFEIT in codes(simulate(offer, stakes=[Stake(Decimal(2), Decimal(1))]))
    assert Warned.STAKES_FORFEIT not in codes(simulate(offer))


def test_a_cost_that_is_not_known_well_is_warned_of(simulate: Any) -> None:
    simulation = simulate(match_offer(), volatility=Volatility.HIGH)

    assert Warned.TOO_FEW_ROUNDS in codes(simulation)
    assert "only." in simulation.notices[-1].detail or "on which side" in (
        simulation.notices[-1].detail
    )


def test_players_who_are_left_out_are_warned_of(simulate: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(running, "WORK_MAX", 1_000)

    simulation = simulate(match_offer(), players=1_200)

    assert simulation.result.players == 500
    assert "500 of 1,200 players were simulated" in simulation.notices[-1].detail


def test_bets_that_were_cut_are_warned_of(simulate: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(running, "BETS_MAX", 50)

    simulation = simulate(match_offer())

    assert "100 % were not through by then." in simulation.notices[-1].detail
