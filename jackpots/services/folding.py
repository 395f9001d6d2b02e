"""
Folding: adds contributions to the pots' meters, so that reading one stays cheap.

A contribution is written without touching its pot. A fold adds every row whose
transaction lies below the horizon of its snapshot: those are all over, so none is missed
and none is added twice. A long transaction anywhere delays the fold, never the truth:
readers add what is not folded yet (selectors.read_meters).
"""

import logging
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from core import audit, locks
from core.actors import Actor
from core.errors import ResourceBusy
from jackpots.enums import InstanceStatus
from jackpots.models import Instance

logger = logging.getLogger(__name__)

_FOLD = """
    WITH horizon AS MATERIALIZED (
        SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xid
    ), tail AS MATERIALIZED (
        SELECT contribution.pot_amounts, contribution.source_id, contribution.error_code,
            date_trunc('hour', contribution.created_at, 'UTC') AS hour
        FROM jackpots_contribution AS contribution, horizon
        WHERE contribution.instance_id = %(instance)s
            AND contribution.xid >= %(folded_to)s AND contribution.xid < horizon.xid
    ), gain AS (
        SELECT part.position - 1 AS position, sum(part.amount) AS amount
        FROM tail, unnest(tail.pot_amounts) WITH ORDINALITY AS part (amount, position)
        GROUP BY 1
    ), meters AS (
        UPDATE jackpots_pot AS pot SET folded = pot.folded + gain.amount
        FROM gain WHERE pot.instance_id = %(instance)s AND pot.position = gain.position
    ), traffic AS (
        INSERT INTO jackpots_linktraffic AS known (source_id, target_id, hour, error_code, count)
        SELECT source_id, %(instance)s, hour, error_code, count(*)
        FROM tail WHERE source_id IS NOT NULL
        GROUP BY source_id, hour, error_code
        ON CONFLICT (source_id, target_id, hour, error_code)
        DO UPDATE SET count = known.count + excluded.count
    )
    UPDATE jackpots_instance SET folded_to = horizon.xid
    FROM horizon
    WHERE jackpots_instance.id = %(instance)s
    RETURNING (SELECT count(*) FROM tail)
"""

# The cost is one index probe for each instance that may accrue, and the tails themselves.
_DUE = """
    SELECT instance.id
    FROM jackpots_instance AS instance
    WHERE instance.status IN ('active', 'closing') AND (
        instance.status = 'closing' AND instance.kind = 'progressive'
        OR EXISTS (
            SELECT FROM jackpots_contribution AS contribution
            WHERE contribution.instance_id = instance.id
                AND contribution.xid >= instance.folded_to
        )
    )
    ORDER BY instance.folded_to, instance.id
    LIMIT %s
"""


def fold_contributions(*, actor: Actor, now: datetime, limit: int) -> int:
    """
    Fold up to ``limit`` instances, the longest waiting first; return the rows added.

    Every instance has its own transaction: one that is in use, or broken, is left for
    the next run and never holds up the others.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [limit])
        due = [row[0] for row in cursor.fetchall()]
    folded_count = 0
    for instance_id in due:
        try:
            folded_count += fold_instance(instance_id=instance_id, actor=actor, now=now)
        except ResourceBusy:
            logger.info("instance %s is in use; folded at the next run", instance_id)
        except Exception:
            # One instance that cannot be folded must not stop the meters of the others.
            logger.exception("instance %s could not be folded", instance_id)
    return folded_count


@transaction.atomic(durable=True)
def fold_instance(*, instance_id: UUID, actor: Actor, now: datetime) -> int:
    """
    Add the instance's finished contributions to its meters; return how many there were.

    Settles a closing progressive once nothing is left to fold. Safe to run at any time,
    twice, and at once: folds of one instance take turns.

    :raises NotFound: if there is no such instance.
    :raises ResourceBusy: if the instance stays in use; nothing was changed.
    """
    instance = locks.lock_one(Instance.objects.filter(pk=instance_id).select_related("operator"))
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"instance": instance_id, "folded_to": str(instance.folded_to)})
        row = cursor.fetchone()
    assert row is not None, "the locked instance is gone"
    if instance.status == InstanceStatus.CLOSING and not instance.is_raffle:
        _settle_if_counted(instance, actor=actor, now=now)
    return int(row[0])


def _settle_if_counted(instance: Instance, *, actor: Actor, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM jackpots_contribution AS contribution"
            " JOIN jackpots_instance AS instance ON instance.id = contribution.instance_id"
            " WHERE instance.id = %s AND contribution.xid >= instance.folded_to)",
            [instance.pk],
        )
        (is_waiting,) = cursor.fetchone() or (True,)
    if not is_waiting:
        instance.settle(now=now)
        instance.save(update_fields=["status", "closed_at"])
        audit.record_action(
            operator=instance.operator,
            actor=actor,
            action="jackpot.instance.settled",
            subject=instance,
            before={"status": InstanceStatus.CLOSING},
            after={"status": InstanceStatus.CLOSED},
            now=now,
        )
