"""
Every move of an instance: the ones that exist, and all the ones that do not.

Said three times: by the state machine, by the services, which add who may move when, and
by the database, for whoever comes past both.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from core.actors import Actor
from core.errors import NotFound
from core.models import AuditEntry
from jackpots.enums import InstanceStatus
from jackpots.errors import InstanceWrongState
from jackpots.models import Instance
from jackpots.services import instances
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import OperatorFactory

# The whole machine on one screen. A move that is not listed must be refused.
MOVES = {
    ("draft", "activate"): "active",
    ("draft", "cancel"): "cancelled",
    ("active", "close"): "closing",
    ("closing", "draw"): "drawn",
    ("closing", "settle"): "closed",
    ("drawn", "settle"): "closed",
}
VERBS: dict[str, Callable[[Instance, datetime], None]] = {
    "activate": lambda instance, now: instance.activate(now=now),
    "cancel": lambda instance, now: instance.cancel(now=now),
    "close": lambda instance, now: instance.close(now=now),
    "draw": lambda instance, now: instance.draw(now=now),
    "settle": lambda instance, now: instance.settle(now=now),
}
#: The instant that a move sets, by the state it leads to.
INSTANTS = {
    "active": "activated_at",
    "cancelled": "cancelled_at",
    "closing": "closing_at",
    "drawn": "drawn_at",
    "closed": "closed_at",
}

# What each service allows, by state and pause; the state it leads to, and paused or not.
ALLOWED = {
    ("draft", False, "activate"): ("active", False),
    ("draft", False, "cancel"): ("cancelled", False),
    ("active", False, "close"): ("closing", False),
    ("active", True, "close"): ("closing", True),
    ("active", False, "pause"): ("active", True),
    ("active", True, "resume"): ("active", False),
}
SERVICES = {
    "activate": instances.activate_instance,
    "cancel": instances.cancel_instance,
    "close": instances.close_instance,
    "pause": instances.pause_instance,
    "resume": instances.resume_instance,
}


def stored(instance: Instance) -> Instance:
    return Instance.objects.get(pk=instance.pk)


def row(instance: Instance) -> dict[str, Any]:
    """Return every column of the instance as stored."""
    return Instance.objects.filter(pk=instance.pk).values().get()


# The state machine


def test_table_names_every_transition() -> None:
    declared = {move.name for move in Instance().get_all_status_transitions()}

    assert declared == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", InstanceStatus.values)
def test_move(status: str, verb: str, now: datetime) -> None:
    instance = InstanceFactory.build(status=status)
    target = MOVES.get((status, verb))

    if target is None:
        with pytest.raises(TransitionNotAllowed):
            VERBS[verb](instance, now)
        assert instance.status == status
    else:
        VERBS[verb](instance, now)
        assert instance.status == target
        assert getattr(instance, INSTANTS[target]) == now


def test_status_cannot_be_assigned() -> None:
    instance = InstanceFactory.build()

    with pytest.raises(AttributeError):
        instance.status = InstanceStatus.DRAFT


def test_a_row_is_read_again_and_never_refreshed() -> None:
    with pytest.raises(RuntimeError):
        InstanceFactory.build().refresh_from_db()


@pytest.mark.django_db
def test_a_stale_row_cannot_overwrite_a_newer_state(now: datetime) -> None:
    instance = InstanceFactory.create(status=InstanceStatus.DRAFT)
    stale = stored(instance)
    instance.activate(now=now)
    instance.save(update_fields=["status", "activated_at"])

    stale.cancel(now=now)
    with pytest.raises(ConcurrentTransition), transaction.atomic():
        stale.save(update_fields=["status", "cancelled_at"])

    assert stored(instance).status == InstanceStatus.ACTIVE


# The services


@pytest.fixture
def move(operator: Operator, actor: Actor, now: datetime) -> Callable[..., Instance]:
    """Return a function that calls the service of a verb for ``operator``."""

    def call(verb: str, instance: Any, reason: str = "Because") -> Instance:
        return SERVICES[verb](
            operator=operator,
            instance_id=getattr(instance, "pk", instance),
            reason=reason,
            actor=actor,
            now=now,
        )

    return call


#: Only what is active can be paused, and what was paused at its end stays so.
CONDITIONS = [(status, False) for status in InstanceStatus.values] + [
    ("active", True),
    ("closing", True),
    ("closed", True),
]


@pytest.mark.django_db
@pytest.mark.parametrize("verb", SERVICES)
@pytest.mark.parametrize(("status", "is_paused"), CONDITIONS)
def test_service(
    status: str, is_paused: bool, verb: str, operator: Operator, move: Callable[..., Instance]
) -> None:
    instance = InstanceFactory.create(operator=operator, status=status, paused=is_paused)
    before = row(instance)
    leads_to = ALLOWED.get((status, is_paused, verb))

    if leads_to is None:
        with pytest.raises(InstanceWrongState):
            move(verb, instance)
        assert row(instance) == before
        assert not AuditEntry.objects.exists()
    else:
        moved = move(verb, instance)
        after = stored(instance)
        assert (after.status, after.is_paused) == leads_to
        assert (moved.status, moved.is_paused) == leads_to
        # A contribution decided upon the old state is refused by the database.
        assert after.revision == before["revision"] + 1
        assert AuditEntry.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verb", "status", "is_paused", "action", "before", "after"),
    [
        ("activate", "draft", False, "activated", {"status": "draft"}, {"status": "active"}),
        ("cancel", "draft", False, "cancelled", {"status": "draft"}, {"status": "cancelled"}),
        ("close", "active", False, "closed", {"status": "active"}, {"status": "closing"}),
        (
            "pause",
            "active",
            False,
            "paused",
            {"paused_at": None, "paused_reason": ""},
            {"paused_at": "2026-03-29T00:59:00Z", "paused_reason": "Because"},
        ),
        (
            "resume",
            "active",
            True,
            "resumed",
            {"paused_at": "2026-01-01T06:00:00Z", "paused_reason": "Under review"},
            {"paused_at": None, "paused_reason": ""},
        ),
    ],
)
def test_a_move_is_audited_with_its_reason(
    verb: str,
    status: str,
    is_paused: bool,
    action: str,
    before: Any,
    after: Any,
    operator: Operator,
    actor: Actor,
    move: Callable[..., Instance],
) -> None:
    instance = InstanceFactory.create(operator=operator, status=status, paused=is_paused)

    move(verb, instance, "Because")

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == (f"jackpot.instance.{action}", "Because")
    assert (entry.before, entry.after) == (before, after)
    assert (entry.actor_kind, entry.actor_ref) == (actor.kind, actor.ref)
    assert (entry.operator_id, entry.subject_id) == (operator.pk, str(instance.pk))


@pytest.mark.django_db
@pytest.mark.parametrize("verb", SERVICES)
def test_a_move_locks_only_the_instance(
    verb: str, operator: Operator, move: Callable[..., Instance], record_locks: Any
) -> None:
    status, is_paused = next(key[:2] for key in ALLOWED if key[2] == verb)
    instance = InstanceFactory.create(operator=operator, status=status, paused=is_paused)

    with record_locks() as tables:
        move(verb, instance)

    assert tables == ["jackpots_instance"]


@pytest.mark.django_db
@pytest.mark.parametrize("verb", SERVICES)
def test_another_operators_instance_does_not_exist(
    verb: str, move: Callable[..., Instance]
) -> None:
    status, is_paused = next(key[:2] for key in ALLOWED if key[2] == verb)
    theirs = InstanceFactory.create(
        operator=OperatorFactory.create(), status=status, paused=is_paused
    )
    before = row(theirs)

    with pytest.raises(NotFound) as foreign:
        move(verb, theirs)
    with pytest.raises(NotFound) as absent:
        move(verb, uuid4())

    assert str(foreign.value) == str(absent.value)
    assert row(theirs) == before


# The database


# What the database asks of each state, so that nothing but the move itself can be wrong.
COLUMNS = {
    "draft": (),
    "active": ("activated_at",),
    "closing": ("activated_at", "closing_at"),
    "drawn": ("activated_at", "closing_at", "drawn_at"),
    "closed": ("activated_at", "closing_at", "closed_at"),
    "cancelled": ("cancelled_at",),
}


def set_status(instance: Instance, target: str, now: datetime) -> None:
    """Write ``target`` and the instants that belong to it past all of our code."""
    columns = ("activated_at", "closing_at", "drawn_at", "closed_at", "cancelled_at")
    instants = ", ".join(f"{column} = %s" for column in columns)
    values = [now if column in COLUMNS[target] else None for column in columns]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE jackpots_instance SET status = %s, {instants} WHERE id = %s",
            [target, *values, instance.pk],
        )


@pytest.mark.django_db
@pytest.mark.parametrize("target", InstanceStatus.values)
@pytest.mark.parametrize("status", InstanceStatus.values)
def test_the_database_repeats_the_machine(status: str, target: str, now: datetime) -> None:
    instance = InstanceFactory.create(status=status)
    is_move = target in {
        leads_to for (source, _verb), leads_to in MOVES.items() if source == status
    }

    if is_move or status == target:
        set_status(instance, target, now)
        assert stored(instance).status == target
    else:
        with pytest.raises(ProgrammingError, match="Invalid transition"):
            set_status(instance, target, now)
        assert stored(instance).status == status


@pytest.mark.django_db
def test_the_database_wants_the_instant_of_a_move() -> None:
    instance = InstanceFactory.create(status=InstanceStatus.DRAFT)

    with (
        pytest.raises(IntegrityError, match="instance_state_has_its_instants"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE jackpots_instance SET status = 'active' WHERE id = %s", [instance.pk]
        )

    assert stored(instance).status == InstanceStatus.DRAFT


@pytest.mark.django_db
def test_the_database_wants_a_reason_for_a_pause(now: datetime) -> None:
    instance = InstanceFactory.create()

    with (
        pytest.raises(IntegrityError, match="instance_paused_with_a_reason"),
        transaction.atomic(),
    ):
        Instance.objects.filter(pk=instance.pk).update(paused_at=now)

    assert not stored(instance).is_paused


@pytest.mark.django_db
def test_the_database_never_deletes_an_instance() -> None:
    instance = InstanceFactory.create(status=InstanceStatus.CANCELLED, pots=())

    with (
        pytest.raises(ProgrammingError, match="Cannot delete"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM jackpots_instance WHERE id = %s", [instance.pk])

    assert stored(instance).status == InstanceStatus.CANCELLED
