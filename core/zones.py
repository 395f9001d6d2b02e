"""Time zones by their IANA names, and when a day begins on the clocks of one."""

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

#: Names that say nothing: of the machine that runs, of no place, or of a file's format.
_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})


@cache
def zone_names() -> tuple[str, ...]:
    """Return the names of all time zones, in order."""
    return tuple(sorted(available_timezones() - _NO_PLACES))


def start_of_day(day: date, zone: str) -> datetime:
    """
    Return the first instant of ``day`` on the clocks of ``zone``, in UTC.

    Where clocks change at midnight, a midnight that does not exist is the instant of the
    change, and of one that comes twice it is the first.
    """
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)
