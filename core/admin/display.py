"""How values look in the back office: amounts with their currency, instants in UTC, badges."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import Enum
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timeuntil

from core.instants import tell_instant
from core.money import EXACT, format_decimal, get_currency, tell_amount

EMPTY = "—"


class Tone(Enum):
    """The colour of a badge, by what it says."""

    GOOD = "good"
    BUSY = "busy"
    WARNING = "warning"
    BAD = "bad"
    QUIET = "quiet"


def badge(text: str, tone: Tone, *, title: str = "") -> str:
    """Return a small coloured label; ``title`` is shown when a pointer rests on it."""
    return format_html(
        '<span class="wf-badge wf-badge-{}" title="{}">{}</span>', tone.value, title, text
    )


def amount_text(amount: Decimal | None, currency: str) -> str:
    """Return an amount for people: "1,234.50 EUR"; a dash when there is none."""
    return EMPTY if amount is None else tell_amount(amount, currency)


def money(amount: Decimal | None, currency: str) -> str:
    """Return an amount that does not break over two lines, its digits all of one width."""
    return format_html('<span class="wf-money">{}</span>', amount_text(amount, currency))


def meter(value: Decimal, currency: str) -> str:
    """Return a meter in whole minor units, rounded down; a pointer on it shows all of it."""
    unit = get_currency(currency).minor_unit
    shown = value.quantize(unit, rounding=ROUND_DOWN, context=EXACT)
    return format_html(
        '<span class="wf-money" title="{}">{}</span>',
        amount_text(value, currency),
        amount_text(shown, currency),
    )


def percent_text(share: Decimal) -> str:
    """Return a share of 1 as a percentage: "12.5 %"."""
    return f"{format_decimal(share * 100)} %"


def instant_text(value: datetime | None) -> str:
    """Return an instant for people, in UTC: "29 Mar 2026, 00:59:00"."""
    return EMPTY if value is None else tell_instant(value).removesuffix(" UTC")


def instant(value: datetime | None) -> str:
    """Return an instant as a <time> that says its zone."""
    if value is None:
        return EMPTY
    return format_html(
        '<time class="wf-instant" datetime="{}" title="{} UTC">{} <span>UTC</span></time>',
        value.astimezone(UTC).isoformat(),
        instant_text(value),
        instant_text(value),
    )


def time_left(until: datetime, now: datetime) -> str:
    """Return how long it is from ``now``, in its two largest units: "2 days, 3 hours left"."""
    if until <= now:
        return "its time is up"
    if until - now < timedelta(minutes=1):
        return "less than a minute left"
    # Django puts unbreakable spaces between numbers and units.
    return f"{timeuntil(until, now, depth=2)} left".replace("\xa0", " ")


def code(text: Any) -> str:
    """Return an identifier in a fixed-width face."""
    if text in ("", None):
        return EMPTY
    return format_html('<code class="wf-code" title="{}">{}</code>', text, text)


def link(url: str, text: Any) -> str:
    """Return a link in the theme's colour."""
    return format_html('<a class="wf-link" href="{}">{}</a>', url, text)


def object_link(subject: Model | None, text: Any = None) -> str:
    """Return a link to the page of ``subject``, or its name if it has no page."""
    if subject is None:
        return EMPTY
    shown = str(subject) if text is None else text
    url = url_of(subject._meta.label_lower, subject.pk)
    return link(url, shown) if url else str(shown)


def url_of(model_label: str, pk: Any) -> str:
    """Return the address of a row's page; empty if its model has none."""
    app_label, model_name = model_label.split(".")
    try:
        return reverse(f"admin:{app_label}_{model_name}_change", args=[quote(pk)])
    except NoReverseMatch:
        return ""


def list_url(model_label: str, **filters: Any) -> str:
    """Return the address of a model's list, narrowed by ``filters`` (its query string)."""
    app_label, model_name = model_label.split(".")
    url = reverse(f"admin:{app_label}_{model_name}_changelist")
    return f"{url}?{urlencode(filters)}" if filters else url


def muted(text: Any) -> str:
    """Return what matters less beside something else."""
    return format_html('<span class="wf-muted">{}</span>', text)


def lines(items: Iterable[Any]) -> str:
    """Return the items one below the other; a dash when there are none."""
    return format_html_join("", "<div>{}</div>", ((item,) for item in items)) or EMPTY
