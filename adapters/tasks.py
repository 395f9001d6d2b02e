"""Webhook work that runs without a request."""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from adapters.services import deliveries, inbox, relaying, retention
from core.actors import Actor, ActorKind

logger = logging.getLogger(__name__)

# A second's messages; what is left over has its turn in the next second.
RELAYED_PER_RUN_MAX = 5_000
# A batch is one transaction, and holds its messages for so long.
RELAYED_PER_BATCH = 500
DELIVERIES_PER_RUN_MAX = 500
# Well within the hard time limit of a task, with one exchange to spare.
DELIVERING_MAX = timedelta(seconds=120)


@shared_task
def relay_outbox(**_newer: Any) -> int:
    """Pass on what happened. Safe to run twice, or at the same time."""
    relayed_count = relaying.relay_outbox(
        now=timezone.now(), messages_max=RELAYED_PER_RUN_MAX, batch_size=RELAYED_PER_BATCH
    )
    if relayed_count:
        logger.info("relayed %s messages", relayed_count)
    return relayed_count


@shared_task
def deliver_webhook(*, delivery_id: str, **_newer: Any) -> bool:
    """Attempt one delivery, if it is due. Safe to run twice, or at the same time."""
    attempt = deliveries.attempt_delivery(
        delivery_id=UUID(delivery_id),
        actor=Actor(kind=ActorKind.TASK, ref="deliver_webhook"),
        clock=timezone.now,
    )
    return attempt is not None


@shared_task
def deliver_due_webhooks(**_newer: Any) -> int:
    """Attempt the deliveries that are due. Safe to run twice, or at the same time."""
    attempt_count = deliveries.attempt_due_deliveries(
        limit=DELIVERIES_PER_RUN_MAX,
        time_max=DELIVERING_MAX,
        actor=Actor(kind=ActorKind.TASK, ref="deliver_due_webhooks"),
        clock=timezone.now,
    )
    if attempt_count:
        logger.info("attempted %s deliveries", attempt_count)
    return attempt_count


# Bounded, and often enough to keep up with a hundred messages a second.
DELETED_PER_RUN_MAX = 400_000
DELETED_PER_BATCH = 5_000


@shared_task
def delete_old_webhook_messages(**_newer: Any) -> int:
    """Delete what the inbox has kept long enough. Safe to run twice, or at the same time."""
    deleted_count = inbox.delete_old_messages(
        now=timezone.now(),
        keep_for=timedelta(days=settings.WEBHOOK_INBOX_DAYS),
        batch_size=DELETED_PER_BATCH,
        limit=DELETED_PER_RUN_MAX,
    )
    if deleted_count:
        logger.info("deleted %s webhook messages", deleted_count)
    return deleted_count


@shared_task
def delete_old_deliveries(**_newer: Any) -> int:
    """Delete what was told to operators long ago. Safe to run twice, or at the same time."""
    deleted = retention.delete_what_was_told(
        now=timezone.now(),
        keep_for=timedelta(days=settings.OUTBOX_DAYS),
        batch_size=DELETED_PER_BATCH,
        limit=DELETED_PER_RUN_MAX,
    )
    if deleted.delivery_count or deleted.message_count:
        logger.info(
            "deleted %s deliveries and %s messages", deleted.delivery_count, deleted.message_count
        )
    return deleted.delivery_count + deleted.message_count
