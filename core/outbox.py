"""
The outbox: how a change becomes known to other systems, exactly if it was committed.

A service publishes in the transaction of its change; whoever passes messages on takes
them from here. The kernel does not know who that is.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from core import locks
from core.models import OutboxMessage, id_floor, new_id


def publish(
    *, operator: Any, topic: str, subject: Model, payload: Mapping[str, Any], now: datetime
) -> OutboxMessage:
    """
    Write one message, in the transaction of the change that it tells of.

    ``topic`` is in the past tense and names the app first (``bonus.grant.issued``).
    ``payload`` is what others may read, in the API's words; amounts in it are strings.
    """
    assert connection.in_atomic_block, "a message belongs to the change's transaction"
    [row] = prepare_all(
        operator=operator, topics=[topic], subject=subject, payload=payload, now=now
    )
    return OutboxMessage.objects.create(**row)


def publish_each(
    *,
    operator: Any,
    topic: str,
    messages: Sequence[tuple[Model, Mapping[str, Any]]],
    now: datetime,
) -> None:
    """Write one message for each subject and its payload, as publish() does; in one statement."""
    assert connection.in_atomic_block, "a message belongs to the change's transaction"
    OutboxMessage.objects.bulk_create(
        OutboxMessage(**row)
        for subject, payload in messages
        for row in prepare_all(
            operator=operator, topics=[topic], subject=subject, payload=payload, now=now
        )
    )


def prepare_all(
    *,
    operator: Any,
    topics: Sequence[str],
    subject: Model,
    payload: Mapping[str, Any],
    now: datetime,
) -> list[dict[str, Any]]:
    """
    Return the rows of a message for each of ``topics``, which come true at once.

    For a database function that makes the change, and writes them with it.
    """
    return [
        {
            "id": new_id(),
            "operator_id": operator.pk,
            "topic": topic,
            "subject_type": subject._meta.label_lower,
            "subject_id": str(subject.pk),
            "payload": dict(payload),
            "created_at": now,
        }
        for topic in topics
    ]


def lock_unrelayed(*, count_max: int) -> list[OutboxMessage]:
    """
    Lock the oldest messages that have not been passed on and that nobody else holds.

    The caller passes them on and marks them in the same transaction.
    """
    return locks.lock_many_skipping(OutboxMessage.objects.unrelayed(), count_max=count_max)


def mark_relayed(*, messages: Sequence[OutboxMessage], now: datetime) -> int:
    """Note that ``messages``, which the caller has locked, have been passed on."""
    assert connection.in_atomic_block, "messages are marked in the transaction that passes them on"
    ids = [message.pk for message in messages]
    return OutboxMessage.objects.unrelayed().filter(pk__in=ids).update(relayed_at=now)


def list_relayed_before(
    *, instant: datetime, after: UUID | None = None, count_max: int
) -> list[UUID]:
    """
    Return the ids of the oldest messages from before ``instant`` that have been passed on.

    In the order of their ids, and only those beyond ``after``. Ids grow with time, so this
    reads no more of the table than it returns.
    """
    old = OutboxMessage.objects.filter(pk__lt=id_floor(instant), relayed_at__isnull=False)
    if after is not None:
        old = old.filter(pk__gt=after)
    return list(old.order_by("pk").values_list("pk", flat=True)[:count_max])


def delete_relayed(*, ids: Sequence[UUID]) -> int:
    """
    Delete messages that have been passed on; one that has not is refused by the database.

    The caller knows that nobody needs them any more.
    """
    assert connection.in_atomic_block, "who decides that nobody needs them deletes them"
    deleted_count, _by_model = OutboxMessage.objects.filter(pk__in=ids).delete()
    return deleted_count
