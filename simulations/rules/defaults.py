"""What is assumed of players where nobody says otherwise (docs/simulator.md lists it)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_UP, Decimal
from typing import Any

from bonuses.enums import DEPOSIT_TYPES, BonusType
from bonuses.rules.wagering import DEFAULT, GAMES, weight_of
from core import money
from core.errors import InvalidRequest
from core.money import EXACT, Currency
from games.enums import GameCategory
from promos.enums import PromoType
from simulations.enums import Volatility
from simulations.rules.position import USD, amount_of, minor_units, position_of
from simulations.rules.scenario import (
    GAMES_MAX,
    BonusOffer,
    MixedGame,
    Offer,
    PromoOffer,
    Scenario,
    Stake,
)

PLAYERS = 20_000
SEED = 1
RTP = Decimal("0.96")
VOLATILITY = Volatility.MEDIUM
BETS_PER_HOUR = 400
HOURS_PER_DAY = 2
HORIZON_DAYS = 90
_HUNDRED = Decimal(100)
_ONE = Decimal(1)
_ZERO = Decimal(0)
#: Cashback: as many times the smallest loss is lost.
_LOSSES = 5
#: The usual stake is so small a part of what a player starts with.
_STAKES_THERE = 100


def currency_of(*, offer: Offer, wanted: Mapping[str, Any]) -> str:
    """
    Return the currency in which the offer is played.

    A bonus, or an instant promo, is played in its own; what a deposit promo says in US
    dollars can be played in any.

    :raises InvalidRequest: if another is wanted.
    """
    own = offer.currency if isinstance(offer, BonusOffer) or offer.currency else ""
    asked = wanted.get("currency")
    if own and asked not in (None, own):
        raise InvalidRequest.for_field("currency", f"These terms are in {own}.")
    return own or asked or USD


def complete_scenario(
    *,
    offer: Offer,
    wanted: Mapping[str, Any],
    usd_rate: Decimal,
    categories: Mapping[str, str],
) -> Scenario:
    """
    Return the scenario that ``wanted`` describes, with the usual for what it leaves out.

    ``categories`` are those of the games in the operator's catalogue.

    :raises InvalidRequest: that names the field, if a game is unknown or an amount cannot be.
    """
    code = currency_of(offer=offer, wanted=wanted)
    currency = money.get_currency(code)
    for name in ("deposit", "own_money", "loss"):
        if not money.has_only_minor_units(wanted.get(name) or _ZERO, currency):
            raise InvalidRequest.for_field(name, f"{code} has {currency.decimals} decimals.")
    scenario = Scenario(
        currency=code,
        usd_rate=usd_rate,
        deposit=_given(wanted, "deposit", _usual_deposit(offer, currency, usd_rate)),
        own_money=_given(wanted, "own_money", _ZERO),
        loss=_given(wanted, "loss", _usual_loss(offer)),
        stakes=tuple(wanted.get("stakes") or ()),
        games=_games(offer, wanted.get("games") or (), categories),
        rtp=_given(wanted, "rtp", RTP),
        volatility=_given(wanted, "volatility", VOLATILITY),
        bets_per_hour=_given(wanted, "bets_per_hour", BETS_PER_HOUR),
        hours_per_day=_given(wanted, "hours_per_day", HOURS_PER_DAY),
        gives_up_per_day=_given(wanted, "gives_up_per_day", _ZERO),
        horizon_days=_given(wanted, "horizon_days", HORIZON_DAYS),
        acceptable_share=wanted.get("acceptable_share"),
        players=_given(wanted, "players", PLAYERS),
        seed=_given(wanted, "seed", SEED),
    )
    if scenario.stakes:
        return scenario
    stake = usual_stake(offer=offer, scenario=scenario)
    return replace(scenario, stakes=(Stake(stake, _ONE),))


def usual_stake(*, offer: Offer, scenario: Scenario) -> Decimal:
    """Return a plain stake, a hundredth of what there is or less, that the terms allow."""
    currency = money.get_currency(scenario.currency)
    if isinstance(offer, BonusOffer) and offer.type == BonusType.FREE_SPINS:
        return Decimal(offer.config["value_per_spin"])
    position = position_of(offer=offer, scenario=scenario)
    units = max((position.main + position.bonus) // _STAKES_THERE, 1)
    limits = [] if position.max_bet is None else [position.max_bet]
    if isinstance(offer, PromoOffer):
        limits += [
            EXACT.divide(game.max_bet_usd, scenario.usd_rate)
            for game in offer.games
            if game.max_bet_usd is not None
        ]
    for limit in limits:
        units = min(units, minor_units(limit, currency))
    return amount_of(_plain(max(units, 1)), currency)


def _given(wanted: Mapping[str, Any], name: str, usual: Any) -> Any:
    value = wanted.get(name)
    return usual if value is None else value


def _plain(most: int) -> int:
    """Return the largest of 1, 2, 5, 10, 20, … that is not above ``most``."""
    unit = int(10 ** (len(str(most)) - 1))
    return next(factor * unit for factor in (5, 2, 1) if factor * unit <= most)


def _usual_deposit(offer: Offer, currency: Currency, usd_rate: Decimal) -> Decimal:
    """Return the deposit that the largest bonus is given for."""
    if isinstance(offer, BonusOffer):
        if offer.type not in DEPOSIT_TYPES:
            return _ZERO
        cap, percent = Decimal(offer.config["cap_amount"]), Decimal(offer.config["match_percent"])
        return money.round_down(EXACT.divide(cap * _HUNDRED, percent), currency)
    if offer.type == PromoType.INSTANT:
        return _ZERO
    assert offer.max_bonus_usd is not None, "a deposit promo has a cap"
    reaching = (
        EXACT.divide(offer.max_bonus_usd, offer.bonus_multiplier)
        if offer.bonus_multiplier
        else _ZERO
    )
    dollars = max(reaching, offer.min_deposit_usd) or _HUNDRED
    return money.quantize(
        EXACT.divide(dollars, usd_rate), decimals=currency.decimals, rounding=ROUND_UP
    )


def _usual_loss(offer: Offer) -> Decimal:
    if not isinstance(offer, BonusOffer) or offer.type != BonusType.CASHBACK:
        return _ZERO
    return max(Decimal(offer.config["min_loss"]) * _LOSSES, _HUNDRED)


def _games(
    offer: Offer, wanted: Sequence[Mapping[str, Any]], categories: Mapping[str, str]
) -> tuple[MixedGame, ...]:
    known = {**_named_by(offer), **categories}
    if not wanted:
        usual = (
            _usual_games(offer)
            if isinstance(offer, BonusOffer)
            else [game.slug for game in offer.games if game.wager_multiplier]
        )
        wanted = [_as_wanted(name, known) for name in usual[:GAMES_MAX]]
    found = []
    for place, game in enumerate(wanted):
        slug = game.get("game") or ""
        if slug and slug not in known:
            raise InvalidRequest.for_field(f"games/{place}/game", "There is no such game.")
        found.append(
            MixedGame(
                slug=slug,
                category=known[slug] if slug else game["category"],
                share=game.get("share", _ONE),
                rtp=game.get("rtp"),
                volatility=game.get("volatility"),
            )
        )
    return tuple(found)


def _as_wanted(name: str, known: Mapping[str, str]) -> dict[str, Any]:
    return {"game": name} if name in known else {"category": name}


def _named_by(offer: Offer) -> dict[str, str]:
    """Return the games that the terms name, whether the catalogue has them or not."""
    if isinstance(offer, PromoOffer):
        return {game.slug: game.category for game in offer.games}
    named = [
        *(offer.config.get("eligible_games") or ()),
        *(offer.game_contribution.get(GAMES) or {}),
    ]
    return dict.fromkeys(named, "")


def _usual_games(offer: BonusOffer) -> list[str]:
    """Return the games that a bonus is for; else the kind of game that counts most."""
    eligible = offer.config.get("eligible_games")
    if eligible:
        return list(eligible)
    weights = {
        category: weight_of(
            game_contribution=offer.game_contribution, game_slug="", game_category=category
        )
        for category in GameCategory.values
    }
    games = offer.game_contribution.get(GAMES) or {}
    most = max(weights.values())
    if most == 0 and any(games.values()):
        return [slug for slug, weight in games.items() if weight == max(games.values())]
    if DEFAULT in offer.game_contribution or most:
        # Slots are named first, so that of several that count alike they are meant.
        return [next(category for category in weights if weights[category] == most)]
    return [GameCategory.SLOTS.value]
