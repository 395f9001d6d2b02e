"""Meters while contributions, folds and readers run at once: always the sum of the rows."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core import books
from core.actors import Actor, ActorKind
from core.idempotency import IdempotencyKey
from jackpots.models import Contribution, Instance
from jackpots.selectors import read_meters
from jackpots.services import folding
from jackpots.services.contributions import Wager, contribute
from tests.concurrency.sabotage import at_once, execute, let_them_read
from tests.factories.jackpots import InstanceFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import let_the_horizon_pass, link, meter

pytestmark = pytest.mark.django_db(transaction=True)

TASK = Actor(kind=ActorKind.TASK, ref="fold_contributions")
POTS = [
    {"name": "Mini", "share": Decimal("0.7")},
    {"name": "Grand", "share": Decimal("0.3")},
]


@pytest.fixture
def instance() -> Instance:
    player = PlayerFactory.create(reference="ada")
    return InstanceFactory.create(operator=player.operator, progressive=True, pots=POTS)


def contribute_once(instance: Instance, key: str) -> None:
    contribute(
        operator=instance.operator,
        instance_id=instance.pk,
        wager=Wager("ada", Decimal("1.01"), "EUR"),
        follow_links=True,
        key=IdempotencyKey(key, "f" * 64),
        now=timezone.now(),
    )


def fold(instance: Instance) -> int:
    return folding.fold_instance(instance_id=instance.pk, actor=TASK, now=timezone.now())


def contribute_and_hold(
    instance: Instance, written: threading.Event, go_on: threading.Event
) -> None:
    """Contribute in a transaction that commits only when told to."""
    try:
        with transaction.atomic():
            contribute_once(instance, "held")
            written.set()
            go_on.wait(timeout=60)
    finally:
        connection.close()


def fold_around_a_held_contribution(instance: Instance) -> None:
    """Fold while one contribution is written and not committed, and another one is."""
    written, go_on = threading.Event(), threading.Event()
    holder = threading.Thread(target=contribute_and_hold, args=(instance, written, go_on))
    holder.start()
    written.wait(timeout=60)
    contribute_once(instance, "committed")
    fold(instance)
    go_on.set()
    holder.join(timeout=60)
    fold(instance)


def test_control_a_fold_that_takes_what_it_sees_loses_what_is_under_way(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    naive = folding._FOLD.replace("pg_snapshot_xmin", "pg_snapshot_xmax")
    monkeypatch.setattr(folding, "_FOLD", naive)

    fold_around_a_held_contribution(instance)

    assert meter(instance) == Decimal("0.0101")
    found = [difference.check for difference in books.find_differences()]
    assert sorted(found) == sorted(
        ["jackpots.conservation", "jackpots.hours", "jackpots.meters"] * 2
    )


def test_a_fold_leaves_what_is_under_way_to_the_next_one(instance: Instance) -> None:
    fold_around_a_held_contribution(instance)

    assert meter(instance) == Decimal("0.0202")
    assert books.find_differences() == []


def test_meters_are_the_sum_of_the_rows_at_every_instant(instance: Instance) -> None:
    linked = InstanceFactory.create(operator=instance.operator, progressive=True, pots=POTS)
    link(instance, linked)
    is_over = threading.Event()
    per_thread = 40
    readings: list[list[tuple[Decimal, Decimal]]] = []

    def writer(number: int) -> Callable[[], Any]:
        def call() -> None:
            for n in range(per_thread):
                if n in (10, 20, 30):
                    let_them_read(readings)
                contribute_once(instance, f"{number}-{n}")

        return call

    def folder() -> None:
        while not is_over.is_set():
            fold(instance)
            fold(linked)

    def reader() -> None:
        while not is_over.is_set():
            found = []
            with transaction.atomic():
                execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                for each in (instance, linked):
                    [[rows]] = execute(
                        "SELECT coalesce(sum(amount), 0) FROM jackpots_contribution"
                        " WHERE instance_id = %s",
                        [each.pk],
                    )
                    found.append((rows, meter(each)))
            readings.append(found)

    def watch() -> None:
        while Contribution.objects.count() < 6 * per_thread * 2:
            pass
        is_over.set()

    at_once([*[writer(n) for n in range(6)], folder, folder, reader, watch])

    pairs = [pair for found in readings for pair in found]
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    # It proves nothing unless the rows grew while they were read.
    assert len({rows for rows, _meter in pairs}) >= 3
    assert meter(instance) == meter(linked) == Decimal("0.0101") * 6 * per_thread
    assert books.find_differences() == []


def test_folds_at_once_add_every_contribution_once(instance: Instance) -> None:
    for number in range(10):
        contribute_once(instance, str(number))
    let_the_horizon_pass()

    folded = at_once([lambda: fold(instance)] * 8)

    assert sorted(folded) == [0] * 7 + [10]
    [mini, grand] = read_meters(instance_ids=[instance.pk])[instance.pk]
    assert (mini.value, grand.value) == (Decimal("0.0707"), Decimal("0.0303"))
