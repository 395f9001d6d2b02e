"""
A pot is won once, by the contribution that crosses, however many contribute and fold at once.

Each contribution is in what was won or in the next cycle, never in both and never in none.
"""

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from core import books, locks
from core.actors import Actor, ActorKind
from core.idempotency import IdempotencyKey
from jackpots.enums import DropType
from jackpots.models import Contribution, Instance, Win
from jackpots.services import folding
from jackpots.services.contributions import Wager, contribute
from jackpots.services.drops import drop_pot
from tests.concurrency.sabotage import at_once
from tests.factories.jackpots import InstanceFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import let_the_horizon_pass, meter

pytestmark = pytest.mark.django_db(transaction=True)

TASK = Actor(kind=ActorKind.TASK, ref="fold_contributions")
STAFF = Actor(kind=ActorKind.STAFF, ref="7")
THREADS, EACH, PART = 28, 3, Decimal("0.0101")


def progressive(**pot: Any) -> Instance:
    player = PlayerFactory.create(reference="ada")
    return InstanceFactory.create(operator=player.operator, progressive=True, pots=[pot])


def hiding_an_amount() -> Instance:
    """Return an instance that drops at the fortieth contribution, and then not again."""
    return progressive(
        drop_type=DropType.MUST_HIT_BY_AMOUNT,
        drop_amount=Decimal(1000),
        trigger=PART * 40 - Decimal("0.005"),
    )


def contribute_some(instance: Instance, name: str, count: int = EACH) -> None:
    for number in range(count):
        contribute(
            operator=instance.operator,
            instance_id=instance.pk,
            wager=Wager("ada", Decimal("1.01"), "EUR"),
            follow_links=False,
            key=IdempotencyKey(f"{name}-{number}", "f" * 64),
            now=timezone.now(),
        )


def drop_by_hand(instance: Instance) -> Win:
    return drop_pot(
        operator=instance.operator,
        instance_id=instance.pk,
        pot_name="main",
        player_reference="ada",
        reason="",
        actor=STAFF,
        now=timezone.now(),
    )


def fold(instance: Instance) -> int:
    return folding.fold_instance(instance_id=instance.pk, actor=TASK, now=timezone.now())


def test_the_crossing_contribution_wins_once_under_32_threads_and_concurrent_folds() -> None:
    instance = hiding_an_amount()
    writing = set(range(THREADS))

    def writer(number: int) -> None:
        try:
            contribute_some(instance, str(number))
        finally:
            writing.discard(number)

    def folder() -> None:
        while writing:
            fold(instance)

    at_once(
        [*[lambda n=n: writer(n) for n in range(THREADS)], *[folder] * 4]  # type: ignore[misc]
    )
    let_the_horizon_pass()
    fold(instance)

    [win] = Win.objects.all()
    rows = Contribution.objects.extra(order_by=["xid", "number"])
    assert rows[39] == win.contribution
    assert win.amount == Decimal("0.40")
    # Forty are in what was won and in the remainder; the others grow the next cycle.
    assert meter(instance) == PART * (THREADS * EACH - 40)
    assert books.find_differences() == []


def test_control_without_the_row_lock_a_fold_adds_what_another_has_added(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance = hiding_an_amount()
    contribute_some(instance, "only", 10)
    let_the_horizon_pass()
    both_have_read = threading.Barrier(2)

    def read_without_lock(queryset: Any) -> Any:
        row = queryset.get()
        both_have_read.wait(timeout=60)
        return row

    monkeypatch.setattr(locks, "lock_one", read_without_lock)

    at_once([lambda: fold(instance)] * 2)

    assert meter(instance) == PART * 20
    assert {difference.check for difference in books.find_differences()} == {
        "jackpots.conservation",
        "jackpots.hours",
        "jackpots.meters",
    }


def test_with_the_row_lock_it_adds_nothing_more() -> None:
    instance = hiding_an_amount()
    contribute_some(instance, "only", 10)
    let_the_horizon_pass()

    folded = at_once([lambda: fold(instance)] * 2)

    assert sorted(folded) == [0, 10]
    assert meter(instance) == PART * 10
    assert books.find_differences() == []


def test_drops_by_hand_during_contributions_leave_each_of_them_in_one_cycle() -> None:
    instance = progressive(seed=Decimal(1))
    are_dropped = threading.Event()

    def writer(name: str) -> int:
        count = 0
        while not are_dropped.is_set():
            contribute_some(instance, f"{name}-{count}", 1)
            count += 1
        return count

    def dropper() -> int:
        try:
            for _drop in range(6):
                drop_by_hand(instance)
                fold(instance)
        finally:
            are_dropped.set()
        return 0

    counts = at_once([*[lambda n=n: writer(n) for n in "abcdefgh"], dropper])  # type: ignore[misc]
    let_the_horizon_pass()
    fold(instance)

    wins = list(Win.objects.order_by("cycle"))
    assert [win.cycle for win in wins] == [1, 2, 3, 4, 5, 6]
    # Every seed, every contribution: won, on the meter, or in the reserve, and once.
    pot = instance.pots.get()
    seeds = sum(entry.amount for entry in pot.entries.filter(kind="seed"))
    won = sum(win.amount for win in wins)
    assert won + meter(instance) + pot.reserve == seeds + PART * sum(counts)
    assert books.find_differences() == []
