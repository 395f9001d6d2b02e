"""
Sweeps that run at one instant: each win is asked for once, and paid once.

The control takes the lock of the win away: then several ask the platform for it.
"""

import threading
from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from core import locks
from jackpots.models import Win
from jackpots.services.payouts import pay_due_wins
from tests.concurrency.sabotage import at_once
from tests.factories.jackpots import PotFactory, WinFactory
from tests.jackpots.paying import FakeChannel, pay_outside, told
from wallets.models import Transfer

pytestmark = pytest.mark.django_db(transaction=True)

SWEEPS, WINS = 4, 6


@pytest.fixture
def wins(operator: Any) -> list[Win]:
    pot = PotFactory.create(instance__operator=operator, instance__progressive=True)
    return [WinFactory.create(pot=pot, cycle=cycle) for cycle in range(1, WINS + 1)]


@pytest.fixture
def outside(settings: Any) -> FakeChannel:
    return pay_outside(settings)


def sweep_at_once(now: datetime) -> int:
    return sum(at_once([lambda: pay_due_wins(clock=lambda: now, limit=100)] * SWEEPS))


def asked(outside: FakeChannel) -> list[int]:
    """Return how often the platform was asked for each win it was asked for."""
    return sorted(Counter(order.payout_id for order in outside.asked).values())


def test_a_platform_is_asked_once_for_each_win(
    wins: list[Win], outside: FakeChannel, now: datetime
) -> None:
    assert sweep_at_once(now) >= WINS

    assert asked(outside) == [1] * WINS
    assert all(told(win) == [("jackpot.win.paid", "paid")] for win in wins)


def test_our_own_ledger_pays_each_win_once(wins: list[Win], now: datetime) -> None:
    sweep_at_once(now)

    assert Win.objects.filter(status="paid", attempts=1).count() == WINS
    assert Transfer.objects.count() == WINS
    assert all(told(win) == [("jackpot.win.paid", "paid")] for win in wins)


def test_control_without_the_lock_a_platform_is_asked_several_times(
    wins: list[Win], outside: FakeChannel, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_have_looked = threading.Barrier(SWEEPS)
    looked: set[int] = set()

    def look_only(queryset: Any, *, count_max: int | None = None) -> list[Any]:
        found = list(queryset[:count_max])
        if threading.get_ident() not in looked:
            looked.add(threading.get_ident())
            all_have_looked.wait(timeout=60)
        return found

    monkeypatch.setattr(locks, "lock_many_skipping", look_only)
    # All ask for the first win while none has written that it is paid.
    all_have_asked = threading.Barrier(SWEEPS)
    outside.outcomes = [lambda: all_have_asked.wait(timeout=60) and None] * SWEEPS

    sweep_at_once(now)

    assert max(asked(outside)) == SWEEPS
