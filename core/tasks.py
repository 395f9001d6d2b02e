"""Kernel work that runs without a request."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from core import books, ticks

logger = logging.getLogger(__name__)


# It reads everything there is, while nobody waits for it.
CHECK_BOOKS_S_MAX = 3_600


@shared_task(time_limit=CHECK_BOOKS_S_MAX)
def check_books(**_newer: Any) -> int:
    """Check every balance and meter against its rows; harmless at any time, and twice."""
    check = books.check_books(started_at=timezone.now(), clock=timezone.now)
    for difference in check.differences:
        logger.error("the books do not balance: %s", difference)
    return len(check.differences)


@shared_task
def tick(*, queue: str, **_newer: Any) -> None:
    """Note that a worker of ``queue`` is there; harmless at any time, and twice."""
    ticks.note_tick(queue=queue, now=timezone.now())
