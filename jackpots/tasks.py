"""Jackpot work that runs without a request."""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from core.actors import Actor, ActorKind
from jackpots.services import draws, folding, payouts, requests, retention

logger = logging.getLogger(__name__)

# At most this many a run: beat comes back every second, the longest waiting go first.
FOLD_INSTANCES_PER_RUN_MAX = 500


@shared_task
def fold_contributions(**_newer: Any) -> int:
    """Add new contributions to the meters. Safe to run twice, or at the same time."""
    folded_count = folding.fold_contributions(
        actor=Actor(kind=ActorKind.TASK, ref="fold_contributions"),
        now=timezone.now(),
        limit=FOLD_INSTANCES_PER_RUN_MAX,
    )
    if folded_count:
        logger.info("folded %s contributions", folded_count)
    return folded_count


# At most this many a run: beat comes back every second.
REQUESTS_PER_RUN_MAX = 500


@shared_task
def apply_contribution_request(*, request_id: str, **_newer: Any) -> bool:
    """Apply a promised contribution. Safe to run twice, or at the same time."""
    return requests.apply_contribution_request(request_id=UUID(request_id), clock=timezone.now)


@shared_task
def apply_contribution_requests(**_newer: Any) -> int:
    """Apply promised contributions whose message got lost. Safe to run twice, or at once."""
    ended_count = requests.apply_contribution_requests(
        clock=timezone.now, limit=REQUESTS_PER_RUN_MAX
    )
    if ended_count:
        logger.info("applied %s promised contributions", ended_count)
    return ended_count


# At most this many a run: beat comes back every second, those due longest go first.
PAYOUTS_PER_RUN_MAX = 200


@shared_task
def pay_due_wins(**_newer: Any) -> int:
    """Pay wins that are payable. Safe to run twice, or at the same time."""
    paid_count = payouts.pay_due_wins(clock=timezone.now, limit=PAYOUTS_PER_RUN_MAX)
    if paid_count:
        logger.info("paid %s wins", paid_count)
    return paid_count


# At most this many a run, for each kind of step: beat comes back every second.
DRAW_STEPS_PER_RUN_MAX = 50
# A draw is one transaction, however many stand in it: one that is killed begins anew.
FINISH_DRAWS_S_MAX = 3_600


@shared_task(time_limit=FINISH_DRAWS_S_MAX)
def finish_draws(**_newer: Any) -> int:
    """Draw raffles that are due, and go on where one was left. Safe to run twice, or at once."""
    steps_count = draws.finish_draws(
        actor=Actor(kind=ActorKind.TASK, ref="finish_draws"),
        now=timezone.now(),
        limit=DRAW_STEPS_PER_RUN_MAX,
    )
    if steps_count:
        logger.info("took raffles on by %s steps", steps_count)
    return steps_count


# Bounded, and often enough to keep up with twenty promises a second. Meters are folded by the
# same workers, so that a run must be short.
ENDED_REQUESTS_PER_RUN_MAX = 80_000
ENDED_REQUESTS_PER_BATCH = 5_000


@shared_task
def delete_old_contribution_requests(**_newer: Any) -> int:
    """Delete promises that were kept long ago. Safe to run twice, or at the same time."""
    deleted_count = retention.delete_ended_requests(
        now=timezone.now(),
        keep_for=timedelta(days=settings.CONTRIBUTION_REQUEST_DAYS),
        batch_size=ENDED_REQUESTS_PER_BATCH,
        limit=ENDED_REQUESTS_PER_RUN_MAX,
    )
    if deleted_count:
        logger.info("deleted %s contribution requests", deleted_count)
    return deleted_count
