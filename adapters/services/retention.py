"""
What was told to operators, deleted once nobody may want to look at it or to hear it again.

Deliveries go first, with their attempts, and then the messages that no delivery needs. A
message that waits for an endpoint is kept, however old it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from adapters.models import WebhookDelivery
from core import locks, outbox


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many deliveries and messages have been deleted."""

    delivery_count: int
    message_count: int


def delete_what_was_told(
    *, now: datetime, keep_for: timedelta, batch_size: int, limit: int
) -> Deleted:
    """
    Delete deliveries that are settled, and messages that were passed on, from longer ago.

    Up to ``limit`` of each, the oldest first. Each batch is a transaction of its own, and
    several at once share the work. What has not been passed on or delivered is left alone,
    and the database would refuse it.
    """
    before = now - keep_for
    return Deleted(
        delivery_count=_delete_deliveries(before, batch_size=batch_size, limit=limit),
        message_count=_delete_messages(before, batch_size=batch_size, limit=limit),
    )


def _delete_deliveries(before: datetime, *, batch_size: int, limit: int) -> int:
    deleted_count = 0
    while deleted_count < limit:
        size = min(batch_size, limit - deleted_count)
        count = _delete_batch_of_deliveries(before, size)
        deleted_count += count
        if count < size:
            break
    return deleted_count


@transaction.atomic(durable=True)
def _delete_batch_of_deliveries(before: datetime, size: int) -> int:
    # Whoever holds one is about to send it again.
    old = WebhookDelivery.objects.settled_before(before).only("pk")
    ids = [delivery.pk for delivery in locks.lock_many_skipping(old, count_max=size)]
    with connection.cursor() as cursor:
        # The delivery before its attempts: they are kept while it is there (trigger), and the
        # keys between them are checked at the commit.
        cursor.execute("DELETE FROM adapters_webhookdelivery WHERE id = ANY (%s)", [ids])
        cursor.execute("DELETE FROM adapters_deliveryattempt WHERE delivery_id = ANY (%s)", [ids])
    return len(ids)


def _delete_messages(before: datetime, *, batch_size: int, limit: int) -> int:
    deleted_count = seen_count = 0
    last: UUID | None = None
    # Bounded by what is looked at: those that wait for an endpoint are passed over every time.
    while seen_count < limit:
        size = min(batch_size, limit - seen_count)
        ids = outbox.list_relayed_before(instant=before, after=last, count_max=size)
        if ids:
            deleted_count += _delete_batch_of_messages(ids)
            last = ids[-1]
        seen_count += len(ids)
        if len(ids) < size:
            break
    return deleted_count


@transaction.atomic(durable=True)
def _delete_batch_of_messages(ids: Sequence[UUID]) -> int:
    needed = set(
        WebhookDelivery.objects.filter(message__in=ids).values_list("message_id", flat=True)
    )
    return outbox.delete_relayed(ids=[each for each in ids if each not in needed])
