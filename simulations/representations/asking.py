"""A simulation that was asked for in the API's words, carried out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from operators.models import Operator
from simulations.representations.bodies import TERMS
from simulations.rules.offers import read_bonus_offer, read_promo_offer
from simulations.rules.scenario import Offer
from simulations.selectors import get_bonus_offer, get_promo_offer
from simulations.services.simulating import Simulation, simulate_terms


def simulate_as_asked(*, operator: Operator, asked: Mapping[str, Any], now: datetime) -> Simulation:
    """
    Simulate what the validated members of a body (bodies.SimulateSerializer) ask for.

    :raises BonusTemplateNotFound: if the operator has no such template.
    :raises PromoNotFound: if the operator has no such promo.
    :raises InvalidRequest: that names the field, if terms or scenario cannot be.
    :raises ExchangeRateMissing: if a promo is to be played in a currency without a rate.
    :raises ResourceBusy: if this process has been simulating for long.
    """
    wanted = {name: value for name, value in asked.items() if name not in TERMS}
    return simulate_terms(
        operator=operator, offer=_offer_of(operator, asked), wanted=wanted, now=now
    )


def _offer_of(operator: Operator, asked: Mapping[str, Any]) -> Offer:
    if "template_id" in asked:
        return get_bonus_offer(operator=operator, template_id=asked["template_id"])
    if "promo_id" in asked:
        return get_promo_offer(operator=operator, promo_id=asked["promo_id"])
    if "bonus" in asked:
        return read_bonus_offer(terms=asked["bonus"])
    return read_promo_offer(terms=asked["promo"])
