"""
Deciding upon a request: as another person, in time, upon what was shown, and once.

What was asked for is done in the transaction of the decision: either both stand or neither.
The request's own row is written last, because what is done locks rows of apps above this one;
the advisory lock, taken before everything else, keeps a second decision out meanwhile.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from approvals.enums import ApprovalStatus
from approvals.errors import (
    ApprovalChanged,
    ApprovalClosed,
    ApprovalExpired,
    SecondPersonRequired,
)
from approvals.models import Approval
from approvals.ports import Asked, get_kind
from approvals.rules import fingerprint_of
from approvals.selectors import get_approval
from approvals.services.requesting import describe_approval
from core import audit, locks
from core.actors import Actor, ActorKind
from core.errors import InvalidRequest
from core.locks import AdvisoryLock
from operators.models import Operator


@transaction.atomic(durable=True)
def apply_approval(
    *,
    operator: Operator,
    approval_id: UUID,
    fingerprint: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Approval:
    """
    Do what was asked for, as somebody other than who asked, and return the request.

    ``fingerprint`` is that of what ``actor`` was shown. If what is asked for is refused, the
    refusal is raised, nothing has changed, and the request goes on waiting.

    :raises NotFound: if the operator has no such request.
    :raises ApprovalClosed: if it has been decided already.
    :raises SecondPersonRequired: if ``actor`` asked for it.
    :raises ApprovalExpired: if it is too old.
    :raises ApprovalChanged: if it is not what was shown, or not what was asked for.
    :raises ResourceBusy: if somebody is deciding it at this moment; nothing was changed.

    Everything that doing it raises is raised here too.
    """
    approval = _lock_open(operator=operator, approval_id=approval_id)
    if is_requester(approval=approval, actor=actor):
        raise SecondPersonRequired("Somebody other than who asked for it must approve it.")
    if approval.expires_at <= now:
        raise ApprovalExpired("The request has expired. Ask for it again.")
    _refuse_if_changed(approval, fingerprint)

    kind = get_kind(approval.kind)
    outcome = kind.execute(asked=asked_of(approval=approval), actor=actor, now=now)
    approval.apply(outcome=outcome, now=now)
    _save_decision(approval, "approval.applied", reason=reason, actor=actor, now=now)
    return approval


@transaction.atomic(durable=True)
def reject_approval(
    *,
    operator: Operator,
    approval_id: UUID,
    fingerprint: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Approval:
    """
    Decide that it is not done. Whoever asked for it may too: that is a withdrawal.

    It is possible after the request has expired, and however things stand by now.

    :raises NotFound: if the operator has no such request.
    :raises ApprovalClosed: if it has been decided already.
    :raises InvalidRequest: if no reason is given.
    :raises ApprovalChanged: if it is not what was shown.
    :raises ResourceBusy: if somebody is deciding it at this moment; nothing was changed.
    """
    approval = _lock_open(operator=operator, approval_id=approval_id)
    if not reason:
        raise InvalidRequest.for_field("reason", "Say why: it is kept in the audit trail.")
    if fingerprint != approval.fingerprint:
        raise _changed()
    approval.reject(now=now)
    is_own = is_requester(approval=approval, actor=actor)
    action = "approval.withdrawn" if is_own else "approval.rejected"
    _save_decision(approval, action, reason=reason, actor=actor, now=now)
    return approval


def is_requester(*, approval: Approval, actor: Actor) -> bool:
    """Tell whether ``actor`` asked for it, in whichever session."""
    asked_by = (approval.requested_by_kind, approval.requested_by_ref)
    return asked_by == (actor.kind, actor.ref)


def asked_of(*, approval: Approval) -> Asked:
    """Return what was asked for, as its kind wants it."""
    return Asked(
        approval_id=approval.pk,
        operator=approval.operator,
        subject_id=approval.subject_id,
        payload=approval.payload,
        reason=approval.reason,
        requested_by=Actor(
            kind=ActorKind(approval.requested_by_kind), ref=approval.requested_by_ref
        ),
    )


def refuse_unless_shown(*, fingerprint: str | None, expected: str) -> None:
    """
    Do nothing if what is decided is what was shown; None: a program decides, it saw no page.

    :raises ApprovalChanged: if it is something else.
    """
    if fingerprint is not None and fingerprint != expected:
        raise _changed()


def _lock_open(*, operator: Operator, approval_id: UUID) -> Approval:
    locks.lock_exclusively(AdvisoryLock.APPROVAL, approval_id)
    approval = get_approval(operator=operator, approval_id=approval_id)
    if approval.status != ApprovalStatus.REQUESTED:
        raise ApprovalClosed(
            f"The request has been {approval.get_status_display().lower()} already.",
            approval_status=str(approval.status),
        )
    return approval


def _refuse_if_changed(approval: Approval, shown: str) -> None:
    computed = fingerprint_of(
        kind=approval.kind,
        operator_id=approval.operator_id,
        subject_type=approval.subject_type,
        subject_id=approval.subject_id,
        payload=approval.payload,
    )
    # The first guards whoever looks at an old page, the second against whoever writes SQL.
    if shown != approval.fingerprint or computed != approval.fingerprint:
        raise _changed()


def _changed() -> ApprovalChanged:
    return ApprovalChanged(
        "What would be done is not what you were shown. Load the page again and look at it."
    )


def _save_decision(
    approval: Approval, action: str, *, reason: str, actor: Actor, now: datetime
) -> None:
    approval.decided_by_kind = actor.kind
    approval.decided_by_ref = actor.ref
    approval.decision_reason = reason
    approval.save(
        update_fields=[
            "status",
            "outcome",
            "decided_by_kind",
            "decided_by_ref",
            "decided_at",
            "decision_reason",
        ]
    )
    audit.record_action(
        operator=approval.operator,
        actor=actor,
        action=action,
        subject=approval,
        before={"status": str(ApprovalStatus.REQUESTED)},
        after={**describe_approval(approval=approval), "outcome": approval.outcome},
        reason=reason,
        now=now,
    )
