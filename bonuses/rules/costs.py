"""What a bonus can cost at most, before the deposit that it matches is known."""

from collections.abc import Mapping
from decimal import Decimal

from bonuses.rules.terms import TemplateTerms, base_amount_of
from core import money


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
