"""
When runs of a series close: wall times of a time zone, through every change of its clocks.

Periods are counted from the first run, never from the last one, so a month that is too
short (the 31st) or a night in which the clocks change leaves no mark on later runs. A wall
time that does not exist moves forward by the gap; of one that comes twice it is the first.
"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from jackpots.enums import Recurrence

_PERIODS = {
    Recurrence.DAILY: relativedelta(days=1),
    Recurrence.WEEKLY: relativedelta(weeks=1),
    Recurrence.MONTHLY: relativedelta(months=1),
}


def later_by_periods(
    anchor: datetime, recurrence: Recurrence, *, periods: int, timezone: str
) -> datetime:
    """
    Return the instant at which the clock on the wall shows ``anchor`` and so many periods.

    :raises OverflowError: if that is beyond the calendar, which has the years 1 to 9999.
    """
    if periods == 0:
        # Not by way of the wall: it may show the anchor's time twice.
        return anchor.astimezone(UTC)
    wall = anchor.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    try:
        later = wall + periods * _PERIODS[recurrence]
    except ValueError as error:
        # So months say it; days and weeks overflow.
        raise OverflowError(str(error)) from error
    return _instant_of(later, timezone)


def first_after(
    anchor: datetime, recurrence: Recurrence, *, after: datetime, periods_min: int, timezone: str
) -> tuple[int, datetime] | None:
    """
    Return the first instant after ``after`` that is whole periods from ``anchor``.

    Before it, how many they are: at least ``periods_min``. None if the calendar ends before.
    """
    try:
        near = _periods_between(anchor, after, recurrence, timezone=timezone)
        for periods in count(max(periods_min, near)):
            instant = later_by_periods(anchor, recurrence, periods=periods, timezone=timezone)
            if instant > after:
                return periods, instant
    except OverflowError:
        pass
    return None


def run_after(
    anchor: datetime, recurrence: Recurrence, *, run_number: int, now: datetime, timezone: str
) -> tuple[int, datetime] | None:
    """
    Return the number of the first run after ``run_number`` that closes after ``now``, and when.

    Run n closes n - 1 periods after ``anchor``. Runs that would have closed already are
    left out, so their numbers are too. None if the calendar ends before.
    """
    found = first_after(anchor, recurrence, after=now, periods_min=run_number, timezone=timezone)
    return None if found is None else (found[0] + 1, found[1])


def period_end(after: datetime, recurrence: Recurrence, *, timezone: str) -> datetime:
    """Return the first start of a local day, week (Monday) or month after the instant."""
    today = after.astimezone(ZoneInfo(timezone)).date()
    match recurrence:
        case Recurrence.DAILY:
            end = today + timedelta(days=1)
        case Recurrence.WEEKLY:
            end = today + timedelta(days=7 - today.weekday())
        case Recurrence.MONTHLY:
            end = date(today.year, today.month, 1) + relativedelta(months=1)
    return _instant_of(datetime.combine(end, time.min), timezone)


def _periods_between(
    anchor: datetime, after: datetime, recurrence: Recurrence, *, timezone: str
) -> int:
    """Return a number of periods by which ``anchor`` does not pass ``after``, or hardly fewer."""
    zone = ZoneInfo(timezone)
    begin, end = anchor.astimezone(zone).date(), after.astimezone(zone).date()
    match recurrence:
        case Recurrence.DAILY:
            near = (end - begin).days
        case Recurrence.WEEKLY:
            near = (end - begin).days // 7
        case Recurrence.MONTHLY:
            near = 12 * (end.year - begin.year) + end.month - begin.month
    # One for the time of the day, and one for a zone that left out, or repeated, a whole day.
    return near - 2


def _instant_of(wall: datetime, timezone: str) -> datetime:
    # fold=0 is the first of two; of none, it counts on from before the gap.
    return wall.replace(tzinfo=ZoneInfo(timezone), fold=0).astimezone(UTC)
