"""Promo work that runs without a request."""

import logging
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from core.actors import Actor, ActorKind
from promos.services import batches, endings

logger = logging.getLogger(__name__)

# At most this many a run: beat comes back every minute, and a run must be over by then.
EXPIRIES_PER_RUN_MAX = 2_000
# A batch takes seconds; what is left over waits a minute.
BATCHES_PER_RUN_MAX = 20


@shared_task
def expire_due_user_promos(**_newer: Any) -> int:
    """Expire the claims whose time is up. Safe to run twice, or at the same time."""
    expired_count = endings.expire_due_user_promos(
        now=timezone.now(),
        limit=EXPIRIES_PER_RUN_MAX,
        actor=Actor(kind=ActorKind.TASK, ref="expire_due_user_promos"),
    )
    if expired_count:
        logger.info("expired %s user promos", expired_count)
    return expired_count


@shared_task
def make_batch_codes(*, batch_id: str, **_newer: Any) -> int:
    """Make the codes of a batch. Safe to run twice, or at the same time."""
    made_count = batches.make_batch_codes(batch_id=UUID(batch_id), now=timezone.now())
    logger.info("made %s codes of batch %s", made_count, batch_id)
    return made_count


@shared_task
def make_unfinished_batches(**_newer: Any) -> int:
    """Go on with batches whose task was lost. Safe to run twice, or at the same time."""
    made_count = batches.make_unfinished_batches(now=timezone.now(), limit=BATCHES_PER_RUN_MAX)
    if made_count:
        logger.info("made %s codes of unfinished batches", made_count)
    return made_count
