"""When bets are placed, and how many there is time for."""

import numpy as np
import pytest

from simulations.rules.pace import Pace


@pytest.mark.parametrize(
    ("seconds", "bets"),
    [
        (0, 0),
        (10, 0),
        # The tenth second is the instant of the first bet: a limit is exclusive.
        (11, 1),
        (20, 1),
        (21, 2),
        (2 * 3600, 719),
        (2 * 3600 + 1, 720),
        (24 * 3600, 720),
        (24 * 3600 + 11, 721),
        (7 * 24 * 3600, 7 * 720),
    ],
)
def test_bets_before_a_limit_are_counted_to_the_second(seconds: int, bets: int) -> None:
    assert Pace(bets_per_hour=360, hours_per_day=2).bets_before(seconds) == bets


def test_around_the_clock_a_bet_at_the_last_instant_is_too_late() -> None:
    pace = Pace(bets_per_hour=1, hours_per_day=24)

    assert pace.bets_before(24 * 3600) == 23
    assert pace.bets_before(24 * 3600 + 1) == 24


def test_a_pace_that_divides_no_hour_is_exact() -> None:
    pace = Pace(bets_per_hour=7, hours_per_day=1)

    # 3600 / 7 s are between 514 and 515.
    assert (pace.bets_before(514), pace.bets_before(515)) == (0, 1)
    assert (pace.bets_before(3600), pace.bets_before(3601)) == (6, 7)


def test_a_bet_has_its_hour() -> None:
    pace = Pace(bets_per_hour=10, hours_per_day=2)

    assert pace.hours_of(np.array([0, 1, 10, 20, 21])).tolist() == [0, 0.1, 1, 2, 24.1]
