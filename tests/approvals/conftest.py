"""A kind of request that does nothing but count, and one request of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from approvals import ports
from approvals.models import Approval
from approvals.ports import ApprovalKind, Asked
from approvals.services.requesting import request_approval
from core.actors import Actor, ActorKind
from core.errors import DomainError
from operators.models import Operator

SECOND = Actor(kind=ActorKind.STAFF, ref="8")
PAYLOAD = {"amount": "600.00", "currency": "USD", "pots": [{"name": "main", "seed": None}]}


@dataclass
class Recorder:
    """What was done, by whom; or the refusal that doing it meets."""

    done: list[tuple[Asked, Actor]] = field(default_factory=list)
    refusal: DomainError | None = None

    def execute(self, *, asked: Asked, actor: Actor, now: datetime) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.done.append((asked, actor))
        # Something that the database would take back with the rest.
        Operator.objects.filter(pk=asked.operator.pk).update(name="It was done")
        return "It was done."


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """What the kind "test" does."""
    recorder = Recorder()
    monkeypatch.setattr(ports, "_kinds", dict(ports._kinds))
    ports.register_kind(
        ApprovalKind(
            name="test",
            title="Test",
            permission="operators.add_operator",
            execute=recorder.execute,
            obstacle=lambda asked, now: "",
            consequences=lambda asked: ["Something is done."],
        )
    )
    return recorder


def ask(operator: Operator, actor: Actor, now: datetime, **changes: Any) -> Approval:
    """Ask for the operator to be renamed."""
    given: dict[str, Any] = {
        "operator": operator,
        "kind": "test",
        "subject": operator,
        "payload": PAYLOAD,
        "summary": ["Do something", "It is worth it."],
        "reason": "Goodwill",
        "actor": actor,
        "now": now,
    }
    return request_approval(**{**given, **changes})


@pytest.fixture
def asked(recorder: Recorder, operator: Operator, actor: Actor, now: datetime) -> Approval:
    """A request of staff number 7."""
    return ask(operator, actor, now)
