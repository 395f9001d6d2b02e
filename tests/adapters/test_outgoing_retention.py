"""adapters.services.retention: what was told goes in time, and nothing that is still to be told."""

import uuid
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import ProgrammingError, connection, connections, transaction
from django.utils import timezone

from adapters import tasks
from adapters.enums import DeliveryStatus
from adapters.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from adapters.services.retention import Deleted, delete_what_was_told
from core import locks
from core.models import OutboxMessage, id_floor
from operators.models import Operator
from tests.factories.webhooks import (
    OutboxMessageFactory,
    WebhookDeliveryFactory,
    WebhookEndpointFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

KEEP_FOR = timedelta(days=90)
OLD = timedelta(days=91)
YOUNG = timedelta(days=89)


def id_at(instant: datetime) -> uuid.UUID:
    """Return an id as it is given at ``instant``."""
    return uuid.UUID(int=id_floor(instant).int + uuid.uuid4().int % 2**64)


@pytest.fixture
def endpoint(operator: Operator) -> WebhookEndpoint:
    return WebhookEndpointFactory.create(operator=operator)


def deliver(
    endpoint: WebhookEndpoint, at: datetime, status: str = DeliveryStatus.DELIVERED
) -> WebhookDelivery:
    """Make a message of that age and its delivery, attempted once."""
    message = OutboxMessageFactory.create(
        operator=endpoint.operator, id=id_at(at), created_at=at, relayed_at=at
    )
    delivery = WebhookDeliveryFactory.create(
        endpoint=endpoint, message=message, id=id_at(at), created_at=at, status=status
    )
    DeliveryAttempt.objects.create(delivery=delivery, at=at, status_code=200, duration_ms=1)
    return delivery


def delete(now: datetime, *, batch_size: int = 2, limit: int = 100) -> Deleted:
    return delete_what_was_told(now=now, keep_for=KEEP_FOR, batch_size=batch_size, limit=limit)


@pytest.mark.parametrize("status", [DeliveryStatus.DELIVERED, DeliveryStatus.FAILED])
def test_what_is_old_and_settled_goes_with_its_attempts_and_its_message(
    endpoint: WebhookEndpoint, now: datetime, status: str
) -> None:
    for _ in range(5):
        deliver(endpoint, now - OLD, status)
    kept = deliver(endpoint, now - YOUNG, status)

    deleted = delete(now)

    assert deleted == Deleted(delivery_count=5, message_count=5)
    assert list(WebhookDelivery.objects.all()) == [kept]
    assert list(OutboxMessage.objects.values_list("pk", flat=True)) == [kept.message_id]
    assert DeliveryAttempt.objects.get().delivery_id == kept.pk


def test_what_is_still_to_be_delivered_is_kept_however_old(
    endpoint: WebhookEndpoint, now: datetime
) -> None:
    waiting = deliver(endpoint, now - 10 * OLD, DeliveryStatus.PENDING)

    assert delete(now) == Deleted(0, 0)

    assert list(WebhookDelivery.objects.all()) == [waiting]
    assert OutboxMessage.objects.count() == DeliveryAttempt.objects.count() == 1


def test_a_message_that_one_endpoint_waits_for_is_kept(
    endpoint: WebhookEndpoint, now: datetime
) -> None:
    told = deliver(endpoint, now - OLD)
    other = WebhookEndpointFactory.create(operator=endpoint.operator)
    waiting = WebhookDeliveryFactory.create(
        endpoint=other, message=told.message, id=id_at(now - OLD), created_at=now - OLD
    )

    assert delete(now) == Deleted(delivery_count=1, message_count=0)

    assert list(WebhookDelivery.objects.all()) == [waiting]


def test_a_message_that_nobody_wanted_goes_and_one_not_passed_on_stays(
    operator: Operator, now: datetime
) -> None:
    at = now - OLD
    OutboxMessageFactory.create(operator=operator, id=id_at(at), created_at=at, relayed_at=at)
    unheard = OutboxMessageFactory.create(operator=operator, id=id_at(at), created_at=at)

    assert delete(now) == Deleted(delivery_count=0, message_count=1)

    assert list(OutboxMessage.objects.all()) == [unheard]


def test_a_run_deletes_no_more_than_it_may_and_the_next_goes_on(
    endpoint: WebhookEndpoint, now: datetime
) -> None:
    for days in range(7):
        deliver(endpoint, now - OLD - timedelta(days=days))

    counts = [delete(now, batch_size=2, limit=3) for _ in range(4)]

    assert [each.delivery_count for each in counts] == [3, 3, 1, 0]
    assert sum(each.message_count for each in counts) == 7


def test_messages_that_must_stay_do_not_keep_the_others_from_going(
    endpoint: WebhookEndpoint, now: datetime
) -> None:
    for days in range(5):
        deliver(endpoint, now - 2 * OLD - timedelta(days=days), DeliveryStatus.PENDING)
    deliver(endpoint, now - OLD)

    assert delete(now, batch_size=2) == Deleted(delivery_count=1, message_count=1)


def test_one_that_is_being_sent_again_is_left_alone(
    endpoint: WebhookEndpoint, now: datetime
) -> None:
    delivery = deliver(endpoint, now - OLD)
    held, done = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                locks.lock_one(WebhookDelivery.objects.filter(pk=delivery.pk))
                held.set()
                done.wait(timeout=60)
        finally:
            connections.close_all()

    holder = Thread(target=hold)
    holder.start()
    assert held.wait(timeout=60)
    during = delete(now)
    done.set()
    holder.join(timeout=60)

    assert during == Deleted(0, 0)
    assert delete(now) == Deleted(1, 1)


def test_the_task_keeps_what_the_setting_says(endpoint: WebhookEndpoint, settings: Any) -> None:
    settings.OUTBOX_DAYS = 10
    deliver(endpoint, timezone.now() - timedelta(days=11))
    kept = deliver(endpoint, timezone.now() - timedelta(days=9))

    counts = [tasks.delete_old_deliveries.apply(kwargs={"newer": 1}).get() for _ in range(2)]

    assert counts == [2, 0]
    assert list(WebhookDelivery.objects.all()) == [kept]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM adapters_webhookdelivery",
        "DELETE FROM adapters_deliveryattempt",
        "UPDATE adapters_deliveryattempt SET status_code = 500",
    ],
)
def test_the_database_keeps_what_is_on_its_way(
    endpoint: WebhookEndpoint, now: datetime, statement: str
) -> None:
    deliver(endpoint, now, DeliveryStatus.PENDING)

    with (
        pytest.raises(ProgrammingError, match=r"Cannot (delete|update) rows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert DeliveryAttempt.objects.get().status_code == 200


def test_the_log_of_a_settled_delivery_cannot_be_thinned_out(
    endpoint: WebhookEndpoint, now: datetime
) -> None:
    deliver(endpoint, now - OLD)

    with (
        pytest.raises(ProgrammingError, match="Cannot delete rows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM adapters_deliveryattempt")

    assert DeliveryAttempt.objects.count() == 1
