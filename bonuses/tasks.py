"""Bonus work that runs without a request."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from bonuses.services import issuing

logger = logging.getLogger(__name__)

# At most this many a run: beat comes back every five seconds, and a platform that hangs
# costs a run its deadline for each until the circuit opens.
RETRIES_PER_RUN_MAX = 200


@shared_task
def retry_due_issuances(**_newer: Any) -> int:
    """Ask platforms again that have not answered. Safe to run twice, or at the same time."""
    settled_count = issuing.retry_due_issuances(clock=timezone.now, limit=RETRIES_PER_RUN_MAX)
    if settled_count:
        logger.info("settled %s bonus issuances", settled_count)
    return settled_count
