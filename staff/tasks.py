"""What staff need done without a request."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from staff.services import sessions

logger = logging.getLogger(__name__)


@shared_task
def delete_expired_sessions(**_newer: Any) -> int:
    """Delete the sessions that are over; harmless at any time, and twice."""
    count = sessions.delete_expired_sessions(now=timezone.now())
    if count:
        logger.info("%d sessions were over and are deleted", count)
    return count
