"""Who took which report away: written down before the first line is sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from core import audit
from core.actors import Actor
from core.models import AuditEntry
from operators.models import Operator


@transaction.atomic(durable=True)
def record_export(
    *,
    operator: Operator,
    description: Mapping[str, Any],
    reason: str,
    actor: Actor,
    now: datetime,
) -> AuditEntry:
    """
    Record that somebody downloads a report.

    ``description`` says which one, of which days, and whether it shows personal data.
    """
    return audit.record_action(
        operator=operator,
        actor=actor,
        action="report.exported",
        subject=operator,
        after=description,
        reason=reason,
        now=now,
    )
