"""Rows the kernel keeps: the audit trail, the outbox, idempotency keys, checks of the books."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
import uuid_utils.compat
from django.db import models
from django.db.models import Func, Q

from core.actors import ActorKind
from core.money import AMOUNT_DECIMALS, AMOUNT_DIGITS, AMOUNT_LIMIT
from core.querysets import OperatorQuerySet


def new_id() -> uuid.UUID:
    """Return a fresh time-ordered UUID (version 7), so that indexes grow at one end."""
    return uuid_utils.compat.uuid7()


def id_floor(instant: datetime) -> uuid.UUID:
    """Return the id below which all ids lie that new_id() gave before ``instant``."""
    return uuid.UUID(int=int(instant.timestamp() * 1000) << 80)


class AmountField(models.DecimalField):  # type: ignore[type-arg]
    """An amount of money: numeric(28, 8), its currency in a column beside it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", AMOUNT_DIGITS)
        kwargs.setdefault("decimal_places", AMOUNT_DECIMALS)
        super().__init__(**kwargs)


class XidField(models.Field):  # type: ignore[type-arg]
    """
    The 64-bit id of the transaction that wrote a row (PostgreSQL's xid8), as an int.

    With it, sums can be folded exactly: every transaction below the horizon of a
    snapshot is over, so its rows are all visible or never will be.
    """

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else str(value)


class CurrentXid(Func):
    """The id of the running transaction, as a database default."""

    function = "pg_current_xact_id"
    arity = 0
    output_field = XidField()


def amount_check(name: str, field: str, *, above_zero: bool = False) -> models.CheckConstraint:
    """
    Return the constraint of a money column: not negative (or above zero), and a number.

    PostgreSQL sorts NaN above every number, so a lower bound alone would let it in.
    """
    lower = {f"{field}__gt" if above_zero else f"{field}__gte": 0}
    return models.CheckConstraint(name=name, condition=Q(**lower, **{f"{field}__lt": AMOUNT_LIMIT}))


def append_only(name: str) -> pgtrigger.Protect:
    """Return the database trigger that refuses to update or delete a row of the table."""
    return pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete)


class AuditEntryQuerySet(OperatorQuerySet["AuditEntry"]):
    pass


class AuditEntry(models.Model):
    """
    One thing that somebody did: who, what, to which subject, before and after, and why.

    Written in the transaction of the change itself, and never changed (trigger). The
    operator is a plain number because the kernel stands below the operators; it is null
    for what belongs to no operator.
    """

    operator_id = models.BigIntegerField(null=True)
    actor_kind = models.CharField(max_length=16, choices=ActorKind.choices)
    actor_ref = models.CharField(max_length=200)
    action = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=64)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()

    objects = models.Manager.from_queryset(AuditEntryQuerySet)()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit trail"
        indexes: ClassVar = [
            models.Index(name="audit_by_subject", fields=["subject_type", "subject_id", "id"]),
            models.Index(name="audit_by_operator", fields=["operator_id", "id"]),
            models.Index(name="audit_by_time", fields=["operator_id", "created_at", "id"]),
        ]
        triggers: ClassVar = [append_only("audit_is_append_only")]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_kind}:{self.actor_ref}"


class OutboxMessageQuerySet(OperatorQuerySet["OutboxMessage"]):
    def unrelayed(self) -> Self:
        """Messages that have not been passed on yet."""
        return self.filter(relayed_at=None)


class OutboxMessage(models.Model):
    """
    Something that happened, to be told to others once the change has been committed.

    Written in the transaction of the change itself, so there is a message if and only if
    there was a change. The id is the message's name for good: whoever hears it twice can
    tell. Nothing of a message changes but ``relayed_at``, once; an unrelayed one cannot be
    deleted (triggers).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator_id = models.BigIntegerField()
    topic = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=64)
    payload = models.JSONField(help_text="In the API's words; amounts are strings.")
    created_at = models.DateTimeField()
    relayed_at = models.DateTimeField(null=True, blank=True, help_text="When it was passed on.")

    objects = models.Manager.from_queryset(OutboxMessageQuerySet)()

    class Meta:
        verbose_name = "outbox message"
        indexes: ClassVar = [
            models.Index(name="outbox_unrelayed", fields=["id"], condition=Q(relayed_at=None)),
            models.Index(name="outbox_by_operator", fields=["operator_id", "id"]),
            models.Index(name="outbox_by_subject", fields=["subject_type", "subject_id", "id"]),
        ]
        triggers: ClassVar = [
            pgtrigger.Protect(
                name="outbox_message_says_one_thing",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "id",
                    "operator_id",
                    "topic",
                    "subject_type",
                    "subject_id",
                    "payload",
                    "created_at",
                ),
            ),
            pgtrigger.Protect(
                name="outbox_message_is_relayed_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__relayed_at__isnull=False),
            ),
            pgtrigger.Protect(
                name="outbox_message_is_relayed_or_kept",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__relayed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.pk}"


class IdempotencyRecord(models.Model):
    """
    An idempotency key that has been answered, and the answer.

    Written in the transaction of its effect and kept for ever, so that a key has exactly
    one effect (API.md, idempotency). ``fingerprint`` is the SHA-256 of method, path and
    body. ``answer`` is text that only the endpoint that wrote it reads again.
    """

    operator_id = models.BigIntegerField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    answer = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="idempotency_key_has_one_answer", fields=["operator_id", "key"]
            )
        ]
        triggers: ClassVar = [append_only("idempotency_is_append_only")]

    def __str__(self) -> str:
        return self.key


class BooksCheck(models.Model):
    """One run of check_books: when it ran and every difference that it found."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    checked_count = models.PositiveIntegerField()
    differences = models.JSONField(default=list)

    class Meta:
        verbose_name = "check of the books"
        verbose_name_plural = "checks of the books"

    def __str__(self) -> str:
        outcome = "balanced" if self.is_balanced else f"{len(self.differences)} differences"
        return f"{self.started_at:%Y-%m-%d %H:%M} {outcome}"

    @property
    def is_balanced(self) -> bool:
        """Tell whether the run found no difference."""
        return not self.differences
