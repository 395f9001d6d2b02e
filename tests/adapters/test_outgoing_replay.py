"""Deliveries over HTTP: listed, narrowed, and sent again under the same id."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from adapters.models import DeliveryAttempt, WebhookDelivery
from adapters.services import deliveries
from core.actors import Actor, ActorKind
from core.models import AuditEntry
from operators.models import Operator
from tests.adapters.receivers import Receiver, receiving
from tests.factories.webhooks import WebhookDeliveryFactory, WebhookEndpointFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TASK = Actor(kind=ActorKind.TASK, ref="deliver_webhook")


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as server:
        yield server


def replay(client: Any, delivery: WebhookDelivery) -> Any:
    return client.post(f"/v1/webhook-deliveries/{delivery.pk}/replay", {"reason": "We were down."})


def listed(client: Any, query: str) -> list[str]:
    response = client.get(f"/v1/webhook-deliveries{query}")
    assert response.status_code == 200, response.content
    return [each["id"] for each in response.json()["results"]]


def test_a_delivery_is_shown_without_what_it_carries(client: Any, operator: Operator) -> None:
    delivery = WebhookDeliveryFactory.create(
        endpoint__operator=operator, last_status_code=500, last_error="It answered 500.", attempts=1
    )

    [shown] = client.get("/v1/webhook-deliveries").json()["results"]

    assert shown == {
        "id": str(delivery.pk),
        "endpoint_id": str(delivery.endpoint_id),
        "message_id": str(delivery.message_id),
        "topic": "promo.claim.made",
        "status": "pending",
        "attempts": 1,
        "next_attempt_at": "2026-01-01T00:00:00Z",
        "last_status_code": 500,
        "last_error": "It answered 500.",
        "delivered_at": None,
        "created_at": "2026-01-01T00:00:00Z",
    }


def test_deliveries_are_narrowed_by_endpoint_status_and_topic(
    client: Any, operator: Operator
) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator)
    failed = WebhookDeliveryFactory.create(endpoint=endpoint, status="failed")
    issued = WebhookDeliveryFactory.create(endpoint=endpoint, message__topic="bonus.grant.issued")
    other = WebhookDeliveryFactory.create(endpoint__operator=operator)

    assert listed(client, "") == [str(each.pk) for each in (other, issued, failed)]
    assert listed(client, f"?endpoint_id={endpoint.pk}") == [str(issued.pk), str(failed.pk)]
    assert listed(client, "?status=failed") == [str(failed.pk)]
    assert listed(client, "?topic=bonus.grant.issued") == [str(issued.pk)]
    assert listed(client, f"?topic=bonus.grant.issued&endpoint_id={other.endpoint_id}") == []


@pytest.mark.parametrize("query", ["?status=lost", "?topic=promo.claim.won", "?endpoint_id=1"])
def test_a_filter_that_means_nothing_is_refused(query: str, client: Any) -> None:
    response = client.get(f"/v1/webhook-deliveries{query}")

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("status", ["delivered", "failed"])
def test_a_settled_message_is_sent_again_under_its_id(
    status: str, client: Any, operator: Operator, receiver: Receiver
) -> None:
    delivery = WebhookDeliveryFactory.create(
        endpoint__operator=operator, endpoint__url=receiver.url, status=status, attempts=10
    )

    with time_machine.travel(NOON, tick=False):
        response = replay(client, delivery)

    assert response.status_code == 202
    assert (response.json()["status"], response.json()["attempts"]) == ("pending", 0)
    assert response.json()["next_attempt_at"] == "2026-03-01T12:00:00Z"
    deliveries.attempt_delivery(delivery_id=delivery.pk, actor=TASK, clock=lambda: NOON)
    after = WebhookDelivery.objects.get(pk=delivery.pk)
    assert (after.status, after.attempts) == ("delivered", 1)
    assert [each.message_id for each in receiver.received] == [str(delivery.message_id)]
    entry = AuditEntry.objects.get(action="webhook.delivery.replayed")
    assert entry.reason == "We were down."
    assert (entry.before, entry.after) == ({"status": status}, {"status": "pending"})


def test_the_log_goes_on(client: Any, operator: Operator, receiver: Receiver) -> None:
    delivery = WebhookDeliveryFactory.create(
        endpoint__operator=operator, endpoint__url=receiver.url
    )
    for _ in range(2):
        deliveries.attempt_delivery(delivery_id=delivery.pk, actor=TASK, clock=lambda: NOON)
        with time_machine.travel(NOON, tick=False):
            assert replay(client, delivery).status_code == 202

    assert DeliveryAttempt.objects.filter(delivery=delivery).count() == 2


def test_what_is_on_its_way_is_not_sent_again(client: Any, operator: Operator) -> None:
    delivery = WebhookDeliveryFactory.create(endpoint__operator=operator, attempts=3)

    response = replay(client, delivery)

    assert (response.status_code, response.json()["code"]) == (409, "WEBHOOK_DELIVERY_PENDING")
    assert WebhookDelivery.objects.get(pk=delivery.pk).attempts == 3


def test_nothing_is_sent_again_to_an_endpoint_that_is_off(client: Any, operator: Operator) -> None:
    delivery = WebhookDeliveryFactory.create(
        endpoint__operator=operator, endpoint__is_active=False, status="failed"
    )

    response = replay(client, delivery)

    assert (response.status_code, response.json()["code"]) == (409, "WEBHOOK_ENDPOINT_DISABLED")
    assert WebhookDelivery.objects.get(pk=delivery.pk).status == "failed"


def test_replaying_needs_the_scope_manage(operator: Operator, client_of: Any) -> None:
    delivery = WebhookDeliveryFactory.create(endpoint__operator=operator, status="failed")

    response = replay(client_of(operator, scopes=["read", "play"]), delivery)

    assert (response.status_code, response.json()["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert WebhookDelivery.objects.get(pk=delivery.pk).status == "failed"


def test_locks_the_endpoint_before_its_delivery(
    client: Any, operator: Operator, record_locks: Any
) -> None:
    delivery = WebhookDeliveryFactory.create(endpoint__operator=operator, status="failed")

    with record_locks() as tables:
        replay(client, delivery)

    assert tables == ["adapters_webhookendpoint", "adapters_webhookdelivery"]
