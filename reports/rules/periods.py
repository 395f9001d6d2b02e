"""The days that a report is about, on the clocks of an operator's time zone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.errors import InvalidRequest
from core.zones import start_of_day

#: A year, and a leap one: a longer report would be read by nobody, and takes long to read.
DAYS_MAX = 366
#: Nothing was recorded before, and the first days of all calendars have no beginning in UTC.
FIRST_DAY = date(2000, 1, 1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, the first and the last included, as the clocks of ``zone`` show them."""

    first: date
    last: date
    zone: str

    @property
    def since(self) -> datetime:
        """Return the instant at which the first day begins."""
        return start_of_day(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """Return the instant at which the last day is over. Exclusive."""
        return start_of_day(self.last + _DAY, self.zone)

    @property
    def days(self) -> list[date]:
        """Return every day."""
        count = (self.last - self.first).days + 1
        return [self.first + number * _DAY for number in range(count)]

    def bounds(self, *, by_day: bool) -> list[datetime]:
        """Return where the spans begin, and where the last one ends: one span, or one a day."""
        if not by_day:
            return [self.since, self.until]
        return [*(start_of_day(day, self.zone) for day in self.days), self.until]

    def is_over(self, *, now: datetime) -> bool:
        """Tell whether the last day is over."""
        return self.until <= now

    def __str__(self) -> str:
        if self.first == self.last:
            return day_text(self.first)
        return f"{day_text(self.first)} to {day_text(self.last)}"


@dataclass(frozen=True, slots=True)
class Preset:
    """Days that are asked for often."""

    title: str
    first: date
    last: date


def check_period(*, first: date, last: date, zone: str, now: datetime) -> Period:
    """
    Return the period if a report can be about it.

    :raises InvalidRequest: if it ends before it begins, is too long, is not over yet, or
        begins before there was anything.
    """
    if first < FIRST_DAY:
        raise InvalidRequest.for_field("from", f"No report begins before {day_text(FIRST_DAY)}.")
    if last < first:
        raise InvalidRequest.for_field("to", "It must not be before the first day.")
    if (last - first).days >= DAYS_MAX:
        raise InvalidRequest.for_field("to", f"A report is about {DAYS_MAX} days at most.")
    today = today_in(zone=zone, now=now)
    if last > today:
        raise InvalidRequest.for_field("to", f"Today is {day_text(today)} in {zone}.")
    return Period(first, last, zone)


def today_in(*, zone: str, now: datetime) -> date:
    """Return the day that the clocks of the zone show."""
    return now.astimezone(ZoneInfo(zone)).date()


def list_presets(*, zone: str, now: datetime) -> list[Preset]:
    """Return the days that are asked for often; "last 7 days" are whole ones, without today."""
    today = today_in(zone=zone, now=now)
    yesterday = today - _DAY
    this_month = today.replace(day=1)
    month_end = this_month - _DAY
    return [
        Preset("Today", today, today),
        Preset("Yesterday", yesterday, yesterday),
        Preset("Last 7 days", today - 7 * _DAY, yesterday),
        Preset("This month", this_month, today),
        Preset("Last month", month_end.replace(day=1), month_end),
    ]


def day_text(day: date) -> str:
    """Return a day for people: "29 Mar 2026"."""
    return f"{day:%d %b %Y}".lstrip("0")
