"""
A bet that meets the requirement, the sweep, and a cancel, at one instant: one end, one clawback.

The control takes the grant's lock away: then two of them decide, and the state machine of
the database is all that stops the second.
"""

from collections import Counter
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError
from django_fsm import ConcurrentTransition

from bonuses.models import BonusGrant
from core import locks
from core.books import find_differences
from core.errors import DomainError
from tests.bonuses.playing import Play, stored
from tests.concurrency.sabotage import at_once, reading_together

pytestmark = pytest.mark.django_db(transaction=True)

ENDS = {"completed": "release", "expired": "clawback", "cancelled": "clawback"}


def begin() -> tuple[Play, BonusGrant]:
    """Return a player with a grant of ten, one bet away from its requirement of ten."""
    play = Play()
    grant = play.granted("10.00", wagering_multiplier=Decimal(1))
    play.has("100.00")
    play.bet("9.00", "0")
    play.bet("1.00", bet_id="last")
    play.bet("1.00", bet_id="late")
    return play, grant


def at(play: Play, after: timedelta) -> Play:
    """Return the same player at another instant."""
    other = copy(play)
    other.now = play.now + after
    return other


def outcome(work: Callable[[], Any]) -> Callable[[], str]:
    def run() -> str:
        try:
            work()
        except DomainError as refusal:
            return refusal.code
        except (ConcurrentTransition, DatabaseError) as error:
            return type(error).__name__
        return "done"

    return run


def ends_of(play: Play, grant: BonusGrant) -> tuple[str, list[str]]:
    moves = [move for move, _amount in play.moves(grant) if move in ("release", "clawback")]
    return str(stored(grant).status), moves


def test_control_without_the_lock_several_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    play, grant = begin()
    monkeypatch.setattr(locks, "lock_many", reading_together(3))

    outcomes = at_once([outcome(lambda: play.end(grant, "cancel"))] * 3)

    # The later ones find their row changed under them: no refusal, but a crash.
    assert Counter(outcomes)["BONUS_GRANT_CLOSED"] == 0
    assert Counter(outcomes)["done"] == 1


@pytest.mark.parametrize("number", range(8))
def test_a_bet_the_sweep_and_a_cancel_end_a_grant_once(number: int) -> None:
    play, grant = begin()
    week = timedelta(days=7)
    late, early = at(play, week), at(play, week - timedelta(microseconds=1))
    work = [
        outcome(lambda: early.settle("last", "0")),
        outcome(late.sweep),
        outcome(lambda: early.end(grant, "cancel")),
        outcome(lambda: late.settle("late", "0")),
    ]

    outcomes = at_once(work[number % 4 :] + work[: number % 4])

    status, moves = ends_of(play, grant)
    assert set(outcomes) <= {"done", "BONUS_GRANT_CLOSED"}
    assert moves == [ENDS[status]]
    assert play.in_bonus(grant) == 0
    assert play.main == 89 + (10 if status == "completed" else 0)
    assert find_differences() == []


def test_a_grant_is_cancelled_once_by_many() -> None:
    play, grant = begin()

    outcomes = Counter(at_once([outcome(lambda: play.end(grant, "cancel"))] * 16))

    assert outcomes == {"done": 1, "BONUS_GRANT_CLOSED": 15}
    assert ends_of(play, grant) == ("cancelled", ["clawback"])


def test_sweeps_at_once_share_the_work() -> None:
    players = [begin() for _ in range(6)]

    swept = at_once([at(play, timedelta(days=7)).sweep for play, _grant in players])

    assert sum(swept) == 6
    assert {ends_of(play, grant)[0] for play, grant in players} == {"expired"}
    assert find_differences() == []
