"""
Ticks: that beat, the broker and the workers of a queue are there, proved by a message.

Beat sends one to every queue each few seconds; the worker that takes it notes the instant.
A queue whose last tick is long ago has no worker, or one that is stuck; if all of them are,
it is beat or the broker. Kept in the cache: it is of no use later, and costs no row.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.core.cache import cache


def note_tick(*, queue: str, now: datetime) -> None:
    """Note that a worker of ``queue`` has been heard of at ``now``."""
    # For ever: a queue that has been silent for a week is not one that never was.
    cache.set(_key(queue), now.timestamp(), timeout=None)


def last_ticks(*, queues: Sequence[str]) -> dict[str, datetime | None]:
    """Return when each queue's workers were last heard of; None if never."""
    found = cache.get_many([_key(queue) for queue in queues])
    return {
        queue: datetime.fromtimestamp(noted, UTC)
        if (noted := found.get(_key(queue))) is not None
        else None
        for queue in queues
    }


def _key(queue: str) -> str:
    return f"tick:{queue}"
