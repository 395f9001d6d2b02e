"""
Folding: adds contributions to the pots' meters, so that reading one stays cheap.

A contribution is written without touching its pot. A fold adds every row whose
transaction lies below the horizon of its snapshot: those are all over, so none is missed
and none is added twice. A long transaction anywhere delays the fold, never the truth:
readers add what is not folded yet (selectors.read_meters).
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction

from core import audit, locks
from core.actors import Actor, ActorKind
from core.failpoints import failpoint
from jackpots.enums import InstanceStatus
from jackpots.models import Instance
from jackpots.services.crossings import end_crossed_cycles
from jackpots.services.pots import hide_trigger, reveal_trigger

logger = logging.getLogger(__name__)

#: Who has found what a fold finds, whoever made it run: nobody initiated those wins.
FOLD = Actor(kind=ActorKind.TASK, ref="fold_contributions")

# One statement, whatever it finds: sums go to the meters, the hours and the links, and
# comes back what may have dropped on the way. Rows of rollbacks count as nothing but what
# they take back; what they cannot take back, because it has been won, is a loss.
_FOLD = """
    WITH horizon AS MATERIALIZED (
        SELECT greatest(pg_snapshot_xmin(pg_current_snapshot()), %(folded_to)s::xid8) AS xid
    ), tail AS MATERIALIZED (
        SELECT contribution.id, contribution.status, contribution.pot_amounts, contribution.hits,
            contribution.source_id, contribution.error_code, contribution.reverses_id,
            date_trunc('hour', contribution.created_at, 'UTC') AS hour
        FROM jackpots_contribution AS contribution, horizon
        WHERE contribution.instance_id = %(instance)s
            AND contribution.xid >= %(folded_to)s::xid8 AND contribution.xid < horizon.xid
    ), pot AS MATERIALIZED (
        SELECT * FROM jackpots_pot WHERE instance_id = %(instance)s
    ), reversed AS MATERIALIZED (
        SELECT reversal.id AS reversal_id, reversal.hour, original.operator_id, original.currency,
            pot.id AS pot_id, pot.position, original.pot_amounts[pot.position + 1] AS amount,
            (original.xid, original.number) > (pot.cycle_from_xid, pot.cycle_from_number)
                AS is_running
        FROM tail AS reversal
        JOIN jackpots_contribution AS original ON original.id = reversal.reverses_id
        CROSS JOIN pot
        WHERE reversal.status = 'reversal'
    ), move AS (
        SELECT part.position - 1 AS position, tail.hour, part.amount AS given, part.amount AS net
        FROM tail, unnest(tail.pot_amounts) WITH ORDINALITY AS part (amount, position)
        UNION ALL
        SELECT position, hour, 0, -amount FROM reversed WHERE is_running
    ), hourly AS MATERIALIZED (
        SELECT position, hour, sum(given) AS given, sum(net) AS net FROM move GROUP BY 1, 2
    ), gain AS (
        SELECT position, sum(given) AS given, sum(net) AS net FROM hourly GROUP BY 1
    ), meters AS (
        UPDATE jackpots_pot AS pot SET folded = pot.folded + gain.net
        FROM gain WHERE pot.instance_id = %(instance)s AND pot.position = gain.position
    ), hours AS (
        INSERT INTO jackpots_meterhour AS known (pot_id, hour, contributed, value)
        SELECT pot.id, hourly.hour, hourly.given, greatest(0, least(pot.ceiling, pot.drop_amount,
            pot.opening + pot.folded
                + sum(hourly.net) OVER (PARTITION BY pot.id ORDER BY hourly.hour)))
        FROM hourly JOIN pot ON pot.position = hourly.position
        ON CONFLICT (pot_id, hour) DO UPDATE SET
            contributed = known.contributed + excluded.contributed, value = excluded.value
    ), losses AS (
        INSERT INTO jackpots_rollbackloss (id, operator_id, reversal_id, pot_id, amount, currency,
            created_at, explained_by, explanation)
        SELECT gen_random_uuid(), operator_id, reversal_id, pot_id, amount, currency,
            %(now)s, '', ''
        FROM reversed WHERE NOT is_running AND amount > 0
    ), traffic AS (
        INSERT INTO jackpots_linktraffic AS known (source_id, target_id, hour, error_code, count)
        SELECT source_id, %(instance)s, hour, error_code, count(*)
        FROM tail WHERE source_id IS NOT NULL AND status <> 'reversal'
        GROUP BY source_id, hour, error_code
        ON CONFLICT (source_id, target_id, hour, error_code)
        DO UPDATE SET count = known.count + excluded.count
    ), watermark AS (
        UPDATE jackpots_instance AS instance SET folded_to = horizon.xid,
            needs_fold = instance.needs_fold AND coalesce((
                SELECT contribution.xid FROM jackpots_contribution AS contribution
                WHERE contribution.instance_id = instance.id
                ORDER BY contribution.xid DESC LIMIT 1
            ) >= horizon.xid, false)
        FROM horizon
        WHERE instance.id = %(instance)s
    )
    SELECT horizon.xid::text, (SELECT count(*) FROM tail),
        ARRAY(SELECT DISTINCT hit FROM tail, unnest(tail.hits) AS hit WHERE tail.hits <> '{}'),
        ARRAY(SELECT position FROM pot WHERE drop_at <= %(until)s),
        (SELECT jsonb_agg(jsonb_build_array(pot.position, pot.trigger_sealed,
                (pot.opening + pot.folded + coalesce(gain.given, 0))::text))
            FROM pot LEFT JOIN gain ON gain.position = pot.position
            WHERE pot.drop_type = 'must_hit_by_amount')
    FROM horizon
"""

# The cost is two index probes for each instance that may accrue. (The newest row is asked for,
# and not whether there is one from the watermark on: the planner takes that for a third of the
# table, and reads it from end to end when there is none.) A pot into which nothing has been
# contributed waits for a contribution, not for a fold.
_DUE = """
    SELECT instance.id
    FROM jackpots_instance AS instance
    WHERE (instance.status IN ('active', 'closing') OR instance.needs_fold) AND (
        instance.needs_fold
        OR instance.status = 'closing' AND instance.kind = 'progressive'
        OR (
            SELECT contribution.xid FROM jackpots_contribution AS contribution
            WHERE contribution.instance_id = instance.id
            ORDER BY contribution.xid DESC LIMIT 1
        ) >= instance.folded_to
        OR EXISTS (
            SELECT FROM jackpots_pot AS pot
            WHERE pot.instance_id = instance.id AND (
                pot.drop_at <= %(now)s AND pot.folded > 0
                OR pot.drop_type = 'must_hit_by_amount' AND pot.trigger_sealed = ''
            )
        )
    )
    ORDER BY instance.folded_to, instance.id
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class _Added:
    """What one fold added up to, and the pots that something in it may have dropped."""

    horizon: int
    row_count: int
    hit_positions: set[int]
    due_positions: set[int]
    #: Of pots that hide an amount: (position, sealed trigger, the most it may have held).
    hiding: list[tuple[int, str, Decimal]]


def fold_contributions(*, actor: Actor, now: datetime, limit: int) -> int:
    """
    Fold up to ``limit`` instances, the longest waiting first; return the rows added.

    Every instance has its own transaction: one that is in use, or broken, is left for
    the next run and never holds up the others.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now, "limit": limit})
        due = [row[0] for row in cursor.fetchall()]
    folded_count = 0
    for instance_id in due:
        try:
            folded_count += _fold_if_free(instance_id, actor=actor, now=now)
        except Exception:
            # One instance that cannot be folded must not stop the meters of the others.
            logger.exception("instance %s could not be folded", instance_id)
    return folded_count


@transaction.atomic(durable=True)
def fold_instance(*, instance_id: UUID, actor: Actor, now: datetime) -> int:
    """
    Add the instance's finished contributions to its meters; return how many there were.

    Finds the wins among them. Settles a closing progressive once nothing is left to fold:
    what its pots hold then stays there. Safe to run at any time, twice, and at once: folds
    of one instance take turns.

    :raises NotFound: if there is no such instance.
    :raises ResourceBusy: if the instance stays in use; nothing was changed.
    """
    instance = locks.lock_one(Instance.objects.filter(pk=instance_id).select_related("operator"))
    return _fold_and_settle(instance, actor=actor, now=now)


@transaction.atomic(durable=True)
def _fold_if_free(instance_id: UUID, *, actor: Actor, now: datetime) -> int:
    # Whoever holds it may take minutes, as a big draw does, and all others would wait with us.
    found = Instance.objects.filter(pk=instance_id).select_related("operator")
    free = locks.lock_many_skipping(found)
    return sum(_fold_and_settle(instance, actor=actor, now=now) for instance in free)


def _fold_and_settle(instance: Instance, *, actor: Actor, now: datetime) -> int:
    folded_count = fold_locked(instance=instance, actor=actor, now=now)
    if instance.status == InstanceStatus.CLOSING and not instance.is_raffle:
        _settle_if_counted(instance, actor=actor, now=now)
    return folded_count


@transaction.atomic(savepoint=False)
def fold_locked(*, instance: Instance, actor: Actor, now: datetime) -> int:
    """
    Fold an instance whose row the caller has locked, and return how many rows there were.

    Joins the caller's transaction. Pots that were read before are out of date afterwards.
    Contributions at (``instance.folded_to``, 0) in the ledger and before have been added;
    whoever ends a cycle there leaves every later one to the next.
    """
    tail_from = instance.folded_to
    # What came after the close does not drop, but what was contributed before it does.
    until = now if instance.closing_at is None else min(now, instance.closing_at)
    added = _add_tail(instance, until=until, now=now)
    instance.folded_to = added.horizon
    failpoint("folding.after_add")
    positions = added.hit_positions | added.due_positions | _crossed_positions(instance, added)
    if positions:
        end_crossed_cycles(
            instance=instance,
            positions=positions,
            tail_from=tail_from,
            until=until,
            actor=actor,
            now=now,
        )
    failpoint("folding.before_commit")
    return added.row_count


def _add_tail(instance: Instance, *, until: datetime, now: datetime) -> _Added:
    with connection.cursor() as cursor:
        cursor.execute(
            _FOLD,
            {
                "instance": instance.pk,
                "folded_to": str(instance.folded_to),
                "until": until,
                "now": now,
            },
        )
        row = cursor.fetchone()
    assert row is not None, "the horizon is always a row"
    horizon, row_count, hit_positions, due_positions, hiding = row
    return _Added(
        horizon=int(horizon),
        row_count=row_count,
        hit_positions=set(hit_positions),
        due_positions=set(due_positions),
        hiding=[
            (position, sealed, Decimal(held))
            for position, sealed, held in json.loads(hiding or "[]")
        ],
    )


def _crossed_positions(instance: Instance, added: _Added) -> set[int]:
    """Return the pots that may have reached their hidden amount; hide one where none is."""
    crossed = set()
    for position, sealed, held in added.hiding:
        trigger, _nonce = reveal_trigger(sealed=sealed)
        if trigger is None:
            # It was opened before amounts were hidden.
            pot = instance.pots.get(position=position)
            hide_trigger(instance=instance, pot=pot)
            pot.save(update_fields=["trigger_sealed", "commitment"])
        elif added.row_count and held >= trigger:
            crossed.add(position)
    return crossed


def _settle_if_counted(instance: Instance, *, actor: Actor, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT contribution.xid FROM jackpots_contribution AS contribution"
            " WHERE contribution.instance_id = instance.id"
            " ORDER BY contribution.xid DESC LIMIT 1) >= instance.folded_to, false)"
            " FROM jackpots_instance AS instance WHERE instance.id = %s",
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
