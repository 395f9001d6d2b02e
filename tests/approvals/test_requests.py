"""A request is written down once, bound to what it is for, and nothing of it is done yet."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from approvals.enums import ApprovalStatus
from approvals.models import Approval
from approvals.rules import fingerprint_of, is_canonical
from core.actors import Actor
from core.errors import InvalidRequest
from core.models import AuditEntry
from operators.models import Operator
from tests.approvals.conftest import PAYLOAD, Recorder, ask
from tests.factories.approvals import ApprovalSettingsFactory

pytestmark = pytest.mark.django_db

BOUND: dict[str, Any] = {
    "kind": "clawback",
    "operator_id": 7,
    "subject_type": "promos.userpromo",
    "subject_id": "1",
    "payload": {"amount": "600.00", "currency": "USD", "pots": [None, True]},
}


def test_a_request_says_everything_and_does_nothing(
    recorder: Recorder, operator: Operator, actor: Actor, now: datetime
) -> None:
    ask(operator, actor, now, amount=Decimal(600), currency="USD")

    stored = Approval.objects.get()
    assert recorder.done == []
    assert stored.status == ApprovalStatus.REQUESTED
    assert (stored.kind, stored.subject_type) == ("test", "operators.operator")
    assert (stored.subject_id, stored.payload) == (str(operator.pk), PAYLOAD)
    assert stored.summary == ["Do something", "It is worth it."]
    assert (stored.requested_by_kind, stored.requested_by_ref) == ("staff", "7")
    assert stored.expires_at == now + timedelta(hours=72)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_ref, entry.reason) == ("approval.requested", "7", "Goodwill")
    assert entry.subject_id == str(stored.pk)
    assert entry.after == {
        "status": "requested",
        "kind": "test",
        "subject_type": "operators.operator",
        "subject_id": str(operator.pk),
        "amount": "600.00",
        "currency": "USD",
        "payload": PAYLOAD,
        "fingerprint": stored.fingerprint,
    }


def test_a_request_is_valid_for_as_long_as_its_operator_says(
    recorder: Recorder, operator: Operator, actor: Actor, now: datetime
) -> None:
    ApprovalSettingsFactory.create(operator=operator, valid_hours=1)

    assert ask(operator, actor, now).expires_at == now + timedelta(hours=1)


def test_a_request_without_a_reason_is_refused(
    recorder: Recorder, operator: Operator, actor: Actor, now: datetime
) -> None:
    with pytest.raises(InvalidRequest) as refused, transaction.atomic():
        ask(operator, actor, now, reason="")

    assert refused.value.members["errors"][0]["pointer"] == "/reason"
    assert not Approval.objects.exists()


def test_a_fingerprint_is_the_same_for_the_same_whatever_its_order_and_way_through_json() -> None:
    shuffled = {"pots": (None, True), "currency": "USD", "amount": "600.00"}

    assert fingerprint_of(**{**BOUND, "payload": shuffled}) == fingerprint_of(**BOUND)
    # Requests that wait were bound by it, so it never becomes another one.
    assert fingerprint_of(**BOUND) == (
        "a1b6295728f017db88e490946b9cbc77f74758c58b27997fb1ea1c688a224db3"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "manual_grant"},
        {"operator_id": 8},
        {"subject_type": "promos.promo"},
        {"subject_id": "2"},
        {"payload": {**BOUND["payload"], "amount": "600.01"}},
        {"payload": {**BOUND["payload"], "amount": "600.0"}},
        {"payload": {**BOUND["payload"], "pots": [None, False]}},
        {"payload": {**BOUND["payload"], "more": None}},
    ],
)
def test_a_fingerprint_is_another_for_anything_else(change: dict[str, Any]) -> None:
    assert fingerprint_of(**{**BOUND, **change}) != fingerprint_of(**BOUND)


@pytest.mark.parametrize("value", [1.5, Decimal(1), {1: "x"}, {"a": [1.5]}, object()])
def test_what_does_not_survive_being_stored_is_not_bound(value: Any) -> None:
    assert not is_canonical(value)
    with pytest.raises(AssertionError):
        fingerprint_of(**{**BOUND, "payload": {"value": value}})
