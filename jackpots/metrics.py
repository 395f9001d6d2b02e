"""
The figures of jackpots: what has not been added up, kept, paid, decided or drawn.

Imported when the app starts, so that core.metrics knows them.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from prometheus_client.metrics_core import Metric

from core.metrics import COUNTED_MAX, age_of, gauge, register_collector

# An index probe for each instance that may accrue, and as many rows as are counted. (The bound
# above the watermark bounds nothing: it tells the planner that the range is narrow.)
_FIGURES = """
    SELECT
        (SELECT min(tail.created_at)
            FROM jackpots_instance AS instance
            CROSS JOIN LATERAL (
                SELECT contribution.created_at FROM jackpots_contribution AS contribution
                WHERE contribution.instance_id = instance.id
                    AND contribution.xid BETWEEN instance.folded_to AND '18446744073709551615'
                ORDER BY contribution.xid LIMIT 1
            ) AS tail
            WHERE instance.status IN ('active', 'closing') OR instance.needs_fold),
        promised.number, promised.oldest,
        payable.number, payable.due, payable.oldest,
        undecided.number, undecided.oldest,
        (SELECT min(closing_at) FROM jackpots_instance
            WHERE status = 'closing' AND kind = 'raffle')
    FROM (
        SELECT count(*) AS number, min(received_at) AS oldest
        FROM (
            SELECT received_at FROM jackpots_contributionrequest WHERE status = 'pending'
            ORDER BY id LIMIT %(counted_max)s
        ) AS request
    ) AS promised, (
        SELECT count(*) AS number, count(*) FILTER (WHERE next_attempt_at <= %(now)s) AS due,
            min(found_at) AS oldest
        FROM (
            SELECT next_attempt_at, found_at FROM jackpots_win WHERE status = 'payable'
            ORDER BY next_attempt_at LIMIT %(counted_max)s
        ) AS win
    ) AS payable, (
        SELECT count(*) AS number, min(found_at) AS oldest
        FROM (
            SELECT found_at FROM jackpots_win WHERE status = 'awaiting_approval'
            LIMIT %(counted_max)s
        ) AS win
    ) AS undecided
"""


@register_collector("jackpots")
def jackpot_figures(now: datetime) -> Iterator[Metric]:
    """Tell how far folds, promises, payouts, approvals and draws are behind."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"now": now, "counted_max": COUNTED_MAX})
        row = cursor.fetchone()
    assert row is not None, "an aggregate always has a row"
    unfolded, promised, promised_since, payable, due, payable_since = row[:6]
    undecided, undecided_since, undrawn_since = row[6:]
    yield gauge(
        "fold_lag_seconds",
        "Age of the oldest contribution that has not been added to its meters.",
        age_of(unfolded, now),
    )
    yield gauge("promises_waiting", "Contributions answered 202 and not applied yet.", promised)
    yield gauge(
        "promises_oldest_waiting_seconds",
        "Age of the oldest contribution answered 202 and not applied yet.",
        age_of(promised_since, now),
    )
    yield gauge("payouts_waiting", "Wins that are to be paid and have not been.", payable)
    yield gauge("payouts_due", "Wins whose next attempt to be paid has come.", due)
    yield gauge(
        "payouts_oldest_waiting_seconds",
        "Time since the oldest win was found that is to be paid and has not been.",
        age_of(payable_since, now),
    )
    yield gauge("wins_awaiting_approval", "Wins that wait for a second person.", undecided)
    yield gauge(
        "wins_oldest_awaiting_approval_seconds",
        "Time since the oldest win was found that waits for a second person.",
        age_of(undecided_since, now),
    )
    yield gauge(
        "raffles_oldest_undrawn_seconds",
        "Time since the oldest raffle closed that has not been drawn.",
        age_of(undrawn_since, now),
    )
