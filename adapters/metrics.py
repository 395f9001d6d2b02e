"""
The figures of webhooks out: deliveries that are late, and endpoints that take nothing.

Imported when the app starts, so that core.metrics knows them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection
from prometheus_client.metrics_core import Metric

from core.metrics import COUNTED_MAX, age_of, gauge, register_collector

#: A message is given up after a good three days, so that this sees each for some days more.
_FAILED_SINCE = timedelta(days=7)

_DELIVERIES = """
    SELECT due.number, due.oldest, failed.number
    FROM (
        SELECT count(*) AS number, min(next_attempt_at) AS oldest
        FROM (
            SELECT next_attempt_at FROM adapters_webhookdelivery
            WHERE status = 'pending' AND next_attempt_at <= %(now)s
            ORDER BY next_attempt_at LIMIT %(counted_max)s
        ) AS delivery
    ) AS due, (
        SELECT count(*) AS number
        FROM (
            SELECT FROM adapters_webhookdelivery
            WHERE status = 'failed' AND created_at > %(failed_since)s
            LIMIT %(counted_max)s
        ) AS delivery
    ) AS failed
"""
_ENDPOINTS = """
    SELECT count(*), min(failing_since) FROM adapters_webhookendpoint
    WHERE is_active AND failing_since IS NOT NULL
"""


@register_collector("webhooks")
def webhook_figures(now: datetime) -> Iterator[Metric]:
    """Tell of deliveries and of endpoints."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DELIVERIES,
            {"now": now, "failed_since": now - _FAILED_SINCE, "counted_max": COUNTED_MAX},
        )
        due, due_since, failed = cursor.fetchone() or (0, None, 0)
        cursor.execute(_ENDPOINTS)
        failing, failing_since = cursor.fetchone() or (0, None)
    yield gauge("deliveries_due", "Deliveries whose next attempt has come.", due)
    yield gauge(
        "deliveries_oldest_due_seconds",
        "How long the delivery has been due that has been due longest.",
        age_of(due_since, now),
    )
    yield gauge(
        "deliveries_failed",
        "Deliveries of the last seven days that have been given up.",
        failed,
    )
    yield gauge("endpoints_failing", "Active endpoints that took nothing lately.", failing)
    yield gauge(
        "endpoints_longest_failing_seconds",
        "How long the endpoint has taken nothing that has not for longest.",
        age_of(failing_since, now),
    )
