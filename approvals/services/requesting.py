"""Asking for something that a second person decides."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Model, Q

from approvals.enums import ApprovalStatus
from approvals.models import Approval
from approvals.ports import get_kind
from approvals.rules import fingerprint_of
from approvals.selectors import get_settings
from core import audit
from core.actors import Actor
from core.errors import InvalidRequest
from core.money import format_amount
from operators.models import Operator

#: For how long a decided request is mentioned beside one about the same.
_LATELY = timedelta(hours=24)


@transaction.atomic(savepoint=False)
def request_approval(
    *,
    operator: Operator,
    kind: str,
    subject: Model,
    payload: Mapping[str, Any],
    summary: Sequence[str],
    reason: str,
    actor: Actor,
    now: datetime,
    amount: Decimal | None = None,
    currency: str = "",
) -> Approval:
    """
    Write down what is asked for, bound to its fingerprint, and return it.

    Joins the caller's transaction. Nothing of it is done yet. ``payload`` is what the kind
    needs to do it, amounts as text; ``summary`` tells people, its first sentence the title.

    :raises InvalidRequest: if no reason is given.
    """
    assert summary, "a request says what it is for"
    if not reason:
        raise InvalidRequest.for_field("reason", "Say why: it is kept in the audit trail.")
    subject_type, subject_id = subject._meta.label_lower, str(subject.pk)
    approval = Approval(
        operator=operator,
        kind=get_kind(kind).name,
        subject_type=subject_type,
        subject_id=subject_id,
        payload=dict(payload),
        fingerprint=fingerprint_of(
            kind=kind,
            operator_id=operator.pk,
            subject_type=subject_type,
            subject_id=subject_id,
            payload=payload,
        ),
        summary=list(summary),
        amount=amount,
        currency=currency,
        reason=reason,
        requested_by_kind=actor.kind,
        requested_by_ref=actor.ref,
        requested_at=now,
        expires_at=now + timedelta(hours=get_settings(operator=operator).valid_hours),
    )
    approval.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="approval.requested",
        subject=approval,
        after={
            **describe_approval(approval=approval),
            "payload": approval.payload,
            "fingerprint": approval.fingerprint,
        },
        reason=reason,
        now=now,
    )
    return approval


def describe_approval(*, approval: Approval) -> dict[str, Any]:
    """Return what the audit trail says of a request each time."""
    described: dict[str, Any] = {
        "status": str(approval.status),
        "kind": approval.kind,
        "subject_type": approval.subject_type,
        "subject_id": approval.subject_id,
    }
    if approval.amount is not None:
        described["amount"] = format_amount(approval.amount, approval.currency)
        described["currency"] = approval.currency
    return described


def list_alike(*, approval: Approval, now: datetime, limit: int = 5) -> list[Approval]:
    """Return other requests about the same, open or decided within a day, newest first."""
    found = Approval.objects.filter(
        Q(status=ApprovalStatus.REQUESTED) | Q(decided_at__gte=now - _LATELY),
        operator_id=approval.operator_id,
        kind=approval.kind,
        subject_type=approval.subject_type,
        subject_id=approval.subject_id,
    )
    player = approval.payload.get("player_id")
    if player is not None:
        found = found.filter(payload__player_id=player)
    return list(found.exclude(pk=approval.pk).order_by("-requested_at", "-pk")[:limit])
