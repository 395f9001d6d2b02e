"""The audit trail: called by services, in the transaction of the change that it records."""

from collections.abc import Mapping
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
    context = structlog.contextvars.get_contextvars()
    return AuditEntry.objects.create(
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
