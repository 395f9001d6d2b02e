"""How many times the bonus has to be wagered at least, whatever is deposited."""

from decimal import Decimal

from bonuses.enums import WageringBasis
from core.money import EXACT
from promos.enums import PromoType
from simulations.rules.scenario import BonusOffer, PromoOffer

_HUNDRED = Decimal(100)
_ZERO = Decimal(0)


def multiple_of_bonus(*, offer: BonusOffer) -> Decimal:
    """
    Return the multiple for a deposit that is matched in full.

    On bonus and deposit, a deposit beyond the cap is wagered too: the multiple is then higher.
    """
    if offer.wagering_basis != WageringBasis.BONUS_PLUS_DEPOSIT:
        return offer.wagering_multiplier
    deposits = EXACT.divide(_HUNDRED, Decimal(offer.config["match_percent"]))
    return EXACT.multiply(offer.wagering_multiplier, EXACT.add(Decimal(1), deposits))


def multiple_of_promo(*, offer: PromoOffer) -> Decimal | None:
    """
    Return the multiple for the largest bonus; null if the promo never gives one.

    A fixed target is the same for a smaller bonus: the multiple is then higher.
    """
    if offer.type == PromoType.INSTANT:
        return _ZERO
    if offer.wager_multiplier is not None:
        return offer.wager_multiplier
    assert offer.wager_usd is not None, "exactly one wager condition"
    if not offer.max_bonus_usd or not offer.bonus_multiplier:
        return None
    return EXACT.divide(offer.wager_usd, offer.max_bonus_usd)
