"""What the pages of templates and promos say before anybody is given their terms."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from core.admin import Panel, panel_on
from core.money import format_decimal
from operators.models import Operator
from simulations.admin.display import notice_rows
from simulations.admin.simulating import PERMISSION, simulator_url
from simulations.rules.multiples import multiple_of_bonus, multiple_of_promo
from simulations.rules.notices import Limit, limit_notices
from simulations.selectors import bonus_offer_of_template, promo_offer_of, read_limits


@panel_on("bonuses.bonustemplate")
def template_panel(request: HttpRequest, template: Any, now: datetime) -> Panel | None:
    """Return how often the bonus has to be wagered, the limits that is above, and a link."""
    if not request.user.has_perm(PERMISSION):
        return None
    multiple = multiple_of_bonus(offer=bonus_offer_of_template(template=template))
    return _panel(template.operator, multiple, template=template.pk)


@panel_on("promos.promo")
def promo_panel(request: HttpRequest, promo: Any, now: datetime) -> Panel | None:
    """Return how often the bonus has to be wagered, the limits that is above, and a link."""
    if not request.user.has_perm(PERMISSION):
        return None
    # Its list of games says nothing about how often the bonus is wagered.
    multiple = multiple_of_promo(offer=promo_offer_of(promo=promo, games=()))
    return _panel(promo.operator, multiple, promo=promo.pk)


def _panel(operator: Operator, multiple: Decimal | None, **named: Any) -> Panel:
    limits = read_limits(operator=operator)
    context = {
        "url": simulator_url(operator=operator.slug, **named),
        "sentence": _sentence(multiple, limits),
        "notices": notice_rows(
            list(limit_notices(multiple=multiple, limits=limits, at_least=True))
        ),
    }
    return Panel("Before it is published", "admin/simulations/panel.html", context)


def _sentence(multiple: Decimal | None, limits: Sequence[Limit]) -> str:
    if multiple is None:
        return "It gives no bonus that could be wagered."
    if multiple == 0:
        return "Nothing has to be wagered for it."
    kept = "" if limits else " No limits are set for this operator."
    return (
        f"The bonus has to be wagered {format_decimal(round(multiple, 2) + 0)} times or more.{kept}"
    )
