"""jackpots.services.retention: a promise that was kept is forgotten, and still happened once."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.models import IdempotencyRecord, id_floor
from jackpots import tasks
from jackpots.enums import RequestStatus
from jackpots.models import Contribution, ContributionRequest, Instance
from jackpots.services.retention import delete_ended_requests
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import ContributionRequestFactory, InstanceFactory
from tests.jackpots.conftest import meter

pytestmark = pytest.mark.django_db(transaction=True)

KEEP_FOR = timedelta(days=90)
ASYNC = {"Prefer": "respond-async"}
ENDED: dict[str, Callable[[datetime], dict[str, Any]]] = {
    RequestStatus.DONE: lambda at: {"answer": {"results": []}, "finished_at": at},
    RequestStatus.FAILED: lambda at: {"error": {"code": "X"}, "finished_at": at},
    RequestStatus.PENDING: lambda _at: {},
}


def request_at(at: datetime, operator: Operator, status: str) -> ContributionRequest:
    return ContributionRequestFactory.create(
        id=uuid.UUID(int=id_floor(at).int + uuid.uuid4().int % 2**64),
        operator=operator,
        status=status,
        received_at=at,
        **ENDED[status](at),
    )


def delete(now: datetime, *, limit: int = 100) -> int:
    return delete_ended_requests(now=now, keep_for=KEEP_FOR, batch_size=2, limit=limit)


@pytest.mark.parametrize("status", [RequestStatus.DONE, RequestStatus.FAILED])
def test_what_has_ended_long_ago_is_forgotten(
    operator: Operator, now: datetime, status: str
) -> None:
    for days in range(5):
        request_at(now - KEEP_FOR - timedelta(days=1 + days), operator, status)
    kept = request_at(now - KEEP_FOR + timedelta(days=1), operator, status)

    counts = [delete(now, limit=3), delete(now), delete(now)]

    assert counts == [3, 2, 0]
    assert list(ContributionRequest.objects.all()) == [kept]


def test_what_is_still_to_be_applied_is_kept_however_old(operator: Operator, now: datetime) -> None:
    waiting = request_at(now - 10 * KEEP_FOR, operator, RequestStatus.PENDING)

    assert delete(now) == 0

    assert list(ContributionRequest.objects.all()) == [waiting]


def test_a_forgotten_promise_has_still_happened_once(
    operator: Operator, client: Client, player: Player
) -> None:
    instance: Instance = InstanceFactory.create(operator=operator)
    body = {"player_id": player.reference, "base_wager": "150.00", "currency": "EUR"}
    path = f"/v2/jackpots/instances/{instance.pk}/contributions"
    promised = client.post(path, body, key="once", headers=ASYNC)
    tasks.apply_contribution_requests.apply().get()
    request_id = promised.json()["request_id"]
    before, keys = meter(instance), IdempotencyRecord.objects.count()

    deleted_count = delete(timezone.now() + KEEP_FOR + timedelta(minutes=1))
    repeated = client.post(path, body, key="once", headers=ASYNC)
    repeated_without = client.post(path, body, key="once")
    other = client.post(path, {**body, "base_wager": "151.00"}, key="once", headers=ASYNC)
    # A message that was on its way all the time.
    late = tasks.apply_contribution_request.apply(kwargs={"request_id": request_id}).get()
    swept = tasks.apply_contribution_requests.apply().get()

    assert deleted_count == 1
    for again in (repeated, repeated_without):
        assert (again.status_code, again.json()) == (202, promised.json())
        assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert (late, swept) == (False, 0)
    assert meter(instance) == before
    assert IdempotencyRecord.objects.count() == keys
    assert [str(row.request_id) for row in Contribution.objects.all()] == [request_id]
    assert client.get(promised.headers["Location"]).status_code == 404


def test_the_task_keeps_what_the_setting_says(operator: Operator, settings: Any) -> None:
    settings.CONTRIBUTION_REQUEST_DAYS = 10
    request_at(timezone.now() - timedelta(days=11), operator, RequestStatus.DONE)
    kept = request_at(timezone.now() - timedelta(days=9), operator, RequestStatus.DONE)

    counts = [
        tasks.delete_old_contribution_requests.apply(kwargs={"newer": 1}).get() for _ in range(2)
    ]

    assert counts == [1, 0]
    assert list(ContributionRequest.objects.all()) == [kept]
