"""rules.recurrence: runs close at one time on the wall, whatever the clocks and calendars do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackpots.enums import Recurrence
from jackpots.rules.recurrence import later_by_periods, period_end, run_after

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

    number, closes_at = run_after(
        first, Recurrence.DAILY, run_number=1, now=at("2026-04-02 00:00"), timezone=BERLIN
    )

    # The sixth closes at this very instant, so nobody could contribute to it any more.
    assert (number, closes_at) == (7, at("2026-04-03 00:00"))


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

    following, next_closes_at = run_after(
        anchor, recurrence, run_number=number, now=closes_at, timezone=timezone
    )

    assert following == number + 1
    assert timedelta(hours=22) < next_closes_at - closes_at < timedelta(days=32)
