"""A scenario and terms as people would type them."""

from decimal import Decimal
from typing import Any

from core.money import EXACT, format_amount, format_decimal
from games.enums import GameCategory
from simulations.rules.defaults import (
    BETS_PER_HOUR,
    HORIZON_DAYS,
    HOURS_PER_DAY,
    PLAYERS,
    RTP,
    SEED,
    VOLATILITY,
)
from simulations.rules.scenario import BonusOffer, ListedGame, MixedGame, Offer, Scenario, Stake

_HUNDRED = Decimal(100)
_DAY_S = 86_400


def usual_texts() -> dict[str, Any]:
    """Return what is usual and the same for all terms, as it would be typed."""
    return {
        "rtp": _percent(RTP),
        "volatility": VOLATILITY.value,
        "bets_per_hour": BETS_PER_HOUR,
        "hours_per_day": HOURS_PER_DAY,
        "gives_up": "0",
        "horizon_days": HORIZON_DAYS,
        "players": PLAYERS,
        "seed": SEED,
    }


def scenario_texts(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as it would be typed."""
    code = scenario.currency
    return {
        "deposit": format_amount(scenario.deposit, code),
        "loss": format_amount(scenario.loss, code),
        "own_money": format_amount(scenario.own_money, code),
        "play_currency": code,
        "stakes": "\n".join(_stake_text(stake, code) for stake in scenario.stakes),
        "games": "\n".join(_game_text(game) for game in scenario.games),
        "rtp": _percent(scenario.rtp),
        "volatility": scenario.volatility.value,
        "bets_per_hour": scenario.bets_per_hour,
        "hours_per_day": scenario.hours_per_day,
        "gives_up": _percent(scenario.gives_up_per_day),
        "horizon_days": scenario.horizon_days,
        "players": scenario.players,
        "seed": scenario.seed,
    }


def terms_texts(offer: Offer) -> dict[str, Any]:
    """Return terms as they would be typed, without what is not set."""
    found: dict[str, Any]
    if isinstance(offer, BonusOffer):
        weights = offer.game_contribution
        found = {
            **offer.config,
            "eligible_games": ", ".join(offer.config.get("eligible_games") or ()),
            "wagering_requirement_multiplier": offer.wagering_multiplier,
            "wagering_basis": offer.wagering_basis,
            "max_bet": offer.max_bet,
            "max_win_cap": offer.max_win_cap,
            "time_limit_hours": offer.time_limit_hours,
            **{f"weight_{name}": weights.get(name) for name in ("default", *GameCategory.values)},
            "weight_games": "\n".join(
                f"{slug}: {weight}" for slug, weight in (weights.get("games") or {}).items()
            ),
        }
    else:
        seconds = offer.time_seconds
        found = {
            "amount": offer.amount,
            "currency": offer.currency,
            "bonus_multiplier": offer.bonus_multiplier,
            "max_bonus_usd_amount": offer.max_bonus_usd,
            "min_deposit_usd_to_activate": offer.min_deposit_usd,
            "wager_multiplier_to_complete": offer.wager_multiplier,
            "wager_usd_amount_to_complete": offer.wager_usd,
            "days_to_complete": None if seconds is None else round(Decimal(seconds) / _DAY_S, 5),
            "listed": "\n".join(_listed_text(game) for game in offer.games),
        }
    return {
        name: format_decimal(value) if isinstance(value, Decimal) else value
        for name, value in found.items()
        if value not in (None, "")
    }


def _listed_text(game: ListedGame) -> str:
    text = f"{game.slug}: {format_decimal(game.wager_multiplier)}"
    return text if game.max_bet_usd is None else f"{text}, {format_decimal(game.max_bet_usd)}"


def _stake_text(stake: Stake, code: str) -> str:
    return f"{format_amount(stake.amount, code)}: {format_decimal(stake.share)}"


def _game_text(game: MixedGame) -> str:
    text = f"{game.name}: {format_decimal(game.share)}"
    if game.rtp is not None:
        text += f", {_percent(game.rtp)} %"
    if game.volatility is not None:
        text += f", {game.volatility.value}"
    return text


def _percent(share: Decimal) -> str:
    return format_decimal(EXACT.multiply(share, _HUNDRED))
