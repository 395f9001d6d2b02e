"""
Several people approve one request at one instant: it is done once.

The control takes the advisory lock away: the request is then done by each of them at once,
and only the request's own row, written last, keeps the others from being committed.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone
from django_fsm import ConcurrentTransition

from approvals import ports
from approvals.errors import ApprovalClosed
from approvals.models import Approval
from approvals.ports import ApprovalKind, Asked
from approvals.services import deciding
from core.actors import Actor, ActorKind
from core.models import AuditEntry
from operators.models import Operator
from tests.concurrency.sabotage import at_once
from tests.factories.approvals import ApprovalFactory
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = ("8", "9", "10", "11")


class Effect:
    """What is done: a row is written, and how often that was begun is counted."""

    def __init__(self, barrier: threading.Barrier | None = None) -> None:
        self.barrier = barrier
        self.begun: list[str] = []

    def execute(self, *, asked: Asked, actor: Actor, now: datetime) -> str:
        self.begun.append(actor.ref)
        Operator.objects.create(slug=f"done-by-{actor.ref}", name="Done", created_at=now)
        if self.barrier is not None:
            self.barrier.wait(timeout=60)
        return "It was done."


def register(monkeypatch: pytest.MonkeyPatch, effect: Effect) -> None:
    monkeypatch.setattr(ports, "_kinds", {})
    ports.register_kind(
        ApprovalKind(
            name="test",
            title="Test",
            permission="operators.add_operator",
            execute=effect.execute,
            obstacle=lambda asked, now: "",
            consequences=lambda asked: [],
        )
    )


def approving(asked: Approval, person: str) -> Callable[[], str]:
    """Return a call with which ``person`` approves, and says what became of it."""

    def call() -> str:
        try:
            deciding.apply_approval(
                operator=asked.operator,
                approval_id=asked.pk,
                fingerprint=asked.fingerprint,
                reason="Agreed",
                actor=Actor(kind=ActorKind.STAFF, ref=person),
                now=timezone.now(),
            )
        except ApprovalClosed:
            return "decided already"
        except ConcurrentTransition:
            return "thrown back"
        return "applied"

    return call


@pytest.fixture
def asked() -> Any:
    operator = OperatorFactory.create()
    return ApprovalFactory.create(
        operator=operator, kind="test", subject=operator, requested_at=timezone.now()
    )


def done_by() -> list[str]:
    return list(Operator.objects.filter(name="Done").values_list("slug", flat=True))


def test_control_without_the_lock_each_begins_to_do_it(
    monkeypatch: pytest.MonkeyPatch, asked: Approval
) -> None:
    effect = Effect(threading.Barrier(2))
    register(monkeypatch, effect)
    monkeypatch.setattr(deciding.locks, "lock_exclusively", lambda lock, key: None)

    outcomes = at_once([approving(asked, person) for person in PEOPLE[:2]])

    assert sorted(effect.begun) == sorted(PEOPLE[:2])
    # What the state machine saves then: the second one's effect is taken back with it.
    assert sorted(outcomes) == ["applied", "thrown back"]
    assert len(done_by()) == 1


def test_of_many_at_one_instant_one_has_it_done(
    monkeypatch: pytest.MonkeyPatch, asked: Approval
) -> None:
    effect = Effect()
    register(monkeypatch, effect)

    outcomes = at_once([approving(asked, person) for person in PEOPLE])

    assert sorted(outcomes) == ["applied"] + ["decided already"] * 3
    assert len(effect.begun) == 1
    assert done_by() == [f"done-by-{effect.begun[0]}"]
    assert Approval.objects.get().decided_by_ref == effect.begun[0]
    assert AuditEntry.objects.filter(action="approval.applied").count() == 1
