"""From the outbox to deliveries: who is told of what, decided once for every message."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from celery import current_app
from django.db import transaction

from adapters.errors import WebhookEndpointDisabled
from adapters.models import WebhookDelivery, WebhookEndpoint
from adapters.webhooks.topics import TEST_TOPIC
from core import audit, locks, outbox
from core.actors import Actor
from core.models import OutboxMessage
from operators.models import Operator

_TASK = "adapters.tasks.deliver_webhook"


def relay_outbox(*, now: datetime, messages_max: int, batch_size: int) -> int:
    """
    Pass up to ``messages_max`` messages on, oldest first; return how many were.

    Each batch is a transaction: its messages get a delivery for every active endpoint that
    wants them, and are relayed, or neither. Several at once share the work, and running
    twice is harmless. Nobody promises an order.
    """
    relayed_count = 0
    while relayed_count < messages_max:
        count = _relay_batch(count_max=min(batch_size, messages_max - relayed_count), now=now)
        relayed_count += count
        if count < batch_size:
            break
    return relayed_count


@transaction.atomic(durable=True)
def _relay_batch(*, count_max: int, now: datetime) -> int:
    messages = outbox.lock_unrelayed(count_max=count_max)
    if not messages:
        return 0
    wanted_by: dict[int, list[WebhookEndpoint]] = {}
    operator_ids = {message.operator_id for message in messages}
    for endpoint in WebhookEndpoint.objects.active().filter(operator_id__in=operator_ids):
        wanted_by.setdefault(endpoint.operator_id, []).append(endpoint)
    deliveries = WebhookDelivery.objects.bulk_create(
        _delivery(message, endpoint, now=now)
        for message in messages
        for endpoint in wanted_by.get(message.operator_id, ())
        if endpoint.wants(message.topic)
    )
    outbox.mark_relayed(messages=messages, now=now)
    # Whoever takes nothing at the moment is left to the sweep, which goes easy on them.
    _enqueue([each.pk for each in deliveries if each.endpoint.failing_since is None])
    return len(messages)


@transaction.atomic(durable=True)
def send_test_message(
    *, operator: Operator, endpoint_id: UUID, reason: str = "", actor: Actor, now: datetime
) -> WebhookDelivery:
    """
    Send an endpoint a message that says nothing, whatever topics it wants.

    :raises NotFound: if the operator has no such endpoint.
    :raises WebhookEndpointDisabled: if it is switched off.
    :raises ResourceBusy: if the endpoint is in use; nothing was changed.
    """
    endpoint = locks.lock_one(WebhookEndpoint.objects.for_operator(operator).filter(pk=endpoint_id))
    if not endpoint.is_active:
        raise WebhookEndpointDisabled("The endpoint is switched off. Switch it on first.")
    message = outbox.publish(
        operator=operator,
        topic=TEST_TOPIC,
        subject=endpoint,
        payload={"endpoint_id": str(endpoint.pk)},
        now=now,
    )
    # Relayed here: it is for this endpoint and no other.
    outbox.mark_relayed(messages=[message], now=now)
    delivery = _delivery(message, endpoint, now=now)
    delivery.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="webhook.endpoint.tested",
        subject=endpoint,
        after={"message_id": str(message.pk)},
        reason=reason,
        now=now,
    )
    _enqueue([delivery.pk])
    return delivery


def _delivery(
    message: OutboxMessage, endpoint: WebhookEndpoint, *, now: datetime
) -> WebhookDelivery:
    return WebhookDelivery(
        operator_id=message.operator_id,
        endpoint=endpoint,
        message=message,
        topic=message.topic,
        next_attempt_at=now,
        created_at=now,
    )


def _enqueue(delivery_ids: Sequence[UUID]) -> None:
    def send() -> None:
        for delivery_id in delivery_ids:
            current_app.send_task(_TASK, kwargs={"delivery_id": str(delivery_id)})

    # If the broker is away, the sweep of due deliveries finds them.
    transaction.on_commit(send, robust=True)
