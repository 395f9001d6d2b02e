"""When a message is sent again: ten attempts over three days, none of them at the same instant."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.webhooks.schedule import ATTEMPTS_MAX, delay_after


def test_the_schedule_is_that_of_standard_webhooks() -> None:
    delays = [delay_after(attempts, luck=0.5) for attempts in range(1, ATTEMPTS_MAX + 1)]

    assert delays == [
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
        timedelta(hours=14),
        timedelta(hours=20),
        timedelta(hours=24),
        None,
    ]


@pytest.mark.parametrize("luck", [0.0, 0.5, 1.0])
def test_it_lasts_three_days(luck: float) -> None:
    waits = [delay_after(attempts, luck=luck) for attempts in range(1, ATTEMPTS_MAX)]
    whole = sum((wait for wait in waits if wait is not None), timedelta())

    assert timedelta(days=2, hours=18) < whole < timedelta(days=3, hours=12)


@given(attempts=st.integers(1, ATTEMPTS_MAX - 1), luck=st.floats(0, 1))
def test_luck_changes_it_by_a_tenth_at_most(attempts: int, luck: float) -> None:
    plain, wait = delay_after(attempts, luck=0.5), delay_after(attempts, luck=luck)

    assert plain is not None
    assert wait is not None
    assert 0.899 * plain <= wait <= 1.101 * plain


def test_two_that_failed_together_do_not_come_back_together() -> None:
    assert delay_after(3, luck=0.1) != delay_after(3, luck=0.9)
