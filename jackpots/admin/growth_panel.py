"""The chart of an instance's meters."""

from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.http import HttpRequest

from core.admin import Panel
from core.admin.display import amount_text
from core.money import EXACT, format_amount, get_currency
from jackpots.growth import Growth, PotGrowth, read_growth
from jackpots.models import Instance, Win
from jackpots.selectors import PotMeter

#: What the address may ask for: the words of the link, and so many hours.
_SPANS = {
    "day": ("24 hours", 24),
    "week": ("7 days", 7 * 24),
    "month": ("30 days", 30 * 24),
}
_UNLESS_ASKED = "week"
_WINS_MAX = 100


def growth_panel(
    request: HttpRequest, subject: Instance, meters: list[PotMeter], now: datetime
) -> Panel:
    """Return how each meter has grown, with the wins that made it fall."""
    asked = request.GET.get("span", "")
    span = asked if asked in _SPANS else _UNLESS_ASKED
    words, hours = _SPANS[span]
    growth = read_growth(instance=subject, now=now, hours=hours)
    values = {meter.position: meter.value for meter in meters}
    context: dict[str, Any] = {
        "is_known": growth.is_known,
        "words": words,
        "spans": [(name, label, name == span) for name, (label, _hours) in _SPANS.items()],
        "pots": [_told(pot, values[pot.position], subject.currency) for pot in growth.pots],
        "drawn": _drawn(growth, values, subject, now, since=now - timedelta(hours=hours)),
    }
    return Panel("Growth of the meters", "admin/jackpots/growth.html", context)


def _told(pot: PotGrowth, value: Decimal, currency: str) -> dict[str, str]:
    return {
        "name": pot.name,
        "value": amount_text(_rounded(value, currency), currency),
        "contributed": amount_text(_rounded(pot.contributed, currency), currency),
        "least": amount_text(_rounded(min(_known(pot, value)), currency), currency),
        "most": amount_text(_rounded(max(_known(pot, value)), currency), currency),
    }


def _drawn(
    growth: Growth, values: dict[int, Decimal], subject: Instance, now: datetime, *, since: datetime
) -> dict[str, Any]:
    """Return what the script draws: amounts are strings, as everywhere on the wire."""
    wins = Win.objects.filter(instance=subject, found_at__gte=since).order_by("-found_at")
    marked = wins.values_list("pot__position", "found_at", "amount")[:_WINS_MAX]
    return {
        "currency": subject.currency,
        "times": [int(instant.timestamp()) for instant in (*growth.instants[:-1], now)],
        "pots": [
            [
                None if value is None else _text(value, subject.currency)
                # The hour that runs has no last value yet: it stands where the meter stands.
                for value in (*pot.values[:-1], values[pot.position])
            ]
            for pot in growth.pots
        ],
        "wins": [
            {"pot": position, "at": int(at.timestamp()), "amount": _text(amount, subject.currency)}
            for position, at, amount in marked
        ],
    }


def _known(pot: PotGrowth, value: Decimal) -> list[Decimal]:
    return [*(each for each in pot.values if each is not None), value]


def _rounded(value: Decimal, currency: str) -> Decimal:
    return value.quantize(get_currency(currency).minor_unit, rounding=ROUND_DOWN, context=EXACT)


def _text(value: Decimal, currency: str) -> str:
    return format_amount(_rounded(value, currency), currency)
