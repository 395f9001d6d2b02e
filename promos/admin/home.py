"""What the home page says about promos: what they cost in the period."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN
from typing import Any

from django.http import HttpRequest

from core.admin import Panel, panel_at_home
from core.admin.display import list_url, money
from core.admin.periods import asked_period
from core.money import quantize
from promos.admin.display import usd
from promos.dashboard import CurrencyCost, PromoCost, read_promo_cost


@panel_at_home(order=50)
def promo_cost_panel(request: HttpRequest, now: datetime) -> Panel | None:
    """Return what was paid and taken back, by currency, and in US dollars altogether."""
    if not request.user.has_perm("promos.view_userpromo"):
        return None
    period = asked_period(request, now=now)
    cost: PromoCost = read_promo_cost(since=period.since)
    context: dict[str, Any] = {
        "rows": [_row(each, period.name) for each in cost.currencies],
        # Rates leave more decimals than there are cents.
        "total": usd(quantize(cost.cost_usd, decimals=2, rounding=ROUND_HALF_EVEN)),
        "unpriced_count": cost.unpriced_count,
        "paid_url": list_url("promos.userpromo", paid=period.name),
        "taken_back_url": list_url("promos.userpromo", taken_back=period.name),
        "period": period,
        "promos_url": list_url("promos.promo"),
    }
    return Panel("Cost of promos", "admin/promos/home_cost.html", context, is_half=True)


def _row(cost: CurrencyCost, period: str) -> dict[str, str]:
    currency = {"bonus_currency__exact": cost.currency}
    return {
        "paid": money(cost.paid, cost.currency),
        "paid_claims": _claims(cost.paid_count),
        "paid_url": list_url("promos.userpromo", paid=period, **currency),
        "taken_back": money(cost.taken_back, cost.currency),
        "taken_back_claims": _claims(cost.taken_back_count),
        "taken_back_url": list_url("promos.userpromo", taken_back=period, **currency),
        "cost": money(cost.cost, cost.currency),
    }


def _claims(count: int) -> str:
    return f"{count:,} claim{'' if count == 1 else 's'}"
