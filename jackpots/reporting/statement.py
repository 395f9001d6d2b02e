"""
The statement of a pot: what it held, what came in, what went out, what it holds.

A pot holds its meter and its reserve together. What it held at an instant is everything that
moved it before: so the closing of one day is the opening of the next, by the same sums.

What was contributed is read from the hours that the fold keeps (MeterHour; check_books
proves them), but for what no fold has counted yet and for hours that a day begins in: those
are read from the contributions themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection

from core.money import EXACT
from jackpots.models import Instance
from operators.models import Operator

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class PotStatement:
    """
    One pot in one span of time. All amounts are positive, in ``currency``.

    ``closing`` = ``opening`` + ``contributed`` - ``rolled_back`` + ``borne_by_house`` +
    ``seeded`` + ``boosted`` + ``topped_up`` + ``moved_in`` - ``moved_out`` - ``won`` +
    ``rejected``. ``from_reserve`` moved from the reserve to the meter, within the pot.

    ``meter`` and ``reserve`` are what the pot's books say that it holds at this very
    moment: together the closing of a span that is not over.
    """

    instance_id: UUID
    instance_name: str
    run_number: int
    pot_id: int
    pot_name: str
    currency: str
    #: Which of the spans that were asked for, from 0.
    span: int
    opening: Decimal
    contributed: Decimal
    #: Contributions taken back, also those that came too late to take anything.
    rolled_back: Decimal
    #: What was taken back too late: the pot had been won, so the house bears it.
    borne_by_house: Decimal
    seeded: Decimal
    boosted: Decimal
    topped_up: Decimal
    moved_in: Decimal
    moved_out: Decimal
    won: Decimal
    win_count: int
    rejected: Decimal
    from_reserve: Decimal
    meter: Decimal
    reserve: Decimal

    @property
    def closing(self) -> Decimal:
        """Return what the pot held at the end of the span."""
        moved = {line: getattr(self, line) for line in _SIGNS}
        return EXACT.add(self.opening, _sum(moved))

    @property
    def has_moved(self) -> bool:
        """Tell whether anything came into the pot or left it."""
        return any(
            (
                self.contributed,
                self.rolled_back,
                self.seeded,
                self.boosted,
                self.topped_up,
                self.moved_in,
                self.moved_out,
                self.win_count,
                self.rejected,
                self.from_reserve,
            )
        )


#: Line of the statement → whether it adds to what the pot holds, takes from it, or neither.
_SIGNS = {
    "contributed": 1,
    "rolled_back": -1,
    "borne_by_house": 1,
    "seeded": 1,
    "boosted": 1,
    "topped_up": 1,
    "moved_in": 1,
    "moved_out": -1,
    "won": -1,
    "rejected": 1,
    "from_reserve": 0,
}

# Every move of every pot, by the span it lies in: 0 is before the first. A span begins at one
# of the bounds, which ascend. The bound above a watermark bounds nothing: with it the planner
# knows that the tail is short. OFFSET 0 makes it go by instances and hours, one after the other:
# joined to all of them at once, it would read all contributions from end to end.
_STATEMENT = """
    WITH pot AS MATERIALIZED (
        SELECT pot.*, instance.folded_to, instance.currency, instance.name AS instance_name,
            instance.run_number
        FROM jackpots_pot AS pot
        JOIN jackpots_instance AS instance ON instance.id = pot.instance_id
        WHERE instance.id = ANY (%(instances)s::uuid[]) AND instance.operator_id = %(operator)s
            AND instance.activated_at IS NOT NULL
    ), fold AS MATERIALIZED (
        SELECT DISTINCT instance_id, folded_to FROM pot
    ), tail AS MATERIALIZED (
        SELECT fold.instance_id, added.created_at, part.position, part.amount
        FROM fold
        CROSS JOIN LATERAL (
            SELECT created_at, pot_amounts FROM jackpots_contribution
            WHERE instance_id = fold.instance_id
                AND xid BETWEEN fold.folded_to AND '18446744073709551615'
            OFFSET 0
        ) AS added
        CROSS JOIN unnest(added.pot_amounts) WITH ORDINALITY AS part (amount, position)
    ), split AS MATERIALIZED (
        SELECT fold.instance_id, added.created_at, part.position, part.amount
        FROM unnest(%(split_hours)s::timestamptz[]) AS hour
        CROSS JOIN LATERAL (
            SELECT instance_id, created_at, xid, pot_amounts FROM jackpots_contribution
            WHERE created_at >= hour AND created_at < hour + interval '1 hour'
            OFFSET 0
        ) AS added
        JOIN fold ON fold.instance_id = added.instance_id AND added.xid < fold.folded_to
        CROSS JOIN unnest(added.pot_amounts) WITH ORDINALITY AS part (amount, position)
    ), taken AS MATERIALIZED (
        SELECT pot.id AS pot_id, reversal.created_at, original.pot_amounts[pot.position + 1]
            AS amount, reversal.xid >= pot.folded_to AS is_tail,
            CASE WHEN reversal.xid < pot.folded_to THEN loss.id IS NOT NULL
                 ELSE (original.xid, original.number)
                    <= (pot.cycle_from_xid, pot.cycle_from_number)
            END AS is_late
        FROM pot
        JOIN jackpots_contribution AS reversal ON reversal.instance_id = pot.instance_id
            AND reversal.status = 'reversal'
        JOIN jackpots_contribution AS original ON original.id = reversal.reverses_id
        LEFT JOIN jackpots_rollbackloss AS loss
            ON loss.reversal_id = reversal.id AND loss.pot_id = pot.id
    ), accrued AS MATERIALIZED (
        SELECT pot.id AS pot_id, pot.reserve, pot.opening + pot.folded
            + coalesce(added.amount, 0) - coalesce(gone.amount, 0) AS amount
        FROM pot
        LEFT JOIN (
            SELECT instance_id, position, sum(amount) AS amount FROM tail GROUP BY 1, 2
        ) AS added ON added.instance_id = pot.instance_id AND added.position = pot.position + 1
        LEFT JOIN (
            SELECT pot_id, sum(amount) AS amount FROM taken
            WHERE is_tail AND NOT is_late GROUP BY 1
        ) AS gone ON gone.pot_id = pot.id
    ), move (pot_id, at, line, amount) AS (
        SELECT pot.id, hours.hour, 'contributed', hours.contributed
        FROM pot JOIN jackpots_meterhour AS hours ON hours.pot_id = pot.id
        WHERE hours.hour < %(until)s AND hours.hour <> ALL (%(split_hours)s::timestamptz[])
        UNION ALL
        SELECT pot.id, part.created_at, 'contributed', part.amount
        FROM (SELECT * FROM tail UNION ALL SELECT * FROM split) AS part
        JOIN pot ON pot.instance_id = part.instance_id AND pot.position + 1 = part.position
        UNION ALL
        SELECT pot_id, created_at, 'rolled_back', amount FROM taken
        UNION ALL
        SELECT pot_id, created_at, 'borne_by_house', amount FROM taken WHERE is_late
        UNION ALL
        SELECT entry.pot_id, entry.created_at, CASE entry.kind
            WHEN 'seed' THEN 'seeded' WHEN 'boost' THEN 'boosted' WHEN 'top_up' THEN 'topped_up'
            WHEN 'transfer_in' THEN 'moved_in' WHEN 'transfer_out' THEN 'moved_out'
            WHEN 'reserve' THEN 'from_reserve' END, entry.amount
        FROM pot JOIN jackpots_potentry AS entry ON entry.pot_id = pot.id
        UNION ALL
        SELECT win.pot_id, win.found_at, 'won', win.amount
        FROM pot JOIN jackpots_win AS win ON win.pot_id = pot.id
        UNION ALL
        SELECT win.pot_id, win.decided_at, 'rejected', win.amount
        FROM pot JOIN jackpots_win AS win ON win.pot_id = pot.id
        WHERE win.status = 'rejected'
    ), sums AS (
        SELECT pot_id, width_bucket(at, %(bounds)s::timestamptz[]) AS span, line,
            sum(amount) AS amount, count(*) AS number
        FROM move WHERE at < %(until)s AND amount IS NOT NULL
        GROUP BY 1, 2, 3
    )
    SELECT pot.instance_id, pot.instance_name, pot.run_number, pot.id, pot.name, pot.currency,
        least(accrued.amount, pot.ceiling, pot.drop_amount), accrued.reserve
            + greatest(accrued.amount - least(accrued.amount, pot.ceiling, pot.drop_amount), 0),
        sums.span, sums.line, sums.amount, sums.number
    FROM pot
    JOIN accrued ON accrued.pot_id = pot.id
    LEFT JOIN sums ON sums.pot_id = pot.id
    ORDER BY pot.instance_id, pot.position, sums.span
"""

#: What the first columns of a row are called in a statement.
_NAMED = (
    "instance_id",
    "instance_name",
    "run_number",
    "pot_id",
    "pot_name",
    "currency",
    "meter",
    "reserve",
)

_INSTANCES = """
    SELECT id FROM jackpots_instance
    WHERE operator_id = %(operator)s AND activated_at < %(until)s
        AND (%(after)s::uuid IS NULL OR id > %(after)s)
        AND (%(only)s::uuid IS NULL OR id = %(only)s)
    ORDER BY id
    LIMIT %(limit)s
"""


def list_instances_with_statements(
    *,
    operator: Operator,
    until: datetime,
    only: UUID | None = None,
    after: UUID | None = None,
    limit: int | None = None,
) -> list[UUID]:
    """Return the instances that were opened before ``until``, in the order of their ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            _INSTANCES,
            {
                "operator": operator.pk,
                "until": until,
                "after": after,
                "only": only,
                "limit": limit,
            },
        )
        return [instance_id for (instance_id,) in cursor.fetchall()]


def list_instance_choices(*, operator: Operator, limit: int) -> list[tuple[UUID, str]]:
    """Return the operator's instances that were opened last, by name, newest run first."""
    opened = Instance.objects.for_operator(operator).filter(activated_at__isnull=False)
    newest = opened.order_by("-activated_at", "-pk").values_list("pk", "name", "run_number")
    return [
        (instance_id, f"{name} (run {run})" if run > 1 else name)
        for instance_id, name, run in sorted(
            newest[:limit], key=lambda row: (row[1].lower(), row[1], -row[2])
        )
    ]


def read_statements(
    *, operator: Operator, instance_ids: Sequence[UUID], bounds: Sequence[datetime]
) -> Iterator[PotStatement]:
    """
    Yield the statements of the pots of those instances, pot after pot, span after span.

    Span n is from ``bounds[n]`` to before ``bounds[n + 1]``; the bounds ascend. A span in
    which a pot held nothing and nothing moved is left out. One statement, so one snapshot.

    Reads of each pot its hours, entries and wins, and of its instance what was rolled back
    and what no fold has counted yet; of the contributions otherwise those of hours that a
    bound lies in.
    """
    assert len(bounds) > 1, "a span has two ends"
    with connection.cursor() as cursor:
        cursor.execute(
            _STATEMENT,
            {
                "operator": operator.pk,
                "instances": list(instance_ids),
                "bounds": list(bounds[:-1]),
                "until": bounds[-1],
                "split_hours": split_hours(bounds=bounds),
            },
        )
        rows = cursor.fetchall()
    named = len(_NAMED)
    for pot, found in groupby(rows, key=lambda row: row[:named]):
        yield from _spans_of(pot, [row[named:] for row in found], span_count=len(bounds) - 1)


def split_hours(*, bounds: Sequence[datetime]) -> list[datetime]:
    """Return the hours, in UTC, that a bound lies in, other than at their beginning."""
    hours = {bound.replace(minute=0, second=0, microsecond=0) for bound in bounds}
    return sorted(hours - set(bounds))


def _spans_of(
    pot: tuple[Any, ...], sums: list[tuple[Any, ...]], *, span_count: int
) -> Iterator[PotStatement]:
    lines: dict[int, dict[str, Decimal]] = {}
    wins: dict[int, int] = {}
    for span, line, amount, number in sums:
        if line is None:
            continue
        lines.setdefault(span, {})[line] = amount
        if line == "won":
            wins[span] = number
    opening = _sum(lines.get(0, {}))
    named: dict[str, Any] = dict(zip(_NAMED, pot, strict=True))
    for span in range(span_count):
        moved = lines.get(span + 1, {})
        amounts: dict[str, Any] = {line: moved.get(line, _ZERO) for line in _SIGNS}
        statement = PotStatement(
            **named, span=span, opening=opening, win_count=wins.get(span + 1, 0), **amounts
        )
        if statement.has_moved or statement.opening or statement.closing:
            yield statement
        opening = statement.closing


def _sum(lines: Mapping[str, Decimal]) -> Decimal:
    """Return what the lines changed of what the pot holds."""
    signed = (EXACT.multiply(_SIGNS[line], amount) for line, amount in lines.items())
    return reduce(EXACT.add, signed, _ZERO)
