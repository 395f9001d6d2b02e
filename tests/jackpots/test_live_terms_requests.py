"""New terms of a running jackpot wait for a second person, who approves what they have seen."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from approvals.enums import ApprovalStatus
from approvals.errors import ApprovalChanged, ApprovalRequired, SecondPersonRequired
from approvals.models import Approval
from approvals.services.deciding import apply_approval
from core.actors import Actor, ActorKind
from core.errors import InvalidRequest
from core.models import AuditEntry
from jackpots.enums import DropType, InstanceStatus
from jackpots.errors import InstanceWrongState
from jackpots.models import Instance, Pot
from jackpots.services.live_terms import change_live_terms
from jackpots.services.live_terms_requests import change_or_ask_live_terms
from jackpots.services.terms import DropTerms, PotTerms, read_terms
from operators.models import Operator
from tests.factories.approvals import ApprovalSettingsFactory
from tests.factories.jackpots import InstanceFactory

pytestmark = pytest.mark.django_db

SECOND = Actor(kind=ActorKind.STAFF, ref="8")


@pytest.fixture
def instance(operator: Operator) -> Instance:
    """A progressive in euros with two pots that somebody drops."""
    return InstanceFactory.create(
        operator=operator,
        name="Daily",
        progressive=True,
        pots=[
            {"name": "mini", "share": Decimal("0.4"), "seed": Decimal(10)},
            {"name": "grand", "share": Decimal("0.6"), "seed": Decimal(100)},
        ],
    )


def richer(instance: Instance, **changes: Any) -> list[PotTerms]:
    """Return the running terms, but a first pot that begins at 25 and ends by 80.5."""
    mini, grand = read_terms(instance=instance).pots
    drop = DropTerms(type=DropType.MUST_HIT_BY_AMOUNT, amount=Decimal("80.5"))
    wanted: dict[str, Any] = {"seed": Decimal(25), "ceiling": Decimal(90), "drop": drop}
    return [replace(mini, **{**wanted, **changes}), grand]


def ask(instance: Instance, pots: list[PotTerms], actor: Actor, now: datetime) -> Any:
    return change_or_ask_live_terms(
        operator=instance.operator,
        instance_id=instance.pk,
        pots=pots,
        reason="The summer",
        actor=actor,
        now=now,
    )


def approve(asked: Approval, now: datetime, actor: Actor = SECOND) -> Approval:
    return apply_approval(
        operator=asked.operator,
        approval_id=asked.pk,
        fingerprint=asked.fingerprint,
        reason="Agreed",
        actor=actor,
        now=now,
    )


def pending() -> list[Any]:
    return list(Pot.objects.order_by("position").values_list("pending_terms", flat=True))


def test_a_second_person_lets_the_new_terms_wait(
    instance: Instance, actor: Actor, now: datetime
) -> None:
    asked = ask(instance, richer(instance), actor, now)
    between = pending()
    applied = approve(asked, now + timedelta(hours=1))

    assert between == [None, None]
    assert pending() == [
        {
            "seed": "25",
            "ceiling": "90",
            "drop": {
                "type": "must_hit_by_amount",
                "amount": "80.5",
                "at": None,
                "probability": None,
            },
        },
        None,
    ]
    assert applied.outcome == "The terms of mini of Daily wait for the next win."
    entry = AuditEntry.objects.get(action="jackpot.instance.pending_terms_changed")
    assert (entry.actor_ref, entry.reason) == ("8", "The summer")
    assert list(entry.after["pending_terms"]) == ["mini"]


def test_the_request_says_what_changes(instance: Instance, actor: Actor, now: datetime) -> None:
    asked = ask(instance, richer(instance), actor, now)

    assert isinstance(asked, Approval)
    assert (asked.kind, asked.subject_id) == ("live_terms", str(instance.pk))
    assert asked.summary == [
        "New terms for Daily",
        "mini: seed 25.00 EUR, ceiling 90.00 EUR, drops before it reaches 80.50 EUR.",
    ]
    assert [pot["name"] for pot in asked.payload["before"]] == ["mini", "grand"]
    assert asked.payload["wanted"][0]["seed"] == "25"


@pytest.mark.parametrize(
    ("drop", "words"),
    [
        (DropTerms(), "no ceiling, drops when somebody says so."),
        (
            DropTerms(type=DropType.HIT_RATE, probability=Decimal("0.001")),
            "no ceiling, drops by chance, 0.001 for each unit wagered.",
        ),
    ],
)
def test_every_drop_is_said_in_words(
    drop: DropTerms, words: str, instance: Instance, actor: Actor, now: datetime
) -> None:
    asked = ask(instance, richer(instance, ceiling=None, drop=drop), actor, now)

    assert asked.summary[1] == f"mini: seed 25.00 EUR, {words}"


def test_a_time_that_is_over_when_it_is_approved_is_refused(
    instance: Instance, actor: Actor, now: datetime
) -> None:
    drop = DropTerms(type=DropType.MUST_HIT_BY_TIME, at=now + timedelta(hours=1))
    asked = ask(instance, richer(instance, drop=drop), actor, now)

    with pytest.raises(InvalidRequest):
        approve(asked, now + timedelta(hours=1))

    assert "drops by 29 Mar 2026, 01:59:00 UTC." in asked.summary[1]
    assert pending() == [None, None]
    assert Approval.objects.get().status == ApprovalStatus.REQUESTED


def test_terms_that_wait_are_withdrawn_by_two_people_too(
    instance: Instance, actor: Actor, now: datetime
) -> None:
    approve(ask(instance, richer(instance), actor, now), now)

    asked = ask(instance, list(read_terms(instance=instance).pots), actor, now)
    approve(asked, now)

    assert asked.summary[1] == ("mini: it keeps the terms that run; those that wait are withdrawn.")
    assert pending() == [None, None]


def test_a_change_of_nothing_is_not_asked_for(
    instance: Instance, actor: Actor, now: datetime
) -> None:
    done = ask(instance, list(read_terms(instance=instance).pots), actor, now)

    assert done == instance
    assert not Approval.objects.exists()
    assert not AuditEntry.objects.exists()


def test_where_one_person_is_enough_the_terms_wait_at_once(
    instance: Instance, actor: Actor, now: datetime
) -> None:
    ApprovalSettingsFactory.create(operator=instance.operator, live_terms=False)

    done = ask(instance, richer(instance), actor, now)

    assert done == instance
    assert pending()[0]["seed"] == "25"
    assert not Approval.objects.exists()


def test_the_service_refuses_staff_whatever_door_they_come_by(
    instance: Instance, actor: Actor, now: datetime
) -> None:
    with pytest.raises(ApprovalRequired):
        change_live_terms(
            operator=instance.operator,
            instance_id=instance.pk,
            pots=richer(instance),
            reason="",
            actor=actor,
            now=now,
        )

    assert pending() == [None, None]


def test_what_cannot_be_is_not_asked_for(instance: Instance, actor: Actor, now: datetime) -> None:
    with pytest.raises(InvalidRequest):
        ask(instance, richer(instance, ceiling=Decimal(1)), actor, now)

    assert not Approval.objects.exists()


def test_whoever_asked_changes_nothing(instance: Instance, actor: Actor, now: datetime) -> None:
    asked = ask(instance, richer(instance), actor, now)

    with pytest.raises(SecondPersonRequired):
        approve(asked, now, actor)

    assert pending() == [None, None]


def test_of_two_requests_for_the_same_pots_only_the_first_is_done(
    instance: Instance, actor: Actor, now: datetime
) -> None:
    first = ask(instance, richer(instance), actor, now)
    second = ask(instance, richer(instance, seed=Decimal(26)), actor, now)
    approve(first, now)

    with pytest.raises(ApprovalChanged):
        approve(second, now)

    assert pending()[0]["seed"] == "25"
    assert Approval.objects.get(pk=second.pk).status == ApprovalStatus.REQUESTED


def test_an_instance_that_no_longer_runs_leaves_the_request_waiting(
    instance: Instance, actor: Actor, now: datetime
) -> None:
    asked = ask(instance, richer(instance), actor, now)
    Instance.objects.filter(pk=instance.pk).update(status=InstanceStatus.CLOSING, closing_at=now)

    with pytest.raises(InstanceWrongState):
        approve(asked, now)

    assert Approval.objects.get().status == ApprovalStatus.REQUESTED


def test_the_order_of_locks(
    instance: Instance, actor: Actor, now: datetime, record_locks: Any
) -> None:
    asked = ask(instance, richer(instance), actor, now)

    with record_locks() as tables:
        approve(asked, now)

    assert tables == ["jackpots_instance"]
