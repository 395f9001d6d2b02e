"""Boosts: house money gets into a live pot once, in time, and by two different hands."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, transaction

from approvals.errors import SecondPersonRequired
from core.actors import Actor, ActorKind
from core.errors import InvalidRequest
from core.models import AuditEntry
from jackpots.enums import BoostStatus, EntryKind
from jackpots.errors import (
    BoostExpired,
    BoostWrongState,
    InstanceWrongState,
)
from jackpots.models import Boost, Instance, Pot, PotEntry
from jackpots.selectors import read_meters
from jackpots.services.boosts import apply_boost, reject_boost, request_boost
from operators.models import Operator
from tests.conftest import Client
from tests.factories.jackpots import BoostFactory, InstanceFactory
from tests.jackpots.conftest import meter

pytestmark = pytest.mark.django_db

OTHER = Actor(kind=ActorKind.STAFF, ref="8")


@pytest.fixture
def instance(operator: Operator) -> Instance:
    """A progressive in euros with 10 in a pot that ends at 50."""
    pots = [{"seed": Decimal(10), "ceiling": Decimal(50)}]
    return InstanceFactory.create(operator=operator, progressive=True, pots=pots)


@pytest.fixture
def boost(instance: Instance, actor: Actor, now: datetime) -> Boost:
    """A request for 60 euros by ``actor``."""
    return request_boost(
        operator=instance.operator,
        instance_id=instance.pk,
        pot_name="main",
        amount=Decimal(60),
        reason="Anniversary",
        actor=actor,
        now=now,
    )


def decide(service: Callable[..., Boost], boost: Boost, actor: Actor, now: datetime) -> Boost:
    return service(
        operator=boost.operator, boost_id=boost.pk, reason="Agreed", actor=actor, now=now
    )


def trail() -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.order_by("pk")
    return [(entry.action, entry.actor_ref, entry.reason) for entry in entries]


def untouched(instance: Instance) -> bool:
    return meter(instance) == 10 and not boosted().exists()


def boosted() -> Any:
    return PotEntry.objects.filter(kind=EntryKind.BOOST)


def test_a_second_person_puts_the_money_in_and_what_passes_the_ceiling_is_reserve(
    boost: Boost, instance: Instance, now: datetime
) -> None:
    assert untouched(instance)

    applied = decide(apply_boost, boost, OTHER, now)

    (pot,) = read_meters(instance_ids=[instance.pk])[instance.pk]
    assert (pot.value, pot.reserve) == (50, 20)
    assert list(boosted().values_list("amount", "cycle")) == [(60, 1)]
    assert (applied.status, applied.decided_by_ref, applied.decided_at) == ("applied", "8", now)
    assert trail() == [
        ("jackpot.boost.requested", "7", "Anniversary"),
        ("jackpot.boost.applied", "8", "Agreed"),
    ]
    assert AuditEntry.objects.latest("pk").after == {
        "status": "applied",
        "instance_id": str(instance.pk),
        "pot": "main",
        "amount": "60.00",
        "currency": "EUR",
    }


def test_whoever_asked_does_not_apply(
    boost: Boost, instance: Instance, actor: Actor, now: datetime
) -> None:
    with pytest.raises(SecondPersonRequired):
        decide(apply_boost, boost, actor, now)

    assert untouched(instance)
    # The same number behind another door is somebody else.
    decide(apply_boost, boost, Actor(kind=ActorKind.API_KEY, ref="7"), now)


def test_the_database_knows_four_eyes_and_the_facts_of_a_request(
    boost: Boost, now: datetime
) -> None:
    row = Boost.objects.filter(pk=boost.pk)
    decision = {"decided_by_kind": "staff", "decided_by_ref": "7", "decided_at": now}
    broken = [
        (IntegrityError, {"status": "applied", **decision}),
        (IntegrityError, {"status": "applied"}),
        (DatabaseError, {"amount": 600}),
        (DatabaseError, {"reason": "Nothing"}),
    ]

    for error, values in broken:
        with pytest.raises(error), transaction.atomic():
            row.update(**values)
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()

    assert (Boost.objects.get().status, Boost.objects.get().amount) == ("requested", 60)


def test_a_request_can_be_applied_for_a_week_and_rejected_later(
    boost: Boost, instance: Instance, now: datetime
) -> None:
    week = timedelta(days=7)
    assert boost.expires_at == now + week

    with pytest.raises(BoostExpired):
        decide(apply_boost, boost, OTHER, now + week)

    assert untouched(instance)
    assert decide(reject_boost, boost, OTHER, now + week).status == "rejected"
    assert trail()[1:] == [("jackpot.boost.rejected", "8", "Agreed")]


def test_the_last_instant_still_counts(boost: Boost, instance: Instance, now: datetime) -> None:
    decide(apply_boost, boost, OTHER, boost.expires_at - timedelta(microseconds=1))

    assert meter(instance) == 50


def test_who_asked_may_withdraw_but_needs_a_reason(
    boost: Boost, instance: Instance, actor: Actor, now: datetime
) -> None:
    with pytest.raises(InvalidRequest):
        reject_boost(operator=boost.operator, boost_id=boost.pk, reason="", actor=actor, now=now)
    decide(reject_boost, boost, actor, now)

    assert trail()[1:] == [("jackpot.boost.withdrawn", "7", "Agreed")]
    assert untouched(instance)


@pytest.mark.parametrize("first", [apply_boost, reject_boost])
def test_a_boost_is_decided_once(
    first: Callable[..., Boost], boost: Boost, instance: Instance, now: datetime
) -> None:
    decide(first, boost, OTHER, now)
    held = meter(instance)

    for service in (apply_boost, reject_boost):
        with pytest.raises(BoostWrongState):
            decide(service, boost, Actor(kind=ActorKind.STAFF, ref="9"), now)

    assert (meter(instance), len(trail())) == (held, 2)


def test_only_an_active_instance_takes_one_paused_or_not(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    paused = InstanceFactory.create(operator=operator, progressive=True, paused=True)
    for status in ("draft", "closing", "closed", "cancelled"):
        ended = InstanceFactory.create(operator=operator, progressive=True, status=status)
        asked = BoostFactory.create(pot=ended.pots.get(), expires_at=now + timedelta(days=1))
        with pytest.raises(InstanceWrongState):
            decide(apply_boost, asked, OTHER, now)
        with pytest.raises(InstanceWrongState):
            request_boost(
                operator=operator,
                instance_id=ended.pk,
                pot_name="main",
                amount=Decimal(1),
                reason="Why not",
                actor=actor,
                now=now,
            )
    asked = BoostFactory.create(pot=paused.pots.get(), expires_at=now + timedelta(days=1))

    decide(apply_boost, asked, OTHER, now)

    assert [entry.pot.instance_id for entry in boosted()] == [paused.pk]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"amount": "0", "reason": "x"}, "/amount"),
        ({"amount": "0.001", "reason": "x"}, "/amount"),
        ({"amount": "-1", "reason": "x"}, "/amount"),
        ({"amount": 5, "reason": "x"}, "/amount"),
        ({"amount": "5"}, "/reason"),
        ({"amount": "5", "reason": ""}, "/reason"),
        ({"amount": "5", "reason": "x", "status": "applied"}, "/status"),
    ],
)
def test_a_request_that_cannot_be_is_refused(
    body: Any, pointer: str, client: Client, instance: Instance
) -> None:
    response = client.post(f"/v2/jackpots/instances/{instance.pk}/pots/main/boosts", body)

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert not Boost.objects.exists()


def test_over_http_one_key_asks_and_another_one_applies(
    client: Client, operator: Operator, instance: Instance, client_of: Callable[..., Client]
) -> None:
    path, second = f"/v2/jackpots/instances/{instance.pk}/pots/main/boosts", client_of(operator)
    body = {"amount": "5.00", "reason": "Anniversary"}
    with time_machine.travel("2026-03-29T00:59:00Z", tick=False):
        asked = client.post(path, body, key="ask")
        again = client.post(path, body, key="ask")
        boost = asked.json()
        apply = f"/v2/jackpots/boosts/{boost['id']}/apply"

        own = client.post(apply)
        applied, replayed = second.post(apply, key="apply"), second.post(apply, key="apply")
        late = second.post(f"/v2/jackpots/boosts/{boost['id']}/reject", {"reason": "No"})

    assert (asked.status_code, again.json()) == (201, boost)
    assert {name: boost[name] for name in ("pot", "amount", "status", "decided_by")} == {
        "pot": "main",
        "amount": "5.00",
        "status": "requested",
        "decided_by": None,
    }
    assert boost["expires_at"] == "2026-04-05T00:59:00Z"
    assert (own.status_code, own.json()["code"]) == (409, "SECOND_PERSON_REQUIRED")
    assert (applied.status_code, applied.json()["status"]) == (200, "applied")
    assert replayed.headers["Idempotency-Replayed"] == "true"
    assert replayed.json() == applied.json()
    assert (late.status_code, late.json()["code"]) == (409, "BOOST_WRONG_STATE")
    assert late.json()["boost_status"] == BoostStatus.APPLIED
    assert Pot.objects.get().opening == 15


def test_boosts_are_listed_and_filtered(client: Client, boost: Boost, operator: Operator) -> None:
    BoostFactory.create(pot__instance__operator=operator, pot__name="other")
    BoostFactory.create()

    def names(**query: Any) -> list[str]:
        return [
            found["pot"] for found in client.get("/v2/jackpots/boosts", query).json()["results"]
        ]

    assert names() == ["other", "main"]
    assert names(instance_id=str(boost.pot.instance_id), status="requested") == ["main"]
    assert names(pot="other") == ["other"]
    assert names(status="applied") == []


def test_applying_locks_the_instance_and_then_the_boost(
    boost: Boost, now: datetime, record_locks: Any
) -> None:
    with record_locks() as tables:
        decide(apply_boost, boost, OTHER, now)

    assert tables == ["jackpots_instance", "jackpots_boost"]
