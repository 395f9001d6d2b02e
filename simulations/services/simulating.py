"""Simulating terms. Nothing is written: the answer is all there is."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.errors import ResourceBusy
from operators.models import Operator
from operators.selectors import get_usd_rate
from promos.enums import PromoType
from simulations.rules.defaults import complete_scenario, currency_of
from simulations.rules.notices import Notice, notices_of
from simulations.rules.odds import Odds, list_choices
from simulations.rules.position import Position, position_of
from simulations.rules.results import Result, acceptable_share_of, result_of
from simulations.rules.running import (
    break_even_of,
    is_unfinished_only,
    run_scenario,
    try_larger_requirements,
)
from simulations.rules.scenario import Offer, PromoOffer, Scenario
from simulations.selectors import read_categories, read_limits

# A simulation keeps a core busy for a second. One at a time in a process: the others wait,
# and so do not slow down the bets that the same process takes.
_running = threading.BoundedSemaphore(1)
_WAIT_S = 5


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was simulated, what came of it, and what there is to warn of."""

    offer: Offer
    scenario: Scenario
    position: Position
    result: Result
    notices: list[Notice]


def simulate_terms(
    *, operator: Operator, offer: Offer, wanted: Mapping[str, Any], now: datetime
) -> Simulation:
    """
    Simulate players of ``operator`` who are given the terms of ``offer``.

    ``wanted`` says how they play, by the names of the API; what it leaves out is as usual.
    The same terms, scenario, rates and limits have the same answer, always. Writes nothing.

    :raises InvalidRequest: that names the field, if the scenario cannot be.
    :raises ExchangeRateMissing: if a promo is to be played in a currency without a rate.
    :raises ResourceBusy: if this process has been simulating for long.
    """
    scenario = complete_scenario(
        offer=offer,
        wanted=wanted,
        usd_rate=_usd_rate(operator, offer, wanted, now=now),
        categories=read_categories(
            operator=operator, slugs=_slugs_in(offer, wanted.get("games") or ())
        ),
    )
    position = position_of(offer=offer, scenario=scenario)
    choices = list_choices(offer=offer, position=position, scenario=scenario)
    limits = read_limits(operator=operator)
    if not _running.acquire(timeout=_WAIT_S):
        raise ResourceBusy("Another simulation is running. Send it again.")
    try:
        odds = Odds(choices) if choices else None
        run = run_scenario(position=position, odds=odds, scenario=scenario)
        costs = list(run.costs)
        share = acceptable_share_of(position=position, scenario=scenario)
        acceptable = float(share * position.credited)
        if (
            odds is not None
            and position.bonus_progress
            and break_even_of(costs=costs, acceptable=acceptable) is None
            and not is_unfinished_only(costs=costs, acceptable=acceptable)
        ):
            costs += try_larger_requirements(position=position, odds=odds, scenario=scenario)
    finally:
        _running.release()
    result = result_of(position=position, scenario=scenario, choices=choices, run=run, costs=costs)
    return Simulation(
        offer=offer,
        scenario=scenario,
        position=position,
        result=result,
        notices=notices_of(
            position=position,
            scenario=scenario,
            choices=choices,
            span=run.span,
            result=result,
            limits=limits,
        ),
    )


def _usd_rate(
    operator: Operator, offer: Offer, wanted: Mapping[str, Any], *, now: datetime
) -> Decimal:
    """Return what a unit of the currency is worth, if the terms are in US dollars."""
    if not isinstance(offer, PromoOffer) or offer.type == PromoType.INSTANT:
        return Decimal(1)
    currency = currency_of(offer=offer, wanted=wanted)
    return get_usd_rate(operator=operator, currency=currency, now=now).rate


def _slugs_in(offer: Offer, games: Any) -> list[str]:
    slugs = [game["game"] for game in games if game.get("game")]
    if isinstance(offer, PromoOffer):
        return slugs
    return [
        *slugs,
        *(offer.config.get("eligible_games") or ()),
        *(offer.game_contribution.get("games") or {}),
    ]
