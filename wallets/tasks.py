"""Ledger work that runs without a request."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from wallets.services import snapshots

logger = logging.getLogger(__name__)

# Beat comes back every minute, and a run must be over by then: an account takes a few
# milliseconds and what it has gained since the last run.
ACCOUNTS_PER_RUN_MAX = 1_000


@shared_task
def snapshot_hot_accounts(**_newer: Any) -> int:
    """Fold the newer rows of hot accounts. Safe to run twice, or at the same time."""
    folded_count = snapshots.snapshot_hot_accounts(now=timezone.now(), limit=ACCOUNTS_PER_RUN_MAX)
    logger.info("folded %s hot accounts", folded_count)
    return folded_count
