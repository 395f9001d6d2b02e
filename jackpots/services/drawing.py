"""
The draw itself: one transaction, in which entries, winners, money and seed are there or not.

What is drawn for, and among whom, is written down before the winners are found, and they
are found from what is written down and the seed alone (rules.draws).
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction

from core import audit, locks, outbox, sealing
from core.actors import Actor, ActorKind
from core.failpoints import failpoint
from core.money import AMOUNT_LIMIT, EXACT, get_currency
from jackpots.enums import EntryKind, InstanceStatus
from jackpots.models import Draw, DrawEntry, Instance, Pot, PotEntry, Prize
from jackpots.rules.draws import (
    Entry,
    award_prizes,
    commitment_of,
    digest_entries,
    draw_winners,
)
from jackpots.services.draw_documents import describe_draw, freeze_prizes, frozen_prizes
from jackpots.services.pots import apply_pending_terms
from jackpots.services.transfers import transfer_between_pots
from jackpots.services.wins import DrawnWin, record_drawn_wins

#: Whoever asked for a draw has not chosen its winners, and may approve them.
DRAWER = Actor(kind=ActorKind.TASK, ref="draw")

# Whoever contributed was over before the instance could be closed, and a rollback holds its
# row: nothing is being written to this ledger. So its end is known, wherever the horizon is.
_COUNT_TO_THE_END = """
    WITH tail AS MATERIALIZED (
        SELECT xid, status, pot_amounts, reverses_id, source_id, error_code,
            date_trunc('hour', created_at, 'UTC') AS hour
        FROM jackpots_contribution
        WHERE instance_id = %(instance)s AND xid >= %(folded_to)s
    ), pot AS MATERIALIZED (
        SELECT * FROM jackpots_pot WHERE instance_id = %(instance)s
    ), part AS (
        SELECT part.position, tail.hour, part.amount AS given, part.amount AS net
        FROM tail, unnest(tail.pot_amounts) WITH ORDINALITY AS part (amount, position)
        UNION ALL
        SELECT part.position, tail.hour, 0, -part.amount
        FROM tail JOIN jackpots_contribution AS original ON original.id = tail.reverses_id,
            unnest(original.pot_amounts) WITH ORDINALITY AS part (amount, position)
    ), hourly AS MATERIALIZED (
        SELECT position - 1 AS position, hour, sum(given) AS given, sum(net) AS net
        FROM part GROUP BY 1, 2
    ), meters AS (
        UPDATE jackpots_pot AS pot SET folded = pot.folded + gain.net
        FROM (SELECT position, sum(net) AS net FROM hourly GROUP BY 1) AS gain
        WHERE pot.instance_id = %(instance)s AND pot.position = gain.position
    ), hours AS (
        INSERT INTO jackpots_meterhour AS known (pot_id, hour, contributed, value)
        SELECT pot.id, hourly.hour, hourly.given, greatest(0, least(pot.ceiling, pot.drop_amount,
            pot.opening + pot.folded
                + sum(hourly.net) OVER (PARTITION BY pot.id ORDER BY hourly.hour)))
        FROM hourly JOIN pot ON pot.position = hourly.position
        ON CONFLICT (pot_id, hour) DO UPDATE SET
            contributed = known.contributed + excluded.contributed, value = excluded.value
    ), traffic AS (
        INSERT INTO jackpots_linktraffic AS known (source_id, target_id, hour, error_code, count)
        SELECT source_id, %(instance)s, hour, error_code, count(*)
        FROM tail WHERE source_id IS NOT NULL AND status <> 'reversal'
        GROUP BY source_id, hour, error_code
        ON CONFLICT (source_id, target_id, hour, error_code)
        DO UPDATE SET count = known.count + excluded.count
    )
    UPDATE jackpots_instance SET folded_to = greatest(
        folded_to, ((SELECT max(xid) FROM tail)::text::bigint + 1)::text::xid8)
    WHERE id = %(instance)s
"""

_END = """
    SELECT xid::text::bigint, number FROM jackpots_contribution
    WHERE instance_id = %s ORDER BY xid DESC, number DESC LIMIT 1
"""

# A player's newest row says all that they have contributed, rollbacks taken off.
_FREEZE = """
    INSERT INTO jackpots_drawentry (draw_id, position, player_id, player_reference, tickets)
    SELECT %(draw)s, row_number() OVER (ORDER BY player.reference COLLATE "C"),
        player.id, player.reference, held.tickets
    FROM (
        SELECT newest.player_id, div(standing.accumulated, %(ticket_cost)s)::bigint AS tickets
        FROM (
            SELECT player_id, max(number) AS number FROM jackpots_contribution
            WHERE instance_id = %(instance)s AND accumulated IS NOT NULL
            GROUP BY player_id
        ) AS newest
        JOIN jackpots_contribution AS standing ON standing.player_id = newest.player_id
            AND standing.instance_id = %(instance)s AND standing.number = newest.number
    ) AS held
    JOIN players_player AS player ON player.id = held.player_id
    WHERE held.tickets > 0
"""


@transaction.atomic(durable=True)
def make_draw(*, instance_id: UUID, actor: Actor, now: datetime) -> Instance:
    """
    Draw a closing raffle, once: one that has been drawn meanwhile is returned as it is.

    :raises NotFound: if there is no such instance.
    :raises ResourceBusy: if the instance stays in use; nothing was changed.
    """
    instance = locks.lock_one(Instance.objects.filter(pk=instance_id).select_related("operator"))
    if instance.status != InstanceStatus.CLOSING:
        return instance
    draw = Draw.objects.get(instance=instance)
    draw.instance = instance
    with connection.cursor() as cursor:
        # A million entries take longer than a request may, in the database and between two
        # statements: the instance is closed, nobody waits.
        cursor.execute(
            "SELECT set_config('statement_timeout', '0', true),"
            " set_config('idle_in_transaction_session_timeout', '0', true)"
        )
    _count_to_the_end(instance)
    player_ids, entries = _freeze_entries(instance, draw)
    failpoint("draw.after_freeze")

    seed = sealing.unseal(draw.seed_sealed)
    assert commitment_of(seed) == draw.commitment, "the seed is not what was committed to"
    pots = list(Pot.objects.filter(instance=instance).order_by("position"))
    prizes = list(Prize.objects.filter(instance=instance).order_by("priority", "pk"))
    draw.terms = freeze_prizes(instance=instance, prizes=prizes)
    draw.pot_amount = _gather(instance, pots, now=now)
    rows = frozen_prizes(draw=draw)
    winners = draw_winners(entries, rows, seed=seed, draw_id=draw.pk)
    currency = get_currency(instance.currency)
    award = award_prizes(winners, rows, pot=draw.pot_amount, currency=currency)
    _top_up(pots[0], instance, award.top_up, now=now)
    given = enumerate(zip(winners, award.amounts, strict=True), 1)
    drawn = [
        DrawnWin(
            player_id=player_ids[winner.entry],
            amount=amount,
            prize=prizes[winner.prize] if prizes else None,
            position=position,
            counter=winner.counter,
        )
        for position, (winner, amount) in given
    ]
    record_drawn_wins(draw=draw, pot=pots[0], drawn=drawn, initiated_by=DRAWER, now=now)
    pots[0].opening = award.left
    _end_cycles(instance, pots)
    failpoint("draw.after_wins")
    _reveal(draw, entries, seed=seed, now=now)
    instance.draw(now=now)
    instance.revision += 1
    instance.save(update_fields=["status", "drawn_at", "revision"])
    _record(instance, draw, winners_count=len(winners), actor=actor, now=now)
    return instance


def _freeze_entries(instance: Instance, draw: Draw) -> tuple[list[int], list[Entry]]:
    """Write down who stands in the draw, in order; return their ids and their entries."""
    if instance.ticket_cost is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                _FREEZE,
                {
                    "draw": draw.pk,
                    "instance": instance.pk,
                    "ticket_cost": instance.ticket_cost,
                },
            )
    player_ids: list[int] = []
    entries: list[Entry] = []
    frozen = DrawEntry.objects.filter(draw=draw).order_by("position")
    for player_id, reference, tickets in frozen.values_list(
        "player_id", "player_reference", "tickets"
    ).iterator(chunk_size=10_000):
        player_ids.append(player_id)
        entries.append(Entry(player=reference, tickets=tickets))
    return player_ids, entries


def _gather(instance: Instance, pots: Sequence[Pot], *, now: datetime) -> Decimal:
    """
    Move the meters of all pots into the first, and what is above them into the reserves.

    Returns what is drawn for: what the first holds then.
    """
    for pot in pots:
        accrued = EXACT.add(pot.opening, pot.folded)
        meter = accrued if pot.cap is None else min(accrued, pot.cap)
        pot.reserve = EXACT.add(pot.reserve, EXACT.subtract(accrued, meter))
        pot.opening, pot.folded = meter, Decimal(0)
    first, *others = pots
    for pot in others:
        if pot.opening:
            transfer_between_pots(
                operator=instance.operator,
                source=pot,
                target=first,
                amount=pot.opening,
                now=now,
            )
            first.opening = EXACT.add(first.opening, pot.opening)
            pot.opening = Decimal(0)
    # As a pot that drops: no prize is more than an amount can hold, and the rest is its reserve.
    largest = EXACT.subtract(AMOUNT_LIMIT, get_currency(instance.currency).minor_unit)
    prize_pot: Decimal = min(first.opening, largest)
    first.reserve = EXACT.add(first.reserve, EXACT.subtract(first.opening, prize_pot))
    first.opening = prize_pot
    return prize_pot


def _top_up(pot: Pot, instance: Instance, amount: Decimal, *, now: datetime) -> None:
    if amount:
        PotEntry(
            operator=instance.operator,
            pot=pot,
            cycle=pot.cycle,
            kind=EntryKind.TOP_UP,
            amount=amount,
            created_at=now,
        ).save(force_insert=True)


def _end_cycles(instance: Instance, pots: Sequence[Pot]) -> None:
    """Begin the next cycle of every pot behind the ledger: what was contributed is drawn."""
    with connection.cursor() as cursor:
        cursor.execute(_END, [instance.pk])
        end = cursor.fetchone()
    for pot in pots:
        apply_pending_terms(pot=pot)
        pot.cycle += 1
        if end is not None:
            pot.cycle_from_xid, pot.cycle_from_number = end
        pot.save(
            update_fields=[
                "seed",
                "ceiling",
                "opening",
                "folded",
                "reserve",
                "cycle",
                "cycle_from_xid",
                "cycle_from_number",
                "pending_terms",
            ]
        )


def _reveal(draw: Draw, entries: Sequence[Entry], *, seed: str, now: datetime) -> None:
    draw.seed = seed
    # The clock of the process that committed to it may be ahead of ours.
    draw.drawn_at = max(now, draw.committed_at)
    draw.entries_digest = digest_entries(entries)
    draw.entries_count = len(entries)
    draw.tickets_total = sum(entry.tickets for entry in entries)
    draw.save(
        update_fields=[
            "seed",
            "drawn_at",
            "entries_digest",
            "entries_count",
            "tickets_total",
            "pot_amount",
            "terms",
        ]
    )


def _record(
    instance: Instance, draw: Draw, *, winners_count: int, actor: Actor, now: datetime
) -> None:
    drawn = {**describe_draw(draw=draw), "winners_count": winners_count}
    audit.record_action(
        operator=instance.operator,
        actor=actor,
        action="jackpot.instance.drawn",
        subject=instance,
        before={"status": InstanceStatus.CLOSING},
        after={**drawn, "status": instance.status},
        now=now,
    )
    outbox.publish(
        operator=instance.operator,
        topic="jackpot.raffle.drawn",
        subject=draw,
        payload=drawn,
        now=now,
    )


def _count_to_the_end(instance: Instance) -> None:
    """Add to the meters what no fold has taken, and move the watermark behind it."""
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT_TO_THE_END,
            {"instance": instance.pk, "folded_to": str(instance.folded_to)},
        )
