"""
Deliveries: one message to one endpoint, until it is taken or three days are over.

An attempt is leased in one transaction, sent outside of any, and settled in another. Who
dies in between leaves a lease that ends, and the message is sent again under the same id:
a receiver gets it at least once, and can tell.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import transaction

from adapters.enums import DeliveryStatus
from adapters.errors import WebhookDeliveryPending, WebhookEndpointDisabled
from adapters.http import signing
from adapters.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from adapters.models.delivery import ERROR_LENGTH_MAX, EXCERPT_LENGTH_MAX
from adapters.selectors import list_endpoint_secrets
from adapters.services.endpoints import disable_gone_endpoint
from adapters.webhooks import schedule, sender
from adapters.webhooks.sender import Sent
from core import audit, locks
from core.actors import Actor
from core.errors import NotFound, ResourceBusy
from core.failpoints import failpoint
from operators.models import Operator

logger = logging.getLogger(__name__)

_TASK = "adapters.tasks.deliver_webhook"
# What an attempt may take besides the exchange, before it is thought dead.
_LEASE_MARGIN = timedelta(seconds=30)
# So many of one endpoint a sweep: the others have their turn first.
_PER_ENDPOINT_MAX = 50

_dice = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class _Lease:
    """An attempt that is ours to make, and what is sent in it."""

    delivery: WebhookDelivery
    until: datetime
    url: str
    signature: dict[str, str]
    body: bytes


def attempt_delivery(
    *, delivery_id: UUID, actor: Actor, clock: Callable[[], datetime]
) -> DeliveryAttempt | None:
    """
    Attempt a delivery that is due, and return the attempt; null if it is not due, or leased.

    Running twice, or at once, sends once. It joins no transaction: it makes two of its own.
    """
    lease = _lease(delivery_id, now=clock())
    if lease is None:
        return None
    sent_at = clock()
    sent = sender.send_message(
        url=lease.url,
        signature=lease.signature,
        body=lease.body,
        deadline_s=settings.ADAPTER_DEADLINE_S,
    )
    failpoint("delivery.after_http")
    return _settle(lease, sent, sent_at=sent_at, actor=actor, now=clock())


def attempt_due_deliveries(
    *, limit: int, time_max: timedelta, actor: Actor, clock: Callable[[], datetime]
) -> int:
    """
    Attempt up to ``limit`` deliveries that are due, within ``time_max``; return how many were.

    The first of every endpoint comes before the second of any, and who does not answer is
    left alone for the rest of the run: a receiver that hangs holds up nobody for long.
    """
    started_at = clock()
    silent: set[UUID] = set()
    attempt_count = 0
    for delivery_id, endpoint_id in _list_due(now=started_at, limit=limit):
        if clock() - started_at > time_max:
            break
        if endpoint_id in silent:
            continue
        try:
            attempt = attempt_delivery(delivery_id=delivery_id, actor=actor, clock=clock)
        except ResourceBusy:
            logger.info("delivery %s is in use; left for the next run", delivery_id)
            continue
        except Exception:
            # The sweep goes oldest first: one bad row would stop every later run.
            logger.exception("delivery %s could not be attempted", delivery_id)
            continue
        if attempt is not None:
            attempt_count += 1
            if attempt.status_code is None:
                silent.add(endpoint_id)
    return attempt_count


@transaction.atomic(durable=True)
def replay_delivery(
    *, operator: Operator, delivery_id: UUID, reason: str, actor: Actor, now: datetime
) -> WebhookDelivery:
    """
    Send a message again that was delivered or given up, with the same id; its log goes on.

    :raises NotFound: if the operator has no such delivery.
    :raises WebhookDeliveryPending: if it is on its way.
    :raises WebhookEndpointDisabled: if its endpoint is switched off.
    :raises ResourceBusy: if it is in use; nothing was changed.
    """
    found = WebhookDelivery.objects.for_operator(operator).filter(pk=delivery_id)
    endpoint_id = found.values_list("endpoint_id", flat=True).first()
    if endpoint_id is None:
        raise NotFound("There is no such webhook delivery.")
    endpoint = locks.lock_one(WebhookEndpoint.objects.filter(pk=endpoint_id))
    delivery = locks.lock_one(found)
    if delivery.is_pending:
        raise WebhookDeliveryPending("The message is on its way already.")
    if not endpoint.is_active:
        raise WebhookEndpointDisabled("The endpoint is switched off. Switch it on first.")
    before = {"status": delivery.status}
    delivery.status = DeliveryStatus.PENDING
    delivery.attempts = 0
    delivery.next_attempt_at = now
    delivery.delivered_at = None
    delivery.save(update_fields=["status", "attempts", "next_attempt_at", "delivered_at"])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="webhook.delivery.replayed",
        subject=delivery,
        before=before,
        after={"status": delivery.status},
        reason=reason,
        now=now,
    )
    transaction.on_commit(
        lambda: current_app.send_task(_TASK, kwargs={"delivery_id": str(delivery.pk)}),
        robust=True,
    )
    return delivery


@transaction.atomic(durable=True)
def _lease(delivery_id: UUID, *, now: datetime) -> _Lease | None:
    due = WebhookDelivery.objects.due(now=now).filter(pk=delivery_id)
    found = locks.lock_many_skipping(due.select_related("endpoint", "message"))
    if not found:
        return None
    [delivery] = found
    endpoint = delivery.endpoint
    if not endpoint.is_active:
        # Queued by somebody who did not know yet: it waits for the endpoint.
        delivery.next_attempt_at = None
        delivery.save(update_fields=["next_attempt_at"])
        return None
    if delivery.attempts >= schedule.ATTEMPTS_MAX:
        # Whoever made the last attempt died in it.
        _give_up(delivery, "The last attempt was not finished.")
        return None
    until = now + timedelta(seconds=settings.ADAPTER_DEADLINE_S) + _LEASE_MARGIN
    delivery.attempts += 1
    delivery.leased_until = until
    delivery.save(update_fields=["attempts", "leased_until"])
    body = sender.body_of(delivery.message)
    current, *previous = list_endpoint_secrets(endpoint=endpoint, now=now)
    signature = signing.sign(
        current, str(delivery.message_id), int(now.timestamp()), body, also=previous
    )
    return _Lease(delivery, until, endpoint.url, signature, body)


@transaction.atomic(durable=True)
def _settle(
    lease: _Lease, sent: Sent, *, sent_at: datetime, actor: Actor, now: datetime
) -> DeliveryAttempt:
    # The endpoint before its delivery, as everywhere.
    _note_health(lease.delivery.endpoint_id, sent, actor=actor, now=now)
    delivery = locks.lock_one(WebhookDelivery.objects.filter(pk=lease.delivery.pk))
    attempt = DeliveryAttempt(
        delivery=delivery,
        at=sent_at,
        status_code=sent.status_code,
        duration_ms=sent.duration_ms,
        error=sent.error[:ERROR_LENGTH_MAX],
        excerpt=_excerpt(sent.body),
    )
    attempt.save(force_insert=True)
    if not delivery.is_pending:
        return attempt
    delivery.last_status_code = sent.status_code
    delivery.last_error = attempt.error
    if sent.is_taken:
        delivery.status = DeliveryStatus.DELIVERED
        delivery.delivered_at = now
        delivery.next_attempt_at = delivery.leased_until = None
        _save_outcome(delivery)
    elif delivery.leased_until == lease.until:
        _wait_or_give_up(delivery, sent, now=now)
    # Otherwise we took longer than our lease, and another attempt decides.
    return attempt


def _wait_or_give_up(delivery: WebhookDelivery, sent: Sent, *, now: datetime) -> None:
    delay = schedule.delay_after(delivery.attempts, luck=_dice.random())
    if delay is None or sent.is_gone:
        _give_up(delivery, delivery.last_error)
        return
    delivery.leased_until = None
    # An endpoint that was switched off meanwhile has put its deliveries aside.
    if delivery.next_attempt_at is not None:
        delivery.next_attempt_at = now + delay
    _save_outcome(delivery)


def _give_up(delivery: WebhookDelivery, error: str) -> None:
    delivery.status = DeliveryStatus.FAILED
    delivery.last_error = error
    delivery.next_attempt_at = delivery.leased_until = None
    _save_outcome(delivery)


def _save_outcome(delivery: WebhookDelivery) -> None:
    delivery.save(
        update_fields=[
            "status",
            "next_attempt_at",
            "leased_until",
            "last_status_code",
            "last_error",
            "delivered_at",
        ]
    )


def _note_health(endpoint_id: UUID, sent: Sent, *, actor: Actor, now: datetime) -> None:
    if sent.is_gone:
        disable_gone_endpoint(endpoint_id=endpoint_id, actor=actor, now=now)
        return
    endpoint = WebhookEndpoint.objects.active().filter(pk=endpoint_id)
    # Most attempts change nothing here, and then no row is written.
    if sent.is_taken:
        endpoint.filter(failing_since__isnull=False).update(failing_since=None)
    else:
        endpoint.filter(failing_since=None).update(failing_since=now)


def _list_due(*, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    due = WebhookDelivery.objects.due(now=now).in_turns(turns_max=_PER_ENDPOINT_MAX)
    return list(due.values_list("pk", "endpoint_id")[:limit])


def _excerpt(body: bytes) -> str:
    text = body[: 4 * EXCERPT_LENGTH_MAX].decode("utf-8", "replace")
    # PostgreSQL has no NUL in text; what else cannot be printed is of no use to a reader.
    return "".join(each if each.isprintable() or each == "\n" else "�" for each in text)[
        :EXCERPT_LENGTH_MAX
    ]
