"""draws.finish_draws: what is broken or in use keeps nobody else's raffle waiting."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core import locks
from core.actors import Actor
from core.models import AuditEntry
from jackpots import tasks
from jackpots.enums import InstanceStatus
from jackpots.models import Draw, Instance
from jackpots.services import draws, folding, instances
from operators.models import Operator
from tests.concurrency.sabotage import at_once
from tests.factories.operators import OperatorFactory
from tests.jackpots.conftest import let_the_horizon_pass, meter
from tests.jackpots.raffles import Raffling, again

SECOND = timedelta(seconds=1)
LIMIT = 3


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Raffling:
    return Raffling(operator, actor, now)


def daily(world: Raffling) -> Instance:
    raffle = world.opened(recurrence="daily")
    world.contributed(raffle, ada=5)
    return raffle


def asked_for(world: Raffling) -> Instance:
    """Return a raffle whose draw was asked for, and interrupted before it was made."""
    raffle = world.opened()
    world.contributed(raffle, ada=5)
    instances.close_instance(
        operator=world.operator, instance_id=raffle.pk, reason="", actor=world.actor, now=world.now
    )
    Draw.objects.filter(instance=raffle).update(requested_at=world.now)
    return raffle


def statuses(raffles: list[Instance]) -> set[str]:
    return {again(raffle).status for raffle in raffles}


@pytest.mark.django_db
def test_broken_raffles_of_one_operator_do_not_starve_those_of_another(
    world: Raffling, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [asked_for(world) for _ in range(2 * LIMIT)]
    # As after a key was lost: their seeds cannot be opened.
    Draw.objects.filter(instance__in=broken).update(seed_sealed="broken")
    sound = asked_for(Raffling(OperatorFactory.create(), world.actor, world.now))

    for number in range(3):
        draws.finish_draws(actor=world.actor, now=world.now + number * SECOND, limit=LIMIT)

    assert again(sound).status == InstanceStatus.DRAWN
    assert statuses(broken) == {InstanceStatus.CLOSING}
    assert "could not be taken on" in caplog.text


@pytest.mark.django_db
def test_a_raffle_that_a_process_dies_of_comes_last_the_next_time(
    world: Raffling, monkeypatch: pytest.MonkeyPatch
) -> None:
    raffles = [daily(world) for _ in range(2)]
    tried: list[Instance] = []

    def die(**given: object) -> None:
        tried.append(Instance.objects.get(pk=given["instance_id"]))
        raise KeyboardInterrupt

    monkeypatch.setattr(draws, "draw_instance", die)
    due = raffles[0].closes_at
    assert due is not None

    for number in range(2):
        with pytest.raises(KeyboardInterrupt):
            draws.finish_draws(actor=world.actor, now=due + number * SECOND, limit=LIMIT)

    assert tried == raffles


def while_somebody_holds(raffle: Instance, then: Callable[[], None]) -> None:
    """Do something while another transaction holds the row of the raffle, as a draw does."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            locks.lock_one(Instance.objects.filter(pk=raffle.pk))
            held.set()
            assert done.wait(timeout=60)

    def act() -> None:
        try:
            assert held.wait(timeout=60)
            then()
        finally:
            done.set()

    at_once([hold, act])


@pytest.mark.django_db(transaction=True)
def test_a_raffle_in_use_is_passed_over_and_not_waited_for(world: Raffling) -> None:
    held, free = daily(world), daily(world)
    due = held.closes_at
    assert due is not None
    waited: list[str] = []

    def sweep() -> None:
        with CaptureQueriesContext(connection) as queries:
            draws.finish_draws(actor=world.actor, now=due, limit=50)
        waited.extend(
            query["sql"]
            for query in queries
            if "FOR NO KEY UPDATE" in query["sql"]
            and "SKIP LOCKED" not in query["sql"]
            and str(held.pk) in query["sql"]
        )

    while_somebody_holds(held, sweep)

    assert again(free).status == InstanceStatus.DRAWN
    assert (again(held).status, waited) == (InstanceStatus.ACTIVE, [])
    assert not AuditEntry.objects.filter(
        action="jackpot.draw.requested", after__instance_id=str(held.pk)
    ).exists()
    # The next run finds it free.
    world.swept(due + SECOND)
    assert again(held).status == InstanceStatus.DRAWN


@pytest.mark.django_db(transaction=True)
def test_meters_of_others_are_folded_while_one_is_in_use(world: Raffling) -> None:
    held, free = daily(world), daily(world)
    let_the_horizon_pass()
    folded: list[int] = []

    def fold() -> None:
        with CaptureQueriesContext(connection) as queries:
            folded.append(folding.fold_contributions(actor=world.actor, now=world.now, limit=9))
        locking = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
        assert len(locking) == 2
        assert all("SKIP LOCKED" in statement for statement in locking)

    while_somebody_holds(held, fold)

    assert folded == [1]
    assert (meter(held), meter(free)) == (5, 5)
    assert folding.fold_contributions(actor=world.actor, now=world.now, limit=9) == 1


def test_draws_have_workers_and_time_of_their_own(settings: Any) -> None:
    router = current_app.amqp.router

    queues = {
        task.name: router.route({}, task.name)["queue"].name
        for task in (tasks.finish_draws, tasks.fold_contributions)
    }

    assert queues == {
        "jackpots.tasks.finish_draws": "draws",
        "jackpots.tasks.fold_contributions": "jackpots",
    }
    assert tasks.finish_draws.time_limit > settings.CELERY_TASK_TIME_LIMIT
