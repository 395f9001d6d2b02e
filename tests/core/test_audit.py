"""core.audit.record_action: who did what, in the transaction of what they did."""

from datetime import datetime

import pytest
import structlog
from django.db import transaction

from core import audit
from core.actors import Actor, ActorKind
from core.models import AuditEntry
from operators.models import Operator
from tests.factories.players import PlayerFactory


@pytest.mark.django_db
def test_an_entry_says_who_what_when_and_why(operator: Operator, now: datetime) -> None:
    player = PlayerFactory.create(operator=operator)

    with structlog.contextvars.bound_contextvars(request_id="req-7"):
        entry = audit.record_action(
            operator=operator,
            actor=Actor(kind=ActorKind.STAFF, ref="7"),
            action="player.changed",
            subject=player,
            before={"kyc_level": 1},
            after={"kyc_level": 2},
            reason="Passport seen.",
            now=now,
        )

    stored = AuditEntry.objects.for_operator(operator).get()
    assert stored == entry
    assert (stored.actor_kind, stored.actor_ref) == ("staff", "7")
    assert (stored.action, stored.reason) == ("player.changed", "Passport seen.")
    assert (stored.subject_type, stored.subject_id) == ("players.player", str(player.pk))
    assert (stored.before, stored.after) == ({"kyc_level": 1}, {"kyc_level": 2})
    assert (stored.request_id, stored.created_at) == ("req-7", now)


@pytest.mark.django_db(transaction=True)
def test_an_entry_without_a_transaction_is_the_programmers_mistake(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    with pytest.raises(AssertionError):
        audit.record_action(
            operator=operator, actor=actor, action="test.acted", subject=operator, now=now
        )

    assert AuditEntry.objects.exists() is False


@pytest.mark.django_db(transaction=True)
def test_what_did_not_happen_leaves_no_trail(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    with transaction.atomic():
        audit.record_action(
            operator=operator, actor=actor, action="test.acted", subject=operator, now=now
        )
        transaction.set_rollback(True)

    assert AuditEntry.objects.exists() is False


@pytest.mark.django_db
def test_a_request_is_found_again_by_its_id(client) -> None:
    client.put("/v1/players/anna", {"currency": "EUR"}, headers={"X-Request-Id": "req-7"})

    assert AuditEntry.objects.get().request_id == "req-7"
