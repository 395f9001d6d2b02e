"""
Rollbacks at one instant: of one contribution, of one request, and beside contributions.

Each leg is taken back once, the player's money comes back once, and no ticket is counted
twice or lost.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from core.actors import Actor, ActorKind
from core.books import check_books
from core.errors import DomainError
from core.idempotency import IdempotencyKey
from jackpots.enums import RollbackScope
from jackpots.models import Contribution, Instance
from jackpots.services import rollbacks
from jackpots.services.batches import BatchItem, contribute_batch
from jackpots.services.contributions import Wager
from jackpots.services.rollbacks import rollback_contribution
from players.models import Player
from tests.concurrency.sabotage import at_once, execute, sabotaged
from tests.factories.jackpots import InstanceFactory, contribution_by
from tests.factories.players import PlayerFactory
from tests.faults.forking import KILLED, run_forked
from tests.jackpots.conftest import link, meter
from tests.jackpots.test_player_funded import balance, fund

pytestmark = pytest.mark.django_db(transaction=True)

KEY = Actor(kind=ActorKind.API_KEY, ref="wf_1")


@pytest.fixture
def player() -> Player:
    return PlayerFactory.create(reference="ada", currency="EUR")


@pytest.fixture
def instances(player: Player) -> list[Instance]:
    """Two raffles that the player pays for, the first linked to the second."""
    fund(player, "100.00")
    pair = InstanceFactory.create_batch(2, operator=player.operator, funding="player")
    link(*pair)
    return pair


def rolling_back(
    contribution: Contribution, scope: RollbackScope = RollbackScope.LEG
) -> Callable[[], str]:
    """Return a call that rolls back and returns what went wrong."""

    def call() -> str:
        try:
            rollback_contribution(
                operator=contribution.operator,
                contribution_id=contribution.pk,
                scope=scope,
                actor=KEY,
                now=timezone.now(),
            )
        except DomainError as error:
            return error.code
        return ""

    return call


def test_control_without_the_locks_and_the_constraint_a_leg_is_taken_back_twice(
    player: Player, instances: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    leg = contribution_by(player, instances[0], "150.00")
    contribution_by(player, instances[0], "150.00")
    monkeypatch.setattr(rollbacks.locks, "lock_many", list)
    monkeypatch.setattr(rollbacks.locks, "lock_number_exclusively", lambda *_: None)
    all_have_looked, write = threading.Barrier(4), rollbacks._write_reversals

    def write_together(legs: Any, *, now: datetime) -> None:
        all_have_looked.wait(timeout=60)
        write(legs, now=now)

    monkeypatch.setattr(rollbacks, "_write_reversals", write_together)
    [(index,)] = execute("SELECT pg_get_indexdef('contribution_is_reversed_once'::regclass)")
    execute("DROP INDEX contribution_is_reversed_once")
    try:
        at_once([rolling_back(leg)] * 4)

        assert Contribution.objects.filter(reverses=leg).count() == 4
    finally:
        execute("TRUNCATE jackpots_contribution CASCADE")
        execute(index)


def test_rollbacks_of_one_request_at_once_take_each_leg_back_once(
    player: Player, instances: list[Instance]
) -> None:
    main = contribution_by(player, instances[0], "150.00")
    linked = Contribution.objects.get(instance=instances[1])

    failures = at_once(
        [
            *[rolling_back(main)] * 3,
            *[rolling_back(linked)] * 3,
            *[rolling_back(main, RollbackScope.REQUEST)] * 3,
            *[rolling_back(linked, RollbackScope.REQUEST)] * 3,
        ]
    )

    assert set(failures) == {""}
    assert Contribution.objects.filter(status="reversal").count() == 2
    assert [meter(each) for each in instances] == [0, 0]
    assert balance(player) == Decimal(100)


def test_rollbacks_beside_contributions_count_every_ticket_once(
    player: Player, instances: list[Instance]
) -> None:
    legs = [contribution_by(player, instances[0], "50.00") for _number in range(6)]

    def contributing() -> str:
        contribution_by(player, instances[0], "50.00")
        return ""

    failures = at_once(
        [*[rolling_back(leg, RollbackScope.REQUEST) for leg in legs], *[contributing] * 6]
    )

    assert set(failures) == {""}
    for instance in instances:
        rows = Contribution.objects.filter(instance=instance).order_by("number")
        assert rows.last().accumulated == meter(instance) == 3
        assert sum(row.tickets_earned for row in rows) == rows.last().tickets_total == 3
    assert balance(player) == Decimal(94)
    assert check_books(started_at=timezone.now(), clock=timezone.now).differences == []


def race_batches(player: Player) -> QuerySet[Contribution]:
    """Take six contributions back beside two batches of six; return all rows in their order."""
    raffle = InstanceFactory.create(operator=player.operator)
    legs = [contribution_by(player, raffle, "50.00") for _number in range(6)]

    def batch(name: str) -> Callable[[], str]:
        wager = Wager(player.reference, Decimal("50.00"), "EUR")
        items = [
            BatchItem(IdempotencyKey(f"{name}-{n}", "f" * 64), raffle.pk, wager) for n in range(6)
        ]

        def call() -> str:
            contribute_batch(operator=raffle.operator, items=items, now=timezone.now())
            return ""

        return call

    failures = at_once([*map(rolling_back, legs), batch("first"), batch("second")])

    assert set(failures) == {""}
    return Contribution.objects.filter(instance=raffle).order_by("number")


def test_control_without_the_instances_lock_tickets_are_lost_beside_batches(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollbacks.locks, "lock_shared", lambda *_: None)

    # What a batch has written is seen late, so that a rollback beside it counts without it.
    with sabotaged(
        "jackpots_contribute_batch",
        ("RETURN v_outcomes;", "PERFORM pg_sleep(0.1); RETURN v_outcomes;"),
    ):
        rows = race_batches(player)

    assert rows.last().accumulated != meter(rows.last().instance)


def test_rollbacks_beside_batches_count_every_ticket_once(player: Player) -> None:
    rows = race_batches(player)

    assert rows.last().accumulated == meter(rows.last().instance) == 6
    assert sum(row.tickets_earned for row in rows) == rows.last().tickets_total == 6
    assert check_books(started_at=timezone.now(), clock=timezone.now).differences == []


def test_a_rollback_whose_process_dies_has_happened_wholly_or_not_at_all(
    player: Player, instances: list[Instance]
) -> None:
    leg = contribution_by(player, instances[0], "150.00")
    roll_back = rolling_back(leg, RollbackScope.REQUEST)

    for _kill in range(2):
        assert run_forked(roll_back, failpoints="rollback.before_commit:kill") == KILLED
        assert state(player, instances) == [Decimal("1.5"), Decimal("1.5"), Decimal(97), 0]
    roll_back()

    assert state(player, instances) == [0, 0, Decimal(100), 2]


def state(player: Player, instances: list[Instance]) -> list[Any]:
    """Return both meters, what the player has, and how many reversals there are."""
    reversals = Contribution.objects.filter(status="reversal").count()
    return [*[meter(each) for each in instances], balance(player), reversals]
