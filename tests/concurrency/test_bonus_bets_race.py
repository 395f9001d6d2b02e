"""
Bets of one player on bonus money at one instant: no money twice, no progress lost.

The controls take the locks away: then two bets pay with the same money, two late payouts
find the same room below the cap.
"""

import threading
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django_fsm import ConcurrentTransition

from activity.models import Bet
from bonuses.models import BetFunding
from bonuses.services import funding
from core import locks
from core.books import find_differences
from core.errors import DomainError
from tests.bonuses.playing import Play, stored
from tests.concurrency.sabotage import at_once, sabotaged, select_only
from wallets.enums import AccountKind

pytestmark = pytest.mark.django_db(transaction=True)

UNLOCKED = ("FOR NO KEY UPDATE", "")


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


def bets_of(play: Play, count: int, stake: str, payout: str | None = "0") -> list[Any]:
    return [
        outcome(lambda number=number: play.bet(stake, payout, bet_id=f"r-{number}"))
        for number in range(count)
    ]


# The money


def test_control_without_the_locks_bets_count_on_the_same_money(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play = Play()
    play.granted("10.00")
    monkeypatch.setattr(locks, "lock_rows", select_only)
    seen: list[Decimal] = []
    all_have_looked = threading.Barrier(3)
    lock_balances = funding.lock_balances

    def look_together(**kwargs: Any) -> Any:
        locked = lock_balances(**kwargs)
        seen.extend(locked.bonus.values())
        all_have_looked.wait(timeout=60)
        return locked

    monkeypatch.setattr(funding, "lock_balances", look_together)

    with sabotaged("wallets_lock_balances", UNLOCKED):
        at_once(bets_of(play, 3, "10.00"))

    assert seen == [10] * 3


def test_sixteen_bets_on_a_bonus_for_ten_are_ten_bets() -> None:
    play = Play()
    grant = play.granted("10.00")

    outcomes = Counter(at_once(bets_of(play, 16, "1.00")))

    assert outcomes == {"done": 10, "INSUFFICIENT_FUNDS": 6}
    assert (Bet.objects.count(), BetFunding.objects.count()) == (10, 10)
    assert play.in_bonus(grant) == 0
    assert (stored(grant).wagering_progress, stored(grant).total_wagered) == (10, 10)
    assert find_differences() == []


def test_bets_on_real_money_and_two_bonuses_share_all_there_is() -> None:
    play = Play()
    play.has("5.50")
    first, second = play.granted("3.00"), play.granted("4.00")

    outcomes = Counter(at_once(bets_of(play, 16, "1.00")))

    assert outcomes == {"done": 12, "INSUFFICIENT_FUNDS": 4}
    assert (play.main, play.in_bonus(first)) == (0, 0)
    assert play.in_bonus(second) == Decimal("0.50")
    assert find_differences() == []


def test_the_bet_that_meets_the_requirement_completes_once() -> None:
    play = Play()
    play.has("100.00")
    grant = play.granted("10.00", wagering_multiplier=Decimal(1))

    outcomes = Counter(at_once(bets_of(play, 16, "1.00", "2.00")))

    assert outcomes == {"done": 16}
    assert (stored(grant).status, stored(grant).wagering_progress) == ("completed", 10)
    assert play.main == 100 + 16 + 10
    assert find_differences() == []


def test_one_stake_above_the_maximum_among_many_forfeits_once() -> None:
    play = Play()
    play.has("100.00")
    grant = play.granted("10.00", max_bet=Decimal(5))
    above = [outcome(lambda number=number: play.bet("6.00", "0", bet_id=f"above-{number}"))
             for number in range(4)]  # fmt: skip

    outcomes = Counter(at_once([*bets_of(play, 8, "1.00"), *above]))

    assert outcomes == {"done": 12}
    assert stored(grant).status == "forfeited"
    assert [move for move, _amount in play.moves(grant)].count("clawback") == 1
    assert find_differences() == []


# The room below the cap


def late() -> Play:
    """Return a player whose grant has completed with eight bets of one open, a cap of two."""
    play = Play()
    grant = play.granted("10.00", wagering_multiplier=Decimal(1), max_win_cap=Decimal(2))
    for number in range(8):
        play.bet("1.00", bet_id=f"open-{number}")
    play.has("10.00")
    play.bet("12.00", "0")
    assert (stored(grant).status, stored(grant).released_amount) == ("completed", 0)
    return play


def settle_all(play: Play) -> Counter[str]:
    return Counter(
        at_once(
            [
                outcome(lambda number=number: play.settle(f"open-{number}", "3.00"))
                for number in range(8)
            ]
        )
    )


def test_control_without_the_lock_late_payouts_find_the_same_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play = late()
    lock_rows, release_late = locks.lock_rows, funding._release_late

    def lock_no_grants(*args: Any, table: str) -> Any:
        is_grants = table == "bonuses_bonusgrant"
        return (select_only if is_grants else lock_rows)(*args, table=table)

    def release_slowly(*args: Any, **kwargs: Any) -> Any:
        release = release_late(*args, **kwargs)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.3)")
        return release

    monkeypatch.setattr(locks, "lock_rows", lock_no_grants)
    monkeypatch.setattr(funding, "_release_late", release_slowly)

    settle_all(play)

    assert play.main > 12


def test_late_payouts_at_once_share_the_room() -> None:
    play = late()

    assert settle_all(play) == {"done": 8}

    assert (play.main, play.house(AccountKind.BONUS_EXCESS)) == (12, 12)
    assert find_differences() == []


def test_settlements_and_rollbacks_at_once_leave_what_the_bonus_allows() -> None:
    play = late()
    rollbacks = [outcome(lambda number=number: play.roll_back(f"open-{number}"))
                 for number in range(4)]  # fmt: skip
    settlements = [outcome(lambda number=number: play.settle(f"open-{number}", "3.00"))
                   for number in range(8)]  # fmt: skip

    outcomes = Counter(at_once([*rollbacks, *settlements]))

    assert set(outcomes) <= {"done", "BET_ROLLED_BACK"}
    # Four bets of one are as if they had not been, four came back three times.
    assert play.main + play.house(AccountKind.BONUS_EXCESS) == 4 + 4 * 3
    assert play.main == 12
    assert find_differences() == []
