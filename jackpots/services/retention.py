"""
Promised contributions, forgotten once nobody asks after them any more.

What is deleted is the place to ask, nothing else. The key of the promise and its answer stay,
so a repetition hears the first 202 and promises nothing anew; the key of the effect stays, so
a message that turns up late applies nothing; and what was contributed are rows of the ledger.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction

from core import locks
from jackpots.models import ContributionRequest


def delete_ended_requests(
    *, now: datetime, keep_for: timedelta, batch_size: int, limit: int
) -> int:
    """
    Delete up to ``limit`` requests from longer ago that have ended; return how many.

    The oldest first, each batch in a transaction of its own. Those that are still to be
    applied are left alone, however old.
    """
    deleted_count = 0
    while deleted_count < limit:
        size = min(batch_size, limit - deleted_count)
        count = _delete_batch(now - keep_for, size)
        deleted_count += count
        if count < size:
            break
    return deleted_count


@transaction.atomic(durable=True)
def _delete_batch(before: datetime, size: int) -> int:
    old = ContributionRequest.objects.ended_before(before).only("pk")
    ids = [request.pk for request in locks.lock_many_skipping(old, count_max=size)]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM jackpots_contributionrequest WHERE id = ANY (%s)", [ids])
    return len(ids)
