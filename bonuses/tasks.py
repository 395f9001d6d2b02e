"""Bonus work that runs without a request."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from bonuses.errors import ReconciliationUnderWay
from bonuses.models import ReconciliationRun
from bonuses.services import endings, fan_out, issuing, reconciliation
from core.actors import Actor, ActorKind

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


# At most this many a run: beat comes back every minute, and a run must be over by then.
EXPIRIES_PER_RUN_MAX = 2_000


@shared_task
def expire_due_grants(**_newer: Any) -> int:
    """Expire our own grants whose time is up. Safe to run twice, or at the same time."""
    expired_count = endings.expire_due_grants(
        now=timezone.now(),
        limit=EXPIRIES_PER_RUN_MAX,
        actor=Actor(kind=ActorKind.TASK, ref="expire_due_grants"),
    )
    if expired_count:
        logger.info("expired %s grants", expired_count)
    return expired_count


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


# A run that takes longer than a task may is gone on with by the next one.
RECONCILIATION_TIME_MAX = timedelta(seconds=200)
# Asked about so lately, by hand or by the last task, a bonus need not be asked about again.
RECONCILED_LATELY = timedelta(hours=1)


@shared_task
def reconcile_bonuses(**_newer: Any) -> int:
    """Ask platforms how their bonuses are. Safe to run twice, or at the same time."""
    scope = reconciliation.Scope(fresh_for=RECONCILED_LATELY)
    stop_at = timezone.now() + RECONCILIATION_TIME_MAX
    return _reconcile(
        lambda: reconciliation.reconcile_bonuses(scope=scope, clock=timezone.now, stop_at=stop_at)
    )


@shared_task
def resume_reconciliation(**_newer: Any) -> int:
    """Go on with a reconciliation that died or took too long. Safe to run twice, or at once."""
    stop_at = timezone.now() + RECONCILIATION_TIME_MAX
    return _reconcile(
        lambda: reconciliation.resume_reconciliation(
            fresh_for=RECONCILED_LATELY, clock=timezone.now, stop_at=stop_at
        )
    )


def _reconcile(run_once: Callable[[], ReconciliationRun | None]) -> int:
    try:
        run = run_once()
    except ReconciliationUnderWay:
        return 0
    if run is None:
        return 0
    logger.info("reconciled bonuses: asked %s, replayed %s", run.asked_count, run.replayed_count)
    return run.asked_count
