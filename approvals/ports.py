"""
What apps above tell this one: kinds of requests, and other things that wait for a second person.

They register when they are ready, as checks of the books do, because this app stands below
them and cannot ask.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db.models import QuerySet

from core.actors import Actor


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for. The payload is what the kind wrote, nothing else is believed."""

    approval_id: UUID
    operator: Any
    subject_id: str
    payload: Mapping[str, Any]
    reason: str
    requested_by: Actor


class Execute(Protocol):
    """Does what was asked for, in the caller's transaction, and says what was done."""

    def __call__(self, *, asked: Asked, actor: Actor, now: datetime) -> str:
        """Do it as ``actor``, who approved it; refuse with a DomainError."""


@dataclass(frozen=True, slots=True)
class ApprovalKind:
    """
    One kind of request that a second person decides.

    ``permission`` is what it takes to decide. ``obstacle`` says why it is not possible now
    (empty: it is), ``consequences`` lists in sentences what will happen now. ``follow_up`` is
    called when everything is committed, for what no transaction may wait for; it says what
    came of it. ``ended`` returns the rows that have ended among those that such requests are
    about, by UUID: a request about one of them can never be done any more.
    """

    name: str
    title: str
    permission: str
    execute: Execute
    obstacle: Callable[[Asked, datetime], str]
    consequences: Callable[[Asked], list[str]]
    follow_up: Callable[..., str] | None = None
    ended: Callable[[], QuerySet[Any]] | None = None


#: The columns of the queue, in their order; selectors.QueueItem says what each is.
COLUMNS = (
    "queue_source",
    "queue_id",
    "queue_operator_id",
    "queue_operator",
    "queue_kind",
    "queue_about",
    "queue_amount",
    "queue_currency",
    "queue_asked_at",
    "queue_asked_by_kind",
    "queue_asked_by_ref",
    "queue_expires_at",
    "queue_status",
    "queue_decided_at",
    "queue_decided_by_kind",
    "queue_decided_by_ref",
    "queue_is_over",
)


@dataclass(frozen=True, slots=True)
class QueueSource:
    """
    Something with a lifecycle of its own that waits for a second person, too.

    ``rows`` returns all of them, annotated with COLUMNS; its items wait while they have not
    been decided. ``is_waiting`` and ``is_decided`` are the conditions that an index serves.
    ``verbs`` are the decisions and the names of their pages.
    """

    name: str
    title: str
    model_label: str
    view_permission: str
    decide_permission: str
    rows: Callable[[], QuerySet[Any]]
    is_waiting: Any
    is_decided: Any
    decided_field: str
    asked_field: str
    #: Until when it can be decided; empty if it waits for as long as it takes.
    expires_field: str = ""
    #: What its statuses are called in the queue.
    words: Mapping[str, str] = field(default_factory=dict)
    verbs: tuple[tuple[str, str], ...] = ()


_kinds: dict[str, ApprovalKind] = {}
_sources: dict[str, QueueSource] = {}


def register_kind(kind: ApprovalKind) -> None:
    """Let requests of the kind be made and decided."""
    assert kind.name not in _kinds, f"{kind.name} is registered twice"
    _kinds[kind.name] = kind


def get_kind(name: str) -> ApprovalKind:
    """Return the kind of that name; an unknown one is a bug."""
    return _kinds[name]


def list_kinds() -> list[ApprovalKind]:
    """Return all kinds, by their titles."""
    return sorted(_kinds.values(), key=lambda kind: kind.title)


def register_source(source: QueueSource) -> None:
    """Show what waits there in the queue."""
    assert source.name not in _sources, f"{source.name} is registered twice"
    assert source.name not in _kinds, f"{source.name} is a kind"
    _sources[source.name] = source


def list_sources() -> list[QueueSource]:
    """Return all sources, by their titles."""
    return sorted(_sources.values(), key=lambda source: source.title)
