"""What one collector tells, for the tests of its figures."""

from datetime import datetime
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import metrics


def told_by(collector: str, now: datetime) -> dict[str, float]:
    """Return the figures of a collector by name, without the product's prefix."""
    collect, _reads_database = metrics._collectors[collector]
    return {
        sample.name.removeprefix("windfall_"): sample.value
        for family in collect(now)
        for sample in family.samples
    }


def plans_of(collector: str, now: datetime) -> str:
    """Return how PostgreSQL answers a collector's statements when tables are large."""
    with CaptureQueriesContext(connection) as queries:
        told_by(collector, now)
    plans: list[Any] = []
    with connection.cursor() as cursor:
        # Empty tables are always read from end to end.
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plans += [row[0] for row in cursor.fetchall()]
        cursor.execute("SET LOCAL enable_seqscan = on")
    return "\n".join(plans)
