"""What the database itself refuses, whoever writes SQL."""

from datetime import datetime
from itertools import product
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django_fsm import TransitionNotAllowed

from approvals.enums import ApprovalStatus
from approvals.models import Approval, ApprovalSettings
from tests.factories.approvals import ApprovalFactory, ApprovalSettingsFactory

pytestmark = pytest.mark.django_db

DECIDED = "decided_by_kind = 'staff', decided_by_ref = '8', decided_at = requested_at"


def refused_by(kind: type[DatabaseError], statement: str, *params: Any) -> str:
    """Run the statement, which the database has to refuse, and return its words."""
    with pytest.raises(kind) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, params)
    return str(refused.value)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        (
            f"status = 'applied', outcome = 'x', {DECIDED.replace('8', '7')}",
            "approval_not_applied_by_its_requester",
        ),
        ("status = 'applied', outcome = 'x'", "approval_decided_iff_not_requested"),
        ("status = 'rejected'", "approval_decided_iff_not_requested"),
        (DECIDED, "approval_decided_iff_not_requested"),
        (
            "status = 'rejected', decided_by_kind = 'staff', decided_at = requested_at",
            "approval_decided_iff_not_requested",
        ),
        (f"status = 'applied', {DECIDED}", "approval_says_what_was_done_iff_applied"),
        (
            f"status = 'rejected', outcome = 'x', {DECIDED}",
            "approval_says_what_was_done_iff_applied",
        ),
        (
            f"status = 'applied', outcome = 'x', {DECIDED.replace('requested_at', 'expires_at')}",
            "approval_applied_before_it_expired",
        ),
    ],
)
def test_a_decision_that_cannot_be_is_refused(change: str, constraint: str) -> None:
    ApprovalFactory.create()

    said = refused_by(IntegrityError, f"UPDATE approvals_approval SET {change}")

    assert constraint in said


def test_a_request_for_nothing_that_has_expired_or_is_bound_to_nothing_is_refused(
    now: datetime,
) -> None:
    for broken, constraint in (
        ({"expires_at": now, "requested_at": now}, "approval_expires_after_it_was_requested"),
        ({"fingerprint": "f" * 63}, "approval_binds_a_sha256"),
        ({"fingerprint": "F" * 64}, "approval_binds_a_sha256"),
        ({"amount": -1}, "approval_amount_not_negative"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            ApprovalFactory.create(**broken)


@pytest.mark.parametrize("status", [ApprovalStatus.APPLIED, ApprovalStatus.REJECTED])
def test_a_request_is_not_born_decided(status: ApprovalStatus, now: datetime) -> None:
    outcome = "It was done." if status == ApprovalStatus.APPLIED else ""
    decided = {"decided_by_kind": "staff", "decided_by_ref": "8", "decided_at": now}

    with pytest.raises(DatabaseError, match="approval_begins_as_a_request"), transaction.atomic():
        ApprovalFactory.create(status=status, outcome=outcome, requested_at=now, **decided)


@pytest.mark.parametrize(
    "change",
    [
        "operator_id = operator_id + 1",
        "kind = 'live_terms'",
        "subject_type = 'x'",
        "subject_id = 'x'",
        "payload = '{}'",
        "fingerprint = repeat('0', 64)",
        "summary = '{x}'",
        "amount = 6",
        "currency = 'EUR'",
        "reason = 'x'",
        "requested_by_kind = 'api_key'",
        "requested_by_ref = '9'",
        "requested_at = requested_at - interval '1 second'",
        "expires_at = expires_at + interval '1 second'",
    ],
)
def test_what_was_asked_for_never_changes(change: str) -> None:
    ApprovalFactory.create()

    said = refused_by(DatabaseError, f"UPDATE approvals_approval SET {change}")

    assert "approval_facts_never_change" in said


@pytest.mark.parametrize("status", [ApprovalStatus.APPLIED, ApprovalStatus.REJECTED])
@pytest.mark.parametrize(
    "change", ["decision_reason = 'x'", "decided_by_ref = '9'", "status = 'requested'"]
)
def test_a_decision_is_final(status: ApprovalStatus, change: str) -> None:
    ApprovalFactory.create(decided=status)

    refused_by(DatabaseError, f"UPDATE approvals_approval SET {change}")

    assert Approval.objects.get().decision_reason == "Agreed"


def test_a_request_is_never_deleted() -> None:
    ApprovalFactory.create()

    said = refused_by(DatabaseError, "DELETE FROM approvals_approval")

    assert "approval_is_never_deleted" in said


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("clawback_above = -1", "approval_clawback_above_not_negative"),
        ("manual_grant_above = 'NaN'", "approval_manual_grant_above_not_negative"),
        ("valid_hours = 0", "approval_requests_are_valid_for_a_while"),
        ("valid_hours = 721", "approval_requests_are_valid_for_a_while"),
    ],
)
def test_limits_that_cannot_be_are_refused(change: str, constraint: str) -> None:
    ApprovalSettingsFactory.create()

    said = refused_by(IntegrityError, f"UPDATE approvals_approvalsettings SET {change}")

    assert constraint in said
    assert ApprovalSettings.objects.get().valid_hours == 72


# The whole machine. A move that is not listed must be refused.
MOVES = {("requested", "apply"): "applied", ("requested", "reject"): "rejected"}


def test_a_request_moves_as_the_table_says_and_no_other_way(now: datetime) -> None:
    verbs: dict[str, Any] = {
        "apply": lambda approval: approval.apply(outcome="It was done.", now=now),
        "reject": lambda approval: approval.reject(now=now),
    }

    assert {move.name for move in Approval().get_all_status_transitions()} == set(verbs)
    for status, verb in product(ApprovalStatus.values, verbs):
        approval = Approval(status=status)
        if (status, verb) in MOVES:
            verbs[verb](approval)
            assert (approval.status, approval.decided_at) == (MOVES[status, verb], now)
        else:
            with pytest.raises(TransitionNotAllowed):
                verbs[verb](approval)
