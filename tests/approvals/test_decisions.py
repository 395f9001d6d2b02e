"""A request is decided by somebody else, in time, as it was shown, and once; or it waits on."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from approvals.enums import ApprovalStatus
from approvals.errors import (
    ApprovalChanged,
    ApprovalClosed,
    ApprovalExpired,
    SecondPersonRequired,
)
from approvals.models import Approval
from approvals.services.deciding import apply_approval, reject_approval
from core.actors import Actor, ActorKind
from core.errors import InvalidRequest, NotFound
from core.models import AuditEntry
from operators.models import Operator
from promos.errors import UserPromoClosed
from tests.approvals.conftest import SECOND, Recorder
from tests.concurrency.sabotage import execute, triggers_off
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db


def decide(service: Any, asked: Approval, now: datetime, **changes: Any) -> Approval:
    given: dict[str, Any] = {
        "operator": asked.operator,
        "approval_id": asked.pk,
        "fingerprint": asked.fingerprint,
        "reason": "Agreed",
        "actor": SECOND,
        "now": now,
    }
    return service(**{**given, **changes})


def assert_waits(asked: Approval, recorder: Recorder) -> None:
    stored = Approval.objects.get(pk=asked.pk)
    assert (stored.status, stored.decided_at, stored.outcome) == ("requested", None, "")
    assert recorder.done == []
    assert Operator.objects.get(pk=asked.operator_id).name != "It was done"
    assert [entry.action for entry in AuditEntry.objects.all()] == ["approval.requested"]


def test_a_second_person_has_it_done_and_the_trail_says_so(
    asked: Approval, recorder: Recorder, now: datetime
) -> None:
    applied = decide(apply_approval, asked, now + timedelta(hours=1))

    ((done, by),) = recorder.done
    assert (done.payload, done.reason, done.subject_id) == (
        asked.payload,
        "Goodwill",
        asked.subject_id,
    )
    assert (done.requested_by, by) == (Actor(kind=ActorKind.STAFF, ref="7"), SECOND)
    assert Operator.objects.get(pk=asked.operator_id).name == "It was done"
    stored = Approval.objects.get()
    assert stored.status == applied.status == ApprovalStatus.APPLIED
    assert (stored.decided_by_kind, stored.decided_by_ref) == ("staff", "8")
    assert (stored.decided_at, stored.outcome) == (now + timedelta(hours=1), "It was done.")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.actor_ref, entry.reason) == ("approval.applied", "8", "Agreed")
    assert (entry.before, entry.after["status"]) == ({"status": "requested"}, "applied")
    assert entry.after["outcome"] == "It was done."


def test_whoever_asked_does_not_approve(
    asked: Approval, recorder: Recorder, actor: Actor, now: datetime
) -> None:
    with pytest.raises(SecondPersonRequired):
        decide(apply_approval, asked, now, actor=actor)

    assert_waits(asked, recorder)


def test_the_same_number_behind_another_door_is_somebody_else(
    asked: Approval, recorder: Recorder, now: datetime
) -> None:
    decide(apply_approval, asked, now, actor=Actor(kind=ActorKind.COMMAND, ref="7"))

    assert len(recorder.done) == 1


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=30)])
def test_what_has_expired_is_not_approved(
    late: timedelta, asked: Approval, recorder: Recorder, now: datetime
) -> None:
    with pytest.raises(ApprovalExpired):
        decide(apply_approval, asked, asked.expires_at + late)

    assert_waits(asked, recorder)


def test_until_the_very_last_instant_it_can_be_approved(
    asked: Approval, recorder: Recorder
) -> None:
    decide(apply_approval, asked, asked.expires_at - timedelta(microseconds=1))

    assert len(recorder.done) == 1


@pytest.mark.parametrize("first", [apply_approval, reject_approval])
@pytest.mark.parametrize("second", [apply_approval, reject_approval])
def test_what_was_decided_is_decided(
    first: Any, second: Any, asked: Approval, recorder: Recorder, now: datetime
) -> None:
    decide(first, asked, now)
    before = (Approval.objects.values().get(), len(recorder.done), AuditEntry.objects.count())

    with pytest.raises(ApprovalClosed) as refused:
        decide(second, asked, now, actor=Actor(kind=ActorKind.STAFF, ref="9"))

    assert refused.value.members["approval_status"] == before[0]["status"]
    after = (Approval.objects.values().get(), len(recorder.done), AuditEntry.objects.count())
    assert after == before


@pytest.mark.parametrize("service", [apply_approval, reject_approval])
@pytest.mark.parametrize("shown", ["", "0" * 64])
def test_what_is_not_what_was_shown_is_not_decided(
    service: Any, shown: str, asked: Approval, recorder: Recorder, now: datetime
) -> None:
    with pytest.raises(ApprovalChanged):
        decide(service, asked, now, fingerprint=shown)

    assert_waits(asked, recorder)


@pytest.mark.parametrize(
    "change",
    [
        """payload = jsonb_set(payload, '{amount}', '"6000.00"')""",
        "subject_id = '0'",
        "kind = 'clawback'",
    ],
)
def test_what_somebody_changed_behind_the_triggers_is_not_done(
    change: str, asked: Approval, recorder: Recorder, now: datetime
) -> None:
    with triggers_off():
        execute(f"UPDATE approvals_approval SET {change}")

    # The page shows the changed row, and the fingerprint that is stored.
    with pytest.raises(ApprovalChanged):
        decide(apply_approval, asked, now)

    assert_waits(asked, recorder)


def test_a_refusal_of_what_was_asked_for_leaves_the_request_waiting(
    asked: Approval, recorder: Recorder, now: datetime
) -> None:
    recorder.refusal = UserPromoClosed("The claim has ended.")

    with pytest.raises(UserPromoClosed):
        decide(apply_approval, asked, now)

    assert_waits(asked, recorder)
    recorder.refusal = None
    decide(apply_approval, asked, now)
    assert len(recorder.done) == 1


def test_a_second_person_rejects_it_and_nothing_is_done(
    asked: Approval, recorder: Recorder, now: datetime
) -> None:
    decide(reject_approval, asked, now, reason="Too much")

    stored = Approval.objects.get()
    assert (stored.status, stored.decision_reason, stored.outcome) == ("rejected", "Too much", "")
    assert recorder.done == []
    assert AuditEntry.objects.latest("pk").action == "approval.rejected"


def test_whoever_asked_takes_it_back(
    asked: Approval, recorder: Recorder, actor: Actor, now: datetime
) -> None:
    decide(reject_approval, asked, now, actor=actor)

    assert Approval.objects.get().status == ApprovalStatus.REJECTED
    assert AuditEntry.objects.latest("pk").action == "approval.withdrawn"


def test_what_has_expired_can_be_rejected(asked: Approval, recorder: Recorder) -> None:
    decide(reject_approval, asked, asked.expires_at + timedelta(days=1))

    assert Approval.objects.get().status == ApprovalStatus.REJECTED


def test_a_rejection_says_why(asked: Approval, recorder: Recorder, now: datetime) -> None:
    with pytest.raises(InvalidRequest):
        decide(reject_approval, asked, now, reason="")

    assert_waits(asked, recorder)


@pytest.mark.parametrize("service", [apply_approval, reject_approval])
def test_it_does_not_exist_for_another_operator(
    service: Any, asked: Approval, recorder: Recorder, now: datetime
) -> None:
    with pytest.raises(NotFound):
        decide(service, asked, now, operator=OperatorFactory.create())

    assert_waits(asked, recorder)
