"""Days on the clocks of a time zone: where they begin, and which ones are refused."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.errors import InvalidRequest
from core.zones import start_of_day, zone_names
from reports.rules.periods import Period, check_period, list_presets

HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "first", "since", "until", "hours"),
    [
        ("UTC", "2026-03-29", "2026-03-29T00:00", "2026-03-30T00:00", 24),
        # Clocks go forward at 2 in the morning, and back at 3.
        ("Europe/Malta", "2026-03-28", "2026-03-27T23:00", "2026-03-28T23:00", 24),
        ("Europe/Malta", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00", 23),
        ("Europe/Malta", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00", 25),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00", 25),
        ("Asia/Kolkata", "2026-03-29", "2026-03-28T18:30", "2026-03-29T18:30", 24),
        # They change at midnight: one does not exist, and one comes twice.
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00", "2026-03-29T21:00", 23),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00", 25),
    ],
)
def test_a_day_begins_at_midnight_there_and_ends_where_the_next_begins(
    zone: str, first: str, since: str, until: str, hours: int
) -> None:
    period = Period(day(first), day(first), zone)

    assert (period.since, period.until) == (utc(since), utc(until))
    assert period.until - period.since == hours * HOUR


@pytest.mark.parametrize("zone", ["UTC", "Europe/Malta", "Asia/Beirut", "Australia/Lord_Howe"])
def test_the_days_of_a_year_follow_each_other_without_a_gap(zone: str) -> None:
    period = Period(day("2026-01-01"), day("2026-12-31"), zone)

    bounds = period.bounds(by_day=True)

    assert len(bounds) == 366
    assert bounds == sorted(bounds)
    assert (bounds[0], bounds[-1]) == tuple(period.bounds(by_day=False))
    for number, each in enumerate(period.days):
        alone = Period(each, each, zone)
        assert (alone.since, alone.until) == (bounds[number], bounds[number + 1])


def test_both_days_are_included() -> None:
    period = Period(day("2026-03-01"), day("2026-03-02"), "UTC")

    assert period.days == [day("2026-03-01"), day("2026-03-02")]
    assert str(period) == "1 Mar 2026 to 2 Mar 2026"
    assert str(Period(day("2026-03-01"), day("2026-03-01"), "UTC")) == "1 Mar 2026"


def test_what_is_often_asked_for_goes_by_the_clocks_there() -> None:
    # It is the 1st of March in Auckland, and still February in Malta.
    now = utc("2026-02-28T12:30")

    there = {
        each.title: (each.first, each.last)
        for each in list_presets(zone="Pacific/Auckland", now=now)
    }
    here = {
        each.title: (each.first, each.last) for each in list_presets(zone="Europe/Malta", now=now)
    }

    assert there == {
        "Today": (day("2026-03-01"), day("2026-03-01")),
        "Yesterday": (day("2026-02-28"), day("2026-02-28")),
        "Last 7 days": (day("2026-02-22"), day("2026-02-28")),
        "This month": (day("2026-03-01"), day("2026-03-01")),
        "Last month": (day("2026-02-01"), day("2026-02-28")),
    }
    assert here["This month"] == (day("2026-02-01"), day("2026-02-28"))
    assert here["Last month"] == (day("2026-01-01"), day("2026-01-31"))


@pytest.mark.parametrize(
    ("first", "last", "field", "said"),
    [
        ("0001-01-01", "0001-01-02", "from", "No report begins before 1 Jan 2000."),
        ("1999-12-31", "2000-01-01", "from", "No report begins before 1 Jan 2000."),
        ("9999-12-31", "9999-12-31", "to", "Today is 29 Mar 2026 in Europe/Malta."),
        ("2026-03-02", "2026-03-01", "to", "It must not be before the first day."),
        ("2025-03-01", "2026-03-02", "to", "A report is about 366 days at most."),
        ("2026-03-28", "2026-03-30", "to", "Today is 29 Mar 2026 in Europe/Malta."),
    ],
)
def test_days_that_no_report_is_about_are_refused(
    first: str, last: str, field: str, said: str
) -> None:
    # A quarter past midnight in Malta, on the next day.
    now = utc("2026-03-28T23:15")

    with pytest.raises(InvalidRequest) as refused:
        check_period(first=day(first), last=day(last), zone="Europe/Malta", now=now)

    [error] = refused.value.members["errors"]
    assert (error["pointer"], error["detail"]) == (f"/{field}", said)


def test_the_longest_period_and_today_are_taken() -> None:
    now = utc("2026-03-28T23:15")

    period = check_period(
        first=day("2025-03-29"), last=day("2026-03-29"), zone="Europe/Malta", now=now
    )

    assert len(period.days) == 366
    assert not period.is_over(now=now)
    assert period.is_over(now=utc("2026-03-29T22:00"))


def test_names_of_zones_are_of_places() -> None:
    assert {"UTC", "Europe/Malta", "Asia/Kolkata"} <= set(zone_names())
    assert not {"localtime", "Factory", "posixrules"} & set(zone_names())
    assert start_of_day(day("2026-07-01"), "Europe/Malta") == utc("2026-06-30T22:00")
