"""The audit trail: called by services, in the transaction of the change that it records."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import connection
from django.db.models import Model

from core.actors import Actor
from core.models import AuditEntry


def record_action(
    *,
    operator: Any,
    actor: Actor,
    action: str,
    subject: Model,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """
    Write one entry of the audit trail.

    ``action`` is in the past tense and names the app first (``jackpot.instance.paused``).
    ``before`` and ``after`` hold the changed fields only; amounts in them are strings.
    """
    assert connection.in_atomic_block, "an audit entry belongs to the change's transaction"
    entry = _entry(operator, actor, action, subject, before, after, reason=reason, now=now)
    entry.save(force_insert=True)
    return entry


def record_actions(
    *,
    operator: Any,
    actor: Actor,
    action: str,
    changes: Sequence[tuple[Model, Mapping[str, Any]]],
    now: datetime,
) -> None:
    """Write one entry for each subject and what it is then, in their order; in one statement."""
    assert connection.in_atomic_block, "an audit entry belongs to the change's transaction"
    AuditEntry.objects.bulk_create(
        _entry(operator, actor, action, subject, None, after, reason="", now=now)
        for subject, after in changes
    )


def _entry(
    operator: Any,
    actor: Actor,
    action: str,
    subject: Model,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    *,
    reason: str,
    now: datetime,
) -> AuditEntry:
    context = structlog.contextvars.get_contextvars()
    return AuditEntry(
        operator_id=operator.pk if operator is not None else None,
        actor_kind=actor.kind,
        actor_ref=actor.ref,
        action=action,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
        request_id=str(context.get("request_id", "")),
        created_at=now,
    )
