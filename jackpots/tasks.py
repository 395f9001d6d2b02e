"""Jackpot work that runs without a request."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from core.actors import Actor, ActorKind
from jackpots.services import folding

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
