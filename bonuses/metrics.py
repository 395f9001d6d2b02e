"""
The figures of bonuses: what platforms have not answered, campaigns, reconciliation.

Imported when the app starts, so that core.metrics knows them.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from prometheus_client.metrics_core import Metric

from core.metrics import COUNTED_MAX, age_of, gauge, register_collector, time_since

#: So many targets of a campaign are looked at: the newest that were dealt with, of each outcome,
#: and the last of those that wait. A campaign goes through its targets in their order.
_TARGETS_SEEN_MAX = 500

_ISSUANCES = """
    SELECT count(*), min(created_at)
    FROM (
        SELECT created_at FROM bonuses_bonusissuance WHERE status = 'pending'
        ORDER BY next_attempt_at LIMIT %s
    ) AS issuance
"""
_CAMPAIGNS = """
    SELECT count(*) FILTER (WHERE NOT campaign.is_paused),
        count(*) FILTER (WHERE campaign.is_paused),
        min(greatest(campaign.started_at, done.at)) FILTER (WHERE NOT campaign.is_paused
            AND EXISTS (
                SELECT FROM (
                    SELECT issuance_id FROM bonuses_campaigntarget AS target
                    WHERE target.campaign_id = campaign.id AND target.status = 'pending'
                    ORDER BY target.id DESC LIMIT %(seen_max)s
                ) AS waiting
                WHERE waiting.issuance_id IS NULL
            ))
    FROM bonuses_bonuscampaign AS campaign
    CROSS JOIN LATERAL (
        SELECT max(newest.settled_at) AS at
        FROM (VALUES ('granted'), ('skipped'), ('failed')) AS outcome (status)
        CROSS JOIN LATERAL (
            SELECT target.settled_at FROM bonuses_campaigntarget AS target
            WHERE target.campaign_id = campaign.id AND target.status = outcome.status
            ORDER BY target.id DESC LIMIT %(seen_max)s
        ) AS newest
    ) AS done
    WHERE campaign.status = 'issuing'
"""
_RECONCILIATION = """
    SELECT finished_at, is_alarming,
        (SELECT count(*) FROM (
            SELECT FROM bonuses_discrepancy WHERE status = 'open' LIMIT %s
        ) AS discrepancy)
    FROM (VALUES (true)) AS always
    LEFT JOIN LATERAL (
        SELECT finished_at, is_alarming FROM bonuses_reconciliationrun
        WHERE status = 'finished' ORDER BY id DESC LIMIT 1
    ) AS run ON true
"""


@register_collector("bonuses")
def bonus_figures(now: datetime) -> Iterator[Metric]:
    """Tell of issuances, campaigns and reconciliation."""
    with connection.cursor() as cursor:
        cursor.execute(_ISSUANCES, [COUNTED_MAX])
        pending, pending_since = cursor.fetchone() or (0, None)
        cursor.execute(_CAMPAIGNS, {"seen_max": _TARGETS_SEEN_MAX})
        issuing, paused, still_since = cursor.fetchone() or (0, 0, None)
        cursor.execute(_RECONCILIATION, [COUNTED_MAX])
        reconciled_at, is_alarming, discrepancies = cursor.fetchone() or (None, None, 0)
    yield gauge("issuances_pending", "Bonuses that a platform has not answered for.", pending)
    yield gauge(
        "issuances_oldest_pending_seconds",
        "Age of the oldest bonus that a platform has not answered for.",
        age_of(pending_since, now),
    )
    yield gauge("campaigns_issuing", "Campaigns that are issuing and not paused.", issuing)
    yield gauge("campaigns_paused", "Campaigns that are paused.", paused)
    yield gauge(
        "campaigns_longest_standstill_seconds",
        "How long the campaign has not got on that stands still longest, though it could.",
        age_of(still_since, now),
    )
    yield gauge(
        "reconciliation_age_seconds",
        "Time since the last reconciliation with platforms was finished.",
        time_since(reconciled_at, now),
    )
    yield gauge(
        "reconciliation_alarming",
        "1 if the last reconciliation found so many bonuses unknown that it is an alarm.",
        float(bool(is_alarming)),
    )
    yield gauge("discrepancies_open", "Open disagreements with platforms.", discrepancies)
