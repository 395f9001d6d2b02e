"""Bonus work that runs without a request."""

import logging
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from bonuses.services import fan_out, issuing

logger = logging.getLogger(__name__)

# At most this many a run: beat comes back every five seconds, and a platform that hangs
# costs a run its deadline for each until the circuit opens.
RETRIES_PER_RUN_MAX = 200

# More than an operator runs at a time; each takes a moment.
CAMPAIGNS_PER_RUN_MAX = 100


@shared_task
def retry_due_issuances(**_newer: Any) -> int:
    """Ask platforms again that have not answered. Safe to run twice, or at the same time."""
    settled_count = issuing.retry_due_issuances(clock=timezone.now, limit=RETRIES_PER_RUN_MAX)
    if settled_count:
        logger.info("settled %s bonus issuances", settled_count)
    return settled_count


@shared_task
def issue_campaign(
    *, campaign_id: str, after_id: int = 0, goes_on: bool = True, **_newer: Any
) -> int:
    """Give a campaign's bonus to its next targets. Safe to run twice, or at the same time."""
    return fan_out.issue_campaign(
        campaign_id=UUID(campaign_id), clock=timezone.now, after_id=after_id, goes_on=goes_on
    )


@shared_task
def continue_campaigns(**_newer: Any) -> int:
    """Look after campaigns that are issuing. Safe to run twice, or at the same time."""
    finished_count = fan_out.continue_campaigns(clock=timezone.now, limit=CAMPAIGNS_PER_RUN_MAX)
    if finished_count:
        logger.info("finished %s campaigns", finished_count)
    return finished_count
