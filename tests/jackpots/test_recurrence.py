"""rules.recurrence: runs close at one time on the wall, whatever the clocks and calendars do."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackpots.enums import Recurrence
from jackpots.rules import recurrence as rules
from jackpots.rules.recurrence import first_after, later_by_periods, period_end, run_after

BERLIN = "Europe/Berlin"


def at(text: str, timezone: str = BERLIN) -> datetime:
    """Return the instant of a time on the wall; ``+1`` behind it means the second of two."""
    text, _plus, fold = text.partition("+")
    wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone), fold=int(fold or 0))
    return wall.astimezone(UTC)


@pytest.mark.parametrize(
    ("recurrence", "first", "later"),
    [
        # The clocks go forward on 2026-03-29: midnight stays midnight, 23 hours later.
        (Recurrence.DAILY, "2026-03-28 00:00", ["2026-03-29 00:00", "2026-03-30 00:00"]),
        # 02:30 is not there in that night: 03:30 instead, and 02:30 again the day after.
        (Recurrence.DAILY, "2026-03-28 02:30", ["2026-03-29 03:30", "2026-03-30 02:30"]),
        # The clocks go back on 2026-10-25: 02:30 comes twice, and the first one counts.
        (Recurrence.DAILY, "2026-10-24 02:30", ["2026-10-25 02:30", "2026-10-26 02:30"]),
        (Recurrence.WEEKLY, "2026-03-23 00:00", ["2026-03-30 00:00", "2026-04-06 00:00"]),
        (Recurrence.WEEKLY, "2026-10-19 20:00", ["2026-10-26 20:00"]),
        (Recurrence.MONTHLY, "2026-01-31 20:00", ["2026-02-28 20:00", "2026-03-31 20:00"]),
        (Recurrence.MONTHLY, "2028-01-31 20:00", ["2028-02-29 20:00"]),
        (Recurrence.MONTHLY, "2028-02-29 20:00", ["2028-03-29 20:00"]),
    ],
)
def test_later_runs_close_at_the_same_time_on_the_wall(
    recurrence: Recurrence, first: str, later: list[str]
) -> None:
    found = [
        later_by_periods(at(first), recurrence, periods=periods, timezone=BERLIN)
        for periods in range(1, len(later) + 1)
    ]

    assert found == [at(text) for text in later]


def test_a_leap_day_comes_again_after_four_years() -> None:
    first = at("2028-02-29 20:00")

    assert later_by_periods(first, Recurrence.MONTHLY, periods=12, timezone=BERLIN) == at(
        "2029-02-28 20:00"
    )
    assert later_by_periods(first, Recurrence.MONTHLY, periods=48, timezone=BERLIN) == at(
        "2032-02-29 20:00"
    )


def test_the_first_run_closes_at_its_own_instant_also_in_the_second_of_two_hours() -> None:
    second = at("2026-10-25 02:30+1")

    assert later_by_periods(second, Recurrence.DAILY, periods=0, timezone=BERLIN) == second


@pytest.mark.parametrize(
    ("recurrence", "after", "end"),
    [
        (Recurrence.DAILY, "2026-03-28 23:59", "2026-03-29 00:00"),
        (Recurrence.DAILY, "2026-03-29 00:00", "2026-03-30 00:00"),
        (Recurrence.WEEKLY, "2026-03-29 12:00", "2026-03-30 00:00"),
        (Recurrence.WEEKLY, "2026-03-30 00:00", "2026-04-06 00:00"),
        (Recurrence.MONTHLY, "2026-12-31 12:00", "2027-01-01 00:00"),
    ],
)
def test_a_period_ends_at_the_next_local_midnight_monday_or_first(
    recurrence: Recurrence, after: str, end: str
) -> None:
    assert period_end(at(after), recurrence, timezone=BERLIN) == at(end)


def test_runs_whose_time_has_passed_are_left_out() -> None:
    first = at("2026-03-28 00:00")

    found = run_after(
        first, Recurrence.DAILY, run_number=1, now=at("2026-04-02 00:00"), timezone=BERLIN
    )

    # The sixth closes at this very instant, so nobody could contribute to it any more.
    assert found == (7, at("2026-04-03 00:00"))


@given(
    recurrence=st.sampled_from(Recurrence),
    anchor=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    number=st.integers(1, 60),
    timezone=st.sampled_from([BERLIN, "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"]),
)
def test_the_next_run_closes_later_and_after_now(
    recurrence: Recurrence, anchor: datetime, number: int, timezone: str
) -> None:
    closes_at = later_by_periods(anchor, recurrence, periods=number - 1, timezone=timezone)

    found = run_after(anchor, recurrence, run_number=number, now=closes_at, timezone=timezone)

    assert found is not None
    following, next_closes_at = found
    assert following == number + 1
    assert timedelta(hours=22) < next_closes_at - closes_at < timedelta(days=32)


@given(
    recurrence=st.sampled_from(Recurrence),
    anchor=st.datetimes(datetime(2010, 6, 1), datetime(2012, 6, 1), timezones=st.just(UTC)),
    later=st.timedeltas(timedelta(days=-50), timedelta(days=800)),
    periods_min=st.integers(0, 40),
    # Samoa left out the 30th of December 2011.
    timezone=st.sampled_from([BERLIN, "Pacific/Apia", "Pacific/Kiritimati", "UTC"]),
)
def test_the_first_instant_after_another_is_the_one_that_counting_finds(
    recurrence: Recurrence, anchor: datetime, later: timedelta, periods_min: int, timezone: str
) -> None:
    after = anchor + later

    found = first_after(anchor, recurrence, after=after, periods_min=periods_min, timezone=timezone)

    counted = (
        (periods, later_by_periods(anchor, recurrence, periods=periods, timezone=timezone))
        for periods in count(periods_min)
    )
    assert found == next((periods, instant) for periods, instant in counted if instant > after)


@pytest.mark.parametrize("recurrence", Recurrence)
def test_an_anchor_of_long_ago_is_not_counted_up(
    recurrence: Recurrence, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counting(*args: Any, **kwargs: Any) -> datetime:
        asked.append(kwargs["periods"])
        return later_by_periods(*args, **kwargs)

    monkeypatch.setattr(rules, "later_by_periods", counting)

    found = run_after(
        datetime(1, 1, 2, tzinfo=UTC),
        recurrence,
        run_number=1,
        now=at("2026-03-28 00:00"),
        timezone="UTC",
    )

    assert found is not None
    assert at("2026-03-28 00:00") < found[1] < at("2026-04-28 12:00")
    assert len(asked) < 5


@pytest.mark.parametrize("recurrence", Recurrence)
@pytest.mark.parametrize(
    ("anchor", "after", "timezone"),
    [
        ("9999-12-31 23:59", "9999-12-31 23:59", "UTC"),
        ("9999-12-01 12:00", "9999-12-31 12:00", "Pacific/Kiritimati"),
        # On the clocks of New York it is in the year 0.
        ("0001-01-01 00:00", "2026-03-28 00:00", "America/New_York"),
    ],
)
def test_where_the_calendar_ends_there_is_no_later_instant(
    recurrence: Recurrence, anchor: str, after: str, timezone: str
) -> None:
    found = first_after(
        at(anchor, "UTC"), recurrence, after=at(after, "UTC"), periods_min=1, timezone=timezone
    )

    assert found is None
