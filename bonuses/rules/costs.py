"""What a bonus can cost at most, before the deposit that it matches is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bonuses.enums import BonusType
from bonuses.rules.terms import TemplateTerms, Terms, base_amount_of
from core import money
from core.money import EXACT


@dataclass(frozen=True, slots=True)
class Worth:
    """An amount and its currency's code."""

    amount: Decimal
    currency: str


def worth_at_most(*, template: TemplateTerms, terms: Terms | None) -> Worth:
    """Return what a bonus is worth; of an offer, which has no terms yet, the cap of its match."""
    if terms is None:
        return Worth(Decimal(template.config["cap_amount"]), template.currency)
    return Worth(terms.bonus_amount, terms.bonus_currency)


def stated_worth(*, template: TemplateTerms) -> Worth | None:
    """Return what every bonus of the template is worth, if that does not depend on the player."""
    config = template.config
    match template.type:
        case BonusType.NO_DEPOSIT:
            return Worth(Decimal(config["amount"]), template.currency)
        case BonusType.FREE_SPINS:
            each = Decimal(config["value_per_spin"])
            return Worth(EXACT.multiply(Decimal(config["count"]), each), template.currency)
        case _:
            return None


def most_a_match_costs(
    *,
    template: TemplateTerms,
    wallet_currency: str,
    base_currency: str,
    usd_rates: Mapping[str, Decimal],
) -> Decimal:
    """Return the cost, in the base currency, of a match that reaches its cap."""
    cap = Decimal(template.config["cap_amount"])
    if template.currency != wallet_currency:
        rate = money.cross_rate(usd_rates[template.currency], usd_rates[wallet_currency])
        cap = money.convert(cap, rate)
    bonus = money.round_down(money.round_half_even(cap), money.get_currency(wallet_currency))
    base_rate = money.cross_rate(usd_rates[wallet_currency], usd_rates[base_currency])
    return base_amount_of(bonus, base_rate, base_currency)
