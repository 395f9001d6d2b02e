"""From what on an operator wants a second person."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from approvals.models import ApprovalSettings
from approvals.rules import VALID_HOURS_MAX
from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest
from core.money import format_amount
from operators.models import Operator

_FIELDS = ("clawback_above", "manual_grant_above", "live_terms", "valid_hours")


@transaction.atomic(durable=True)
def put_approval_settings(
    *,
    operator: Operator,
    clawback_above: Decimal | None,
    manual_grant_above: Decimal | None,
    live_terms: bool,
    valid_hours: int,
    reason: str,
    actor: Actor,
    now: datetime,
) -> ApprovalSettings:
    """
    Set what the operator's staff may do alone from now on; amounts are in its base currency.

    None: never a second person. What waits already goes on waiting, for as long as it was
    told. Setting what holds already leaves no trace.

    :raises InvalidRequest: if requests would be valid for no time, or for more than a month,
        or if no reason is given.
    :raises ResourceBusy: if the settings are in use; nothing was changed.
    """
    if not 1 <= valid_hours <= VALID_HOURS_MAX:
        raise InvalidRequest.for_field("valid_hours", f"It must be from 1 to {VALID_HOURS_MAX}.")
    if not reason.strip():
        raise InvalidRequest.for_field("reason", "Say why: it is kept in the audit trail.")
    # The defaults hold without a row, so writing them changes nothing.
    ApprovalSettings.objects.bulk_create(
        [ApprovalSettings(operator=operator)], ignore_conflicts=True
    )
    settings = locks.lock_one(ApprovalSettings.objects.filter(operator=operator))
    settings.operator = operator
    before = describe_approval_settings(settings=settings)
    settings.clawback_above = clawback_above
    settings.manual_grant_above = manual_grant_above
    settings.live_terms = live_terms
    settings.valid_hours = valid_hours
    after = describe_approval_settings(settings=settings)
    changed = [name for name in _FIELDS if before[name] != after[name]]
    if changed:
        settings.save(update_fields=changed)
        audit.record_action(
            operator=operator,
            actor=actor,
            action="approval.settings_changed",
            subject=settings,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
            reason=reason,
            now=now,
        )
    return settings


def describe_approval_settings(*, settings: ApprovalSettings) -> dict[str, Any]:
    """Return the settings as the audit trail keeps them: amounts as text."""
    base = settings.operator.base_currency

    def amount(value: Decimal | None) -> str | None:
        return None if value is None else format_amount(value, base)

    return {
        "clawback_above": amount(settings.clawback_above),
        "manual_grant_above": amount(settings.manual_grant_above),
        "live_terms": settings.live_terms,
        "valid_hours": settings.valid_hours,
    }
