"""Reads of approvals: what one person may do alone, and everything that waits for a second one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Cast

from approvals import ports
from approvals.enums import ApprovalStatus, Limit
from approvals.models import Approval, ApprovalSettings
from approvals.ports import COLUMNS, QueueSource
from core import money
from core.errors import InvalidRequest, NotFound
from core.money import EXACT
from operators.errors import ExchangeRateMissing
from operators.models import Operator
from operators.selectors import get_usd_rate

#: More than anybody reads at once.
WAITING_MAX = 50


class Person(Protocol):
    """Who looks: what they may see depends on their permissions."""

    def has_perm(self, perm: str, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One thing that waits for a second person, or that one has decided."""

    #: "approval", or the name of another source ("boost", "win").
    source: str
    pk: str
    operator_id: int
    operator: str
    #: The kind of request ("clawback"); of another source, its name again.
    kind: str
    about: str
    amount: Decimal | None
    currency: str
    asked_at: datetime
    asked_by_kind: str
    asked_by_ref: str
    expires_at: datetime | None
    status: str
    decided_at: datetime | None
    decided_by_kind: str
    decided_by_ref: str
    #: What it is about has ended, so it can only be rejected.
    is_over: bool

    @property
    def is_open(self) -> bool:
        """Tell whether nobody has decided it."""
        return self.decided_at is None

    def is_expired(self, *, now: datetime) -> bool:
        """Tell whether it is open and its time is up: it cannot be approved any more."""
        return self.is_open and self.expires_at is not None and self.expires_at <= now

    @property
    def title(self) -> str:
        """Return what it is called: "Custom clawback"."""
        return title_of(self.kind)

    @property
    def model_label(self) -> str:
        """Return the model whose page it has: "jackpots.win"."""
        return _source(self.source).model_label

    @property
    def label(self) -> str:
        """Return what its status is called."""
        return _source(self.source).words.get(self.status, self.status)

    @property
    def decide_permission(self) -> str:
        """Return what it takes to decide it."""
        if self.source == OWN.name:
            return ports.get_kind(self.kind).permission
        return _source(self.source).decide_permission

    @property
    def verbs(self) -> tuple[tuple[str, str], ...]:
        """Return the decisions, and the names of their pages."""
        return _source(self.source).verbs


# What one person may do


def get_settings(*, operator: Operator) -> ApprovalSettings:
    """Return what holds at the operator; an unsaved row with the defaults if it has none."""
    found = ApprovalSettings.objects.filter(operator=operator).first()
    return found or ApprovalSettings(operator=operator)


def get_limit(*, operator: Operator, limit: Limit) -> Decimal | None:
    """Return the amount in base currency above which it takes two; None: it never does."""
    above: Decimal | None = getattr(get_settings(operator=operator), limit.value)
    return above


def is_worth_more(
    *, operator: Operator, amount: Decimal, currency: str, than: Decimal, now: datetime
) -> bool | None:
    """
    Tell whether an amount is worth more than ``than`` in the operator's base currency.

    What is worth exactly as much is not. None: nobody knows, for want of a rate.
    """
    base = operator.base_currency
    # Nothing is worth nothing in every currency, rate or no rate.
    if currency == base or amount == 0:
        return amount > than
    try:
        rates = [
            get_usd_rate(operator=operator, currency=each, now=now).rate
            for each in (currency, base)
        ]
        rate = money.cross_rate(*rates)
    except (ExchangeRateMissing, InvalidRequest):
        return None
    return EXACT.multiply(amount, rate) > than


# Requests


def get_approval(*, operator: Operator, approval_id: UUID) -> Approval:
    """
    Return a request of the operator.

    :raises NotFound: if it has no such one.
    """
    found = Approval.objects.for_operator(operator).filter(pk=approval_id)
    approval = found.select_related("operator").first()
    if approval is None:
        raise NotFound("There is no such request.")
    return approval


def list_requests_about(
    *, operator: Operator, player_reference: str, until: datetime | None
) -> QuerySet[Approval]:
    """
    Return what was asked for about a player, up to an instant, newest first.

    A request that is about a player names them in its payload, as ``player_id``.
    """
    found = Approval.objects.for_operator(operator).filter(payload__player_id=player_reference)
    if until is not None:
        found = found.filter(requested_at__lte=until)
    return found.order_by("-requested_at", "-pk")


def is_over(*, approval: Approval) -> bool:
    """Tell whether what a request is about has ended, so that it can never be done."""
    found = Approval.objects.annotate(over=_over()).filter(pk=approval.pk)
    return bool(found.values_list("over", flat=True).first())


def title_of(kind: str) -> str:
    """Return what a kind of request, or another source of the queue, is called."""
    titles = {each.name: each.title for each in ports.list_sources()}
    titles.update((each.name, each.title) for each in ports.list_kinds())
    return titles.get(kind, kind)


# The queue: everything that waits, whoever keeps it


def count_waiting(user: Person, now: datetime) -> int:
    """
    Return how much waits for a second person that ``user`` may see, in one statement.

    What can never be done any more is not counted.
    """
    parts = [_doable(_waiting(source, now=now), source) for source in _visible(user)]
    return _together(parts).count() if parts else 0


def list_waiting(user: Person, now: datetime, *, limit: int = WAITING_MAX) -> list[QueueItem]:
    """
    Return what waits and ``user`` may see, longest first, in one statement.

    What can never be done any more is left out; the queue has it (list_open).
    """
    parts = [
        _doable(_waiting(source, now=now), source).order_by(source.asked_field, "pk")[:limit]
        for source in _visible(user)
    ]
    return _items(parts, order=("queue_asked_at", "queue_id"), limit=limit)


def list_expired(
    user: Person, now: datetime, *, offset: int = 0, limit: int, **narrowed: Any
) -> list[QueueItem]:
    """Return what nobody decided in time and ``user`` may see, newest first."""
    parts = [
        _narrow(source, **narrowed)
        .filter(source.is_waiting, **{f"{source.expires_field}__lte": now})
        .order_by(f"-{source.asked_field}", "-pk")[: offset + limit]
        for source in _visible(user, **narrowed)
        if source.expires_field
    ]
    return _items(parts, order=("-queue_asked_at", "-queue_id"), offset=offset, limit=limit)


def list_decided(user: Person, *, offset: int = 0, limit: int, **narrowed: Any) -> list[QueueItem]:
    """Return what was decided and ``user`` may see, newest decision first."""
    parts = [
        _narrow(source, **narrowed)
        .filter(source.is_decided)
        .order_by(f"-{source.decided_field}", "-pk")[: offset + limit]
        for source in _visible(user, **narrowed)
    ]
    return _items(parts, order=("-queue_decided_at", "-queue_id"), offset=offset, limit=limit)


def list_open(
    user: Person, now: datetime, *, offset: int = 0, limit: int, **narrowed: Any
) -> list[QueueItem]:
    """Return what waits, narrowed to an ``operator_id`` or a ``kind``, longest first."""
    parts = [
        _waiting(source, now=now, **narrowed).order_by(source.asked_field, "pk")[: offset + limit]
        for source in _visible(user, **narrowed)
    ]
    return _items(parts, order=("queue_asked_at", "queue_id"), offset=offset, limit=limit)


def queue_rows(
    rows: QuerySet[Any],
    *,
    source: str,
    about: Any,
    kind: Any = None,
    currency: str = "currency",
    asked_at: str = "requested_at",
    asked_by: str = "requested_by",
    expires_at: str | None = "expires_at",
    over: Any = None,
) -> QuerySet[Any]:
    """
    Return the rows of a source with the columns of the queue.

    They have an ``operator``, an ``amount``, a ``status`` and who decided them; the arguments
    name the fields that go by other names elsewhere. ``kind`` is the source unless it is given.
    """
    found: QuerySet[Any] = rows.annotate(
        queue_source=text(source),
        queue_id=Cast("pk", TextField()),
        queue_operator_id=F("operator_id"),
        queue_operator=F("operator__name"),
        queue_kind=text(source) if kind is None else kind,
        queue_about=about,
        queue_amount=F("amount"),
        queue_currency=F(currency),
        queue_asked_at=F(asked_at),
        queue_asked_by_kind=F(f"{asked_by}_kind"),
        queue_asked_by_ref=F(f"{asked_by}_ref"),
        # A bare null would be text to a union.
        queue_expires_at=F(expires_at) if expires_at else Cast(Value(None), DateTimeField()),
        queue_status=F("status"),
        queue_decided_at=F("decided_at"),
        queue_decided_by_kind=F("decided_by_kind"),
        queue_decided_by_ref=F("decided_by_ref"),
        queue_is_over=Value(value=False) if over is None else over,
    )
    return found


def _own_rows() -> QuerySet[Any]:
    return queue_rows(
        Approval.objects.all(),
        source="approval",
        kind=F("kind"),
        about=F("summary__0"),
        over=_over(),
    )


def _over() -> Case:
    """Return whether a request that waits is about something that has ended."""
    # Nothing but a case keeps PostgreSQL from reading the ids of other kinds as UUIDs.
    about = Cast(OuterRef("subject_id"), UUIDField())
    cases = [
        When(
            kind=each.name,
            status=ApprovalStatus.REQUESTED,
            then=Exists(each.ended().filter(pk=about)),
        )
        for each in ports.list_kinds()
        if each.ended is not None
    ]
    return Case(*cases, default=Value(value=False), output_field=BooleanField())


#: Our own requests, as one source among the others. Which permission decides is the kind's.
OWN = QueueSource(
    name="approval",
    title="Request",
    model_label="approvals.approval",
    view_permission="approvals.view_approval",
    decide_permission="",
    rows=_own_rows,
    is_waiting=Q(status=ApprovalStatus.REQUESTED),
    is_decided=Q(decided_at__isnull=False),
    asked_field="requested_at",
    decided_field="decided_at",
    expires_field="expires_at",
    words={
        ApprovalStatus.REQUESTED: "Waiting",
        ApprovalStatus.APPLIED: "Approved",
        ApprovalStatus.REJECTED: "Rejected",
    },
    verbs=(("Approve", "approve"), ("Reject", "reject")),
)


def text(value: str) -> Value:
    """Return a text for a column of the queue, as every part of a union needs it."""
    return Value(value, output_field=TextField())


def list_queue_sources(user: Person) -> list[QueueSource]:
    """Return the sources that ``user`` may see, our own first."""
    return list(_visible(user))


def _source(name: str) -> QueueSource:
    return next(each for each in (OWN, *ports.list_sources()) if each.name == name)


def _visible(user: Person, *, kind: str = "", **_narrowed: Any) -> Iterable[QueueSource]:
    for source in (OWN, *ports.list_sources()):
        is_wanted = not kind or source.name == kind or (source is OWN and _is_own(kind))
        if is_wanted and user.has_perm(source.view_permission):
            yield source


def _is_own(kind: str) -> bool:
    return kind in [each.name for each in ports.list_kinds()]


def _narrow(
    source: QueueSource, *, operator_id: int | None = None, kind: str = ""
) -> QuerySet[Any]:
    rows = source.rows()
    if operator_id is not None:
        rows = rows.filter(operator_id=operator_id)
    if kind and source is OWN:
        rows = rows.filter(kind=kind)
    return rows.values_list(*COLUMNS)


def _waiting(source: QueueSource, *, now: datetime, **narrowed: Any) -> QuerySet[Any]:
    rows = _narrow(source, **narrowed).filter(source.is_waiting)
    if source.expires_field:
        rows = rows.filter(**{f"{source.expires_field}__gt": now})
    return rows


def _doable(rows: QuerySet[Any], source: QueueSource) -> QuerySet[Any]:
    return rows.filter(queue_is_over=False) if source is OWN else rows


def _together(parts: Sequence[QuerySet[Any]]) -> QuerySet[Any]:
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def _items(
    parts: Sequence[QuerySet[Any]], *, order: tuple[str, ...], limit: int, offset: int = 0
) -> list[QueueItem]:
    if not parts:
        return []
    if len(parts) == 1:
        return [QueueItem(*row) for row in parts[0][offset : offset + limit]]
    rows = _together(parts).order_by(*order)[offset : offset + limit]
    return [QueueItem(*row) for row in rows]
