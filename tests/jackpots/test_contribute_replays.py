"""POST …/contributions under the same Idempotency-Key: one effect, one answer."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from core.models import IdempotencyRecord
from jackpots.models import Contribution, Instance
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import link, meter

Contribute = Callable[..., Any]


@pytest.fixture
def instance(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_replay_hears_the_first_answer_whatever_has_happened_since(
    version: str, operator: Operator, instance: Instance, player: Player, contribute: Contribute
) -> None:
    link(instance, InstanceFactory.create(operator=operator, paused=True))
    first = contribute(instance, version=version, key="once", base_wager="150.00")
    Player.objects.filter(pk=player.pk).update(is_blocked=True)
    Instance.objects.filter(pk=instance.pk).update(
        paused_at=timezone.now(), paused_reason="Since then"
    )

    second = contribute(instance, version=version, key="once", base_wager="150.00")

    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert meter(instance) == Decimal("1.5")


def test_a_key_with_another_body_or_endpoint_is_refused(
    instance: Instance, contribute: Contribute
) -> None:
    contribute(instance, key="once")

    responses = [
        contribute(instance, key="once", base_wager="11.00"),
        contribute(instance, key="once", version="v1"),
    ]

    assert [(each.status_code, each.json()["code"]) for each in responses] == [
        (422, "IDEMPOTENCY_KEY_REUSED")
    ] * 2
    assert meter(instance) == Decimal("0.1")


def test_a_refusal_is_not_remembered(
    instance: Instance, player: Player, contribute: Contribute
) -> None:
    Player.objects.filter(pk=player.pk).update(is_blocked=True)
    refused = contribute(instance, key="again")
    Player.objects.filter(pk=player.pk).update(is_blocked=False)

    accepted = contribute(instance, key="again")

    assert (refused.status_code, accepted.status_code) == (409, 201)


def test_keys_are_per_operator(
    instance: Instance, contribute: Contribute, client_of: Callable[..., Client]
) -> None:
    theirs = InstanceFactory.create()
    PlayerFactory.create(operator=theirs.operator, reference="ada")
    contribute(instance, key="once")

    response = client_of(theirs.operator).post(
        f"/v2/jackpots/instances/{theirs.pk}/contributions",
        {"player_id": "ada", "base_wager": "10.00", "currency": "EUR"},
        key="once",
    )

    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response.headers


def test_an_answer_that_was_stored_whole_is_replayed_as_it_is(
    operator: Operator, instance: Instance, contribute: Contribute
) -> None:
    first = contribute(instance, key="once")
    record, row = IdempotencyRecord.objects.get(), Contribution.objects.get()
    leg = {
        "instance_id": str(instance.pk),
        "role": "main",
        "contribution_id": str(row.pk),
        "amount": "0.10",
        "currency": "EUR",
        "pots": [{"name": "main", "amount": "0.10"}],
        "tickets": {"earned": 0, "total": 0},
        "error": None,
    }
    answer = {
        "request_id": str(row.request_id),
        "base_wager": "10.00",
        "currency": "EUR",
        "created_at": row.created_at.isoformat(),
        "results": [leg],
    }
    IdempotencyRecord.objects.create(
        operator_id=operator.pk,
        key="before",
        fingerprint=record.fingerprint,
        answer=json.dumps(answer),
        created_at=row.created_at,
    )

    response = contribute(instance, key="before")

    assert (response.status_code, response.content) == (201, first.content)
    assert response.headers["Idempotency-Replayed"] == "true"
    assert Contribution.objects.count() == 1
