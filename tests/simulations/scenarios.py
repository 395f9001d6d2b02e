"""Terms and ways to play that tests simulate; everything is said, so nothing is as usual."""

from decimal import Decimal
from typing import Any

from bonuses.rules.configs import EVERY_GAME_COUNTS
from simulations.enums import Volatility
from simulations.rules.odds import Odds, list_choices
from simulations.rules.position import Position, position_of
from simulations.rules.results import Result, result_of
from simulations.rules.running import Run, run_scenario
from simulations.rules.scenario import BonusOffer, MixedGame, Offer, PromoOffer, Scenario, Stake


def match_offer(**terms: Any) -> BonusOffer:
    """Return a match of 100 % up to 100 euros, to be wagered 30 times, without a time limit."""
    members: dict[str, Any] = {
        "type": "deposit_match",
        "config": {"match_percent": "100", "cap_amount": "100.00", "currency": "EUR"},
        "currency": "EUR",
        "wagering_multiplier": Decimal(30),
        "wagering_basis": "bonus",
        "game_contribution": EVERY_GAME_COUNTS,
        "max_bet": None,
        "max_win_cap": None,
        "time_limit_hours": None,
    }
    return BonusOffer(**{**members, **terms})


def gift_offer(amount: str = "10.00", **terms: Any) -> BonusOffer:
    """Return a bonus without a deposit, to be wagered 30 times."""
    config = {"amount": amount, "currency": "EUR"}
    return match_offer(**{"type": "no_deposit", "config": config, **terms})


def promo_offer(**terms: Any) -> PromoOffer:
    """Return a match of 100 % up to 500 dollars, from 20, ten times within a week, no games."""
    members: dict[str, Any] = {
        "type": "DEPOSIT",
        "amount": None,
        "currency": "",
        "bonus_multiplier": Decimal(1),
        "max_bonus_usd": Decimal(500),
        "min_deposit_usd": Decimal(20),
        "wager_multiplier": Decimal(10),
        "wager_usd": None,
        "time_seconds": 7 * 24 * 3600,
        "games": (),
    }
    return PromoOffer(**{**members, **terms})


def slots(**members: Any) -> MixedGame:
    """Return all slots, as one game of a mix."""
    return MixedGame(**{"slug": "", "category": "slots", "share": Decimal(1), **members})


def scenario(**members: Any) -> Scenario:
    """Return a deposit of 100 euros that is played at stakes of 1, day and night."""
    usual: dict[str, Any] = {
        "currency": "EUR",
        "usd_rate": Decimal(1),
        "deposit": Decimal(100),
        "own_money": Decimal(0),
        "loss": Decimal(0),
        "stakes": (Stake(Decimal(1), Decimal(1)),),
        "games": (slots(),),
        "rtp": Decimal("0.96"),
        "volatility": Volatility.LOW,
        "bets_per_hour": 600,
        "hours_per_day": 24,
        "gives_up_per_day": Decimal(0),
        "horizon_days": 90,
        "acceptable_share": None,
        "players": 1_000,
        "seed": 7,
    }
    return Scenario(**{**usual, **members})


def played(offer: Offer, given: Scenario) -> tuple[Position, Run, Result]:
    """Run the scenario on the terms."""
    position = position_of(offer=offer, scenario=given)
    choices = list_choices(offer=offer, position=position, scenario=given)
    odds = Odds(choices) if choices else None
    run = run_scenario(position=position, odds=odds, scenario=given)
    result = result_of(position=position, scenario=given, choices=choices, run=run, costs=run.costs)
    return position, run, result


def result_for(offer: Offer, **members: Any) -> Result:
    """Return what comes of the terms if they are played like that."""
    return played(offer, scenario(**members))[2]
