"""
When runs of a series close: wall times of a time zone, through every change of its clocks.

Periods are counted from the first run, never from the last one, so a month that is too
short (the 31st) or a night in which the clocks change leaves no mark on later runs. A wall
time that does not exist moves forward by the gap; of one that comes twice it is the first.
"""

from datetime import UTC, date, datetime, time, timedelta
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
    """Return the instant at which the clock on the wall shows ``anchor`` and so many periods."""
    if periods == 0:
        # Not by way of the wall: it may show the anchor's time twice.
        return anchor.astimezone(UTC)
    wall = anchor.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    return _instant_of(wall + periods * _PERIODS[recurrence], timezone)


def run_after(
    anchor: datetime, recurrence: Recurrence, *, run_number: int, now: datetime, timezone: str
) -> tuple[int, datetime]:
    """
    Return the number of the first run after ``run_number`` that closes after ``now``, and when.

    Run n closes n - 1 periods after ``anchor``. Runs that would have closed already are
    left out, so their numbers are too.
    """
    number = run_number + 1
    while True:
        closes_at = later_by_periods(anchor, recurrence, periods=number - 1, timezone=timezone)
        if closes_at > now:
            return number, closes_at
        number += 1


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


def _instant_of(wall: datetime, timezone: str) -> datetime:
    # fold=0 is the first of two; of none, it counts on from before the gap.
    return wall.replace(tzinfo=ZoneInfo(timezone), fold=0).astimezone(UTC)
