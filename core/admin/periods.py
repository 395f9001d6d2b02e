"""
The periods that figures are of, and that lists are narrowed to.

A figure of the home page and the list behind it ask the same period by the same name, so
that the list holds exactly what the figure counts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

#: The name in an address: its words, and how many days it has; the running one counts.
_DAYS = {
    "today": ("Today", 1),
    "week": ("7 days", 7),
    "month": ("30 days", 30),
}
_UNLESS_ASKED = "week"


@dataclass(frozen=True, slots=True)
class Period:
    """A number of whole days in UTC, the last of which is the running one."""

    name: str
    words: str
    since: datetime
    now: datetime

    @property
    def since_text(self) -> str:
        """Return when it begins, for people: "since 22 Nov 2026, 00:00 UTC"."""
        return f"since {self.since.day} {self.since:%b %Y, %H:%M} UTC"


def get_period(name: str, *, now: datetime) -> Period:
    """Return the period of that name as of ``now``; that of a week if there is none."""
    known = name if name in _DAYS else _UNLESS_ASKED
    words, days = _DAYS[known]
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(known, words, midnight - timedelta(days=days - 1), now)


def asked_period(request: HttpRequest, *, now: datetime) -> Period:
    """Return the period that the address of the home page asks for."""
    return get_period(request.GET.get("period", ""), now=now)


def period_choices() -> list[tuple[str, str]]:
    """Return the names of the periods with their words."""
    return [(name, words) for name, (words, _days) in _DAYS.items()]


class SinceFilter(DropdownFilter):
    """
    By an instant of a row that lies in one of the periods of the home page.

    Subclasses name the ``title``, the ``parameter_name``, and the ``instant``: a column, or
    an expression that an index serves.
    """

    title: str
    parameter_name: str
    instant: ClassVar[Combinable]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the periods."""
        return period_choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows whose instant lies in the period."""
        asked = self.value()
        if asked not in _DAYS:
            return queryset
        since = get_period(asked, now=timezone.now()).since
        narrowed: QuerySet[Any] = queryset.alias(since_what=self.instant)
        return narrowed.filter(since_what__gte=since)
