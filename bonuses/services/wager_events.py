"""The rows that advance grants: one for each bet, or platform's event, and grant."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from bonuses.models import BonusGrant
from core.writes import Writes


def add_wager_events(
    *,
    brought: Sequence[tuple[BonusGrant, Decimal]],
    source: str,
    wagered: Decimal,
    writes: Writes,
    now: datetime,
) -> None:
    """
    Add what one ``source`` has brought its grants, each its weighted amount, to ``writes``.

    The caller holds the grants, which are brought up to date in memory too. ``wagered``, the
    stake that counts for all of them, and the amounts are in the grants' currency.
    """
    writes.add(
        "INSERT INTO bonuses_wagerevent"
        " (grant_id, source, wagered_amount, weighted_amount, created_at)"
        " SELECT grant_id, %s, %s, weighted_amount, %s"
        " FROM unnest(%s::uuid[], %s::numeric[]) AS brought (grant_id, weighted_amount)",
        [
            *(source, wagered, now),
            [grant.pk for grant, _weighted in brought],
            [weighted for _grant, weighted in brought],
        ],
    )
    for grant, weighted in brought:
        # A trigger moves the columns; the row is locked, so this is what they will hold.
        grant.total_wagered += wagered
        grant.wagering_progress += weighted
