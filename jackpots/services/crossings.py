"""
Which contribution ends a pot's cycle: found in the order of the ledger, by the fold alone.

The fold has added everything below its horizon to the running cycle. Where a cycle ends
on the way, what came later belongs to the next one: the pot is won with what it held at
that position, and what came after is added up anew. When the fold ran, and how often,
makes no difference to who wins, or how much.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from core.actors import Actor
from core.failpoints import failpoint
from core.money import EXACT
from jackpots.enums import DropType, WinCause
from jackpots.models import Instance, Pot
from jackpots.services.pots import end_cycle, move_drop_on, note_meter, reveal_trigger

#: A place in the ledger: rows up to (xid, number), that one included, lie before it.
Position = tuple[int, int]

# What each row between two positions did to the pot's running cycle. A rollback takes
# back what the cycle was given, and nothing of what has been won before.
_MOVES = """
    SELECT move.xid, move.number, move.id, move.player_id, move.status, move.amount,
        %(position)s = ANY (move.hits) AS is_hit,
        CASE
            WHEN move.status <> 'reversal'
                THEN coalesce(move.pot_amounts[%(position)s + 1], 0)
            WHEN (original.xid, original.number) > (%(from_xid)s::xid8, %(from_number)s)
                THEN -original.pot_amounts[%(position)s + 1]
            ELSE 0
        END AS net
    FROM jackpots_contribution AS move
    LEFT JOIN jackpots_contribution AS original ON original.id = move.reverses_id
    WHERE move.instance_id = %(instance)s
        AND move.xid >= %(after_xid)s::xid8 AND move.xid <= %(to_xid)s::xid8
        AND (move.xid, move.number) > (%(after_xid)s::xid8, %(after_number)s)
        AND (move.xid, move.number) <= (%(to_xid)s::xid8, %(to_number)s)
"""

_NET = f"SELECT coalesce(sum(net), 0) FROM ({_MOVES}) AS move"  # noqa: S608 -- both are ours

# Read in order, so that no more is added up than up to the row that is found. (Its order is
# that of the column: xid alone would be the text that is returned.)
_CROSSING = f"""
    SELECT xid::text, number, id, player_id, accrued, is_hit
    FROM (
        SELECT move.*, %(accrued)s + sum(net) OVER (
            ORDER BY xid, number ROWS UNBOUNDED PRECEDING) AS accrued
        FROM ({_MOVES}) AS move
    ) AS move
    WHERE status = 'accepted' AND (is_hit OR amount > 0 AND accrued >= %(trigger)s::numeric)
    ORDER BY move.xid, move.number
    LIMIT 1
"""  # noqa: S608 -- both are ours

# Nobody can tell yet who was the last one before the instant: one of them is not over.
_IS_TOO_EARLY = """
    SELECT EXISTS (
        SELECT FROM jackpots_contribution
        WHERE instance_id = %(instance)s AND xid >= %(to_xid)s::xid8
            AND created_at < %(drop_at)s
    )
"""

# The end of what came before the instant, and the last one in it who has not taken it back.
_LAST_BEFORE = """
    SELECT ended.xid::text, ended.number, won.id, won.player_id, won.created_at
    FROM LATERAL (
        SELECT xid, number FROM jackpots_contribution
        WHERE instance_id = %(instance)s AND xid < %(to_xid)s::xid8
            AND (xid, number) > (%(from_xid)s::xid8, %(from_number)s)
            AND created_at < %(drop_at)s
        ORDER BY xid DESC, number DESC LIMIT 1
    ) AS ended, LATERAL (
        SELECT contribution.id, contribution.player_id, contribution.created_at
        FROM jackpots_contribution AS contribution
        WHERE contribution.instance_id = %(instance)s AND contribution.xid < %(to_xid)s::xid8
            AND (contribution.xid, contribution.number) > (%(from_xid)s::xid8, %(from_number)s)
            AND contribution.created_at < %(drop_at)s
            AND contribution.status = 'accepted' AND contribution.amount > 0
            AND NOT EXISTS (
                SELECT FROM jackpots_contribution AS reversal
                WHERE reversal.reverses_id = contribution.id
                    AND reversal.created_at < %(drop_at)s
            )
        ORDER BY contribution.xid DESC, contribution.number DESC LIMIT 1
    ) AS won
"""

_FIRST_SINCE = """
    SELECT xid::text, number, id, player_id, created_at FROM jackpots_contribution AS since
    WHERE instance_id = %(instance)s AND xid < %(to_xid)s::xid8
        AND (xid, number) > (%(from_xid)s::xid8, %(from_number)s)
        AND created_at >= %(drop_at)s AND status = 'accepted' AND amount > 0
    ORDER BY since.xid, since.number LIMIT 1
"""

# Taken back below the horizon, but after the win of the cycle that it was given to.
_LOSSES = """
    INSERT INTO jackpots_rollbackloss (id, operator_id, reversal_id, pot_id, amount, currency,
        created_at, explained_by, explanation)
    SELECT gen_random_uuid(), reversal.operator_id, reversal.id, pot.id,
        original.pot_amounts[pot.position + 1], reversal.currency, %(now)s, '', ''
    FROM jackpots_pot AS pot
    JOIN jackpots_contribution AS reversal ON reversal.instance_id = pot.instance_id
    JOIN jackpots_contribution AS original ON original.id = reversal.reverses_id
    WHERE pot.id = %(pot)s AND reversal.status = 'reversal'
        AND reversal.xid >= pot.cycle_from_xid AND reversal.xid < %(to_xid)s::xid8
        AND (reversal.xid, reversal.number) > (pot.cycle_from_xid, pot.cycle_from_number)
        AND (original.xid, original.number) > (%(from_xid)s::xid8, %(from_number)s)
        AND (original.xid, original.number) <= (pot.cycle_from_xid, pot.cycle_from_number)
        AND original.pot_amounts[pot.position + 1] > 0
"""


@dataclass(frozen=True, slots=True)
class _Ending:
    """Where a cycle ends, who wins it, and with what."""

    position: Position
    accrued: Decimal
    player_id: int
    contribution_id: UUID
    cause: WinCause
    won_at: datetime | None = None


@transaction.atomic(savepoint=False)
def end_crossed_cycles(
    *,
    instance: Instance,
    positions: set[int],
    tail_from: int,
    until: datetime,
    actor: Actor,
    now: datetime,
) -> int:
    """
    End every cycle that is over in those pots; return how many there were.

    Joins the transaction of a fold that has added all contributions from ``tail_from`` to
    the instance's watermark. Drops at a time are due up to ``until``.
    """
    win_count = 0
    for pot in instance.pots.filter(position__in=positions).order_by("position"):
        win_count += _end_cycles(instance, pot, tail_from, until=until, actor=actor, now=now)
    return win_count


def _end_cycles(
    instance: Instance, pot: Pot, tail_from: int, *, until: datetime, actor: Actor, now: datetime
) -> int:
    horizon = (instance.folded_to, 0)
    reached = (tail_from, 0)
    held = EXACT.add(pot.opening, pot.folded)
    accrued = EXACT.subtract(held, _net(pot, reached, horizon))
    win_count = 0
    while True:
        ending = _find_ending(pot, reached, accrued, horizon=horizon, until=until)
        if ending is None:
            break
        began = (pot.cycle_from_xid, pot.cycle_from_number)
        if ending.won_at is not None:
            move_drop_on(instance=instance, pot=pot, after=ending.won_at)
        end_cycle(
            instance=instance,
            pot=pot,
            position_xid=ending.position[0],
            position_number=ending.position[1],
            accrued=ending.accrued,
            player_id=ending.player_id,
            cause=ending.cause,
            contribution_id=ending.contribution_id,
            initiated_by=actor,
            now=now,
        )
        _execute(_LOSSES, pot, horizon, from_xid=str(began[0]), from_number=began[1], now=now)
        failpoint("folding.after_win")
        win_count += 1
        reached, accrued = ending.position, pot.opening
    if win_count:
        pot.folded = _net(pot, reached, horizon)
        pot.save(update_fields=["folded"])
        note_meter(pot=pot, now=now)
    return win_count


def _find_ending(
    pot: Pot, reached: Position, accrued: Decimal, *, horizon: Position, until: datetime
) -> _Ending | None:
    """Return the first end of the running cycle, which holds ``accrued`` at ``reached``."""
    endings = [_find_crossing(pot, reached, accrued, horizon=horizon)]
    if pot.drop_type == DropType.MUST_HIT_BY_TIME:
        assert pot.drop_at is not None, "must hit by a time, but has none"
        if pot.drop_at <= until:
            endings.append(_find_drop_at_time(pot, reached, accrued, horizon=horizon))
    found = [ending for ending in endings if ending is not None]
    return min(found, key=lambda ending: ending.position, default=None)


def _find_crossing(
    pot: Pot, reached: Position, accrued: Decimal, *, horizon: Position
) -> _Ending | None:
    trigger, _nonce = reveal_trigger(sealed=pot.trigger_sealed)
    row = _execute(
        _CROSSING,
        pot,
        horizon,
        after_xid=str(reached[0]),
        after_number=reached[1],
        to_number=horizon[1],
        accrued=accrued,
        trigger=trigger,
    )
    if row is None:
        return None
    xid, number, contribution_id, player_id, held, is_hit = row
    return _Ending(
        position=(int(xid), number),
        accrued=held,
        player_id=player_id,
        contribution_id=contribution_id,
        cause=WinCause.HIT_RATE if is_hit else WinCause.MUST_HIT_BY_AMOUNT,
    )


def _find_drop_at_time(
    pot: Pot, reached: Position, accrued: Decimal, *, horizon: Position
) -> _Ending | None:
    if _execute(_IS_TOO_EARLY, pot, horizon, drop_at=pot.drop_at) == (True,):
        return None
    row = _execute(_LAST_BEFORE, pot, horizon, drop_at=pot.drop_at)
    row = row or _execute(_FIRST_SINCE, pot, horizon, drop_at=pot.drop_at)
    if row is None:
        return None
    xid, number, contribution_id, player_id, created_at = row
    position = (int(xid), number)
    # Earlier folds may have added what came after: a fold does not wait for an instant.
    if position >= reached:
        held = EXACT.add(accrued, _net(pot, reached, position))
    else:
        held = EXACT.subtract(accrued, _net(pot, position, reached))
    return _Ending(
        position=position,
        accrued=held,
        player_id=player_id,
        contribution_id=contribution_id,
        cause=WinCause.MUST_HIT_BY_TIME,
        won_at=created_at,
    )


def _net(pot: Pot, after: Position, to: Position) -> Decimal:
    """Return what the rows after one position, up to another, did to the running cycle."""
    row = _execute(_NET, pot, to, after_xid=str(after[0]), after_number=after[1], to_number=to[1])
    assert row is not None, "a sum is always a row"
    net: Decimal = row[0]
    return net


def _execute(sql: str, pot: Pot, to: Position, **params: Any) -> tuple[Any, ...] | None:
    """Run a query about the pot's running cycle and return its first row, if it has any."""
    about: dict[str, Any] = {
        "pot": pot.pk,
        "instance": pot.instance_id,
        "position": pot.position,
        "from_xid": str(pot.cycle_from_xid),
        "from_number": pot.cycle_from_number,
        "to_xid": str(to[0]),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, {**about, **params})
        row: tuple[Any, ...] | None = cursor.fetchone() if cursor.description else None
        return row
