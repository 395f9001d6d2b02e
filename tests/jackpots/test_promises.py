"""Prefer: respond-async: what was answered 202 is applied once, and one key has one answer."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from core.errors import ResourceBusy
from core.models import IdempotencyRecord
from jackpots import tasks
from jackpots.models import Contribution, ContributionRequest, Instance
from jackpots.services import requests
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory
from tests.jackpots.conftest import link, meter

Contribute = Callable[..., Any]

ASYNC = {"Prefer": "wait=5, Respond-Async"}


@pytest.fixture
def instance(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator)


@pytest.fixture
def promise(client: Client, player: Player) -> Contribute:
    """Ask for the promise of a contribution; give members of the body to change them."""

    def post(instance: Instance, *, key: str = "once", **members: Any) -> Any:
        body = {"player_id": player.reference, "base_wager": "150.00", "currency": "EUR"}
        path = f"/v2/jackpots/instances/{instance.pk}/contributions"
        return client.post(path, {**body, **members}, key=key, headers=ASYNC)

    return post


def sweep() -> int:
    return tasks.apply_contribution_requests.apply().get()


def test_a_promise_is_applied_once_and_tells_what_it_did(
    operator: Operator, instance: Instance, client: Client, promise: Contribute
) -> None:
    link(instance, InstanceFactory.create(operator=operator, paused=True))

    promised = promise(instance, gameround_id="round-1", metadata={"bet": [1]})
    request_id = promised.json()["request_id"]
    pending = client.get(promised.headers["Location"]).json()
    before = meter(instance)
    counts = [sweep(), sweep()]
    done = client.get(promised.headers["Location"]).json()

    assert (promised.status_code, promised.json()["status"]) == (202, "pending")
    assert promised.headers["Location"] == f"/v2/jackpots/contribution-requests/{request_id}"
    assert promised.headers["Preference-Applied"] == "respond-async"
    assert (pending["status"], pending["results"], pending["error"]) == ("pending", None, None)
    assert (before, meter(instance), counts) == (0, Decimal("1.5"), [1, 0])
    assert (done["request_id"], done["status"], done["error"]) == (request_id, "done", None)
    main, linked = done["results"]
    assert (main["status"], main["amount"]) == ("accepted", "1.50")
    assert main["tickets"] == {"earned": 1, "total": 1}
    assert (linked["status"], linked["error"]["code"]) == ("failed", "INSTANCE_NOT_ACTIVE")
    row = Contribution.objects.get(pk=main["contribution_id"])
    assert (str(row.request_id), row.gameround_id) == (request_id, "round-1")
    assert row.metadata == {"bet": [1]}


def test_one_key_has_one_answer_whichever_way_it_is_repeated(
    instance: Instance, contribute: Contribute, promise: Contribute
) -> None:
    first = promise(instance)
    pending = [promise(instance), contribute(instance, key="once", base_wager="150.00")]
    sweep()
    done = [promise(instance), contribute(instance, key="once", base_wager="150.00")]
    promised = [*pending, *done]
    reused = [
        promise(instance, base_wager="151.00"),
        contribute(instance, key="once", version="v1", base_wager="150.00"),
    ]
    at_once = contribute(instance, key="other")
    asked_async = promise(instance, key="other", base_wager="10.00")

    assert [(each.status_code, each.content) for each in promised] == [(202, first.content)] * 4
    assert {each.headers["Idempotency-Replayed"] for each in promised} == {"true"}
    assert {each.headers["Location"] for each in promised} == {first.headers["Location"]}
    assert "Idempotency-Replayed" not in first.headers
    assert [each.json()["code"] for each in reused] == ["IDEMPOTENCY_KEY_REUSED"] * 2
    assert (asked_async.status_code, asked_async.content) == (201, at_once.content)
    assert asked_async.headers["Idempotency-Replayed"] == "true"
    assert ContributionRequest.objects.count() == 1
    assert meter(instance) == Decimal("1.6")


def test_what_is_wrong_with_a_request_is_said_at_once_and_promises_nothing(
    instance: Instance, promise: Contribute
) -> None:
    refused = [
        promise(instance, base_wager="-1"),
        promise(instance, player_id="nobody"),
        promise(Instance(pk=uuid4())),
    ]

    assert [each.status_code for each in refused] == [400, 404, 404]
    assert ContributionRequest.objects.exists() is False
    assert IdempotencyRecord.objects.exists() is False


def test_a_refusal_ends_the_request_and_is_shown_as_the_call_would_have_heard_it(
    operator: Operator,
    instance: Instance,
    client: Client,
    promise: Contribute,
    contribute: Contribute,
) -> None:
    link(instance, InstanceFactory.create(operator=operator))
    promised = promise(instance)
    Instance.objects.filter(pk=instance.pk).update(
        paused_at=timezone.now(), paused_reason="Meanwhile"
    )

    sweep()
    Instance.objects.filter(pk=instance.pk).update(paused_at=None, paused_reason="")
    counts = [sweep(), Contribution.objects.count()]
    shown = client.get(promised.headers["Location"]).json()
    Instance.objects.filter(pk=instance.pk).update(paused_at=timezone.now(), paused_reason="Again")
    direct = contribute(instance, key="direct")

    assert (shown["status"], shown["results"], counts) == ("failed", None, [0, 0])
    assert shown["error"] == direct.json()
    assert shown["error"]["code"] == "INSTANCE_NOT_ACTIVE"


def test_one_that_breaks_is_put_off_and_never_stops_the_rest(
    instance: Instance, client: Client, promise: Contribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    locations = [promise(instance, key=f"key-{n}").headers["Location"] for n in range(3)]
    contribute, failures = requests.contribute, [RuntimeError("a bug"), ResourceBusy("busy")]

    def break_twice(**kwargs: Any) -> Any:
        if failures:
            raise failures.pop(0)
        return contribute(**kwargs)

    monkeypatch.setattr(requests, "contribute", break_twice)

    applied = [sweep(), sweep()]
    ContributionRequest.objects.update(next_attempt_at=None)
    applied.append(sweep())

    # Those that were put off are not due in the second run.
    assert applied == [1, 0, 2]
    assert {client.get(each).json()["status"] for each in locations} == {"done"}
    assert sorted(ContributionRequest.objects.values_list("attempts", flat=True)) == [0, 1, 1]
    assert meter(instance) == Decimal("4.5")


def test_no_caller_can_send_the_key_of_the_effect(
    instance: Instance, promise: Contribute, contribute: Contribute
) -> None:
    request_id = promise(instance).json()["request_id"]
    sweep()
    [effect_key] = IdempotencyRecord.objects.exclude(key="once").values_list("key", flat=True)

    response = contribute(instance, key=effect_key.encode().decode("latin-1"))

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert request_id in effect_key
    assert not effect_key.isascii()


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_delays_a_promise_and_loses_none(
    instance: Instance, promise: Contribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def refuse(name: str, **kwargs: Any) -> None:
        sent.append(name)
        raise OperationalError("no broker")

    monkeypatch.setattr(requests.current_app, "send_task", refuse)

    promised = promise(instance)

    assert promised.status_code == 202
    assert sent == ["jackpots.tasks.apply_contribution_request"]
    assert sweep() == 1
    assert meter(instance) == Decimal("1.5")
