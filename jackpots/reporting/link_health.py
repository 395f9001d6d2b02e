"""How links fared in a span of time: what their targets accepted and refused, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection

from jackpots.reporting.statement import split_hours
from operators.models import Operator


@dataclass(frozen=True, slots=True)
class LinkUse:
    """What one link led to in one span; ``failures`` counts refusals by their code."""

    source_id: UUID
    source_name: str
    target_id: UUID
    target_name: str
    #: Whether the two are linked now, or have been only.
    is_linked: bool
    #: Which of the spans that were asked for, from 0.
    span: int
    accepted_count: int = 0
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def failed_count(self) -> int:
        """Return how many legs were refused."""
        return sum(self.failures.values())


# Hours that a fold has counted; those that a bound lies in are counted from their rows, as is
# what no fold has counted yet.
_LINK_USE = """
    WITH own AS MATERIALIZED (
        SELECT id, name, folded_to FROM jackpots_instance WHERE operator_id = %(operator)s
    ), tail AS (
        SELECT added.source_id, own.id AS target_id, added.created_at, added.error_code
        FROM own
        CROSS JOIN LATERAL (
            SELECT source_id, created_at, error_code, status FROM jackpots_contribution
            WHERE instance_id = own.id
                AND xid BETWEEN own.folded_to AND '18446744073709551615'
            OFFSET 0
        ) AS added
        WHERE added.source_id IS NOT NULL AND added.status <> 'reversal'
            AND added.created_at >= %(since)s AND added.created_at < %(until)s
    ), split AS (
        SELECT added.source_id, own.id AS target_id, added.created_at, added.error_code
        FROM unnest(%(split_hours)s::timestamptz[]) AS hour
        CROSS JOIN LATERAL (
            SELECT source_id, instance_id, created_at, error_code, xid, status
            FROM jackpots_contribution
            WHERE created_at >= hour AND created_at < hour + interval '1 hour'
            OFFSET 0
        ) AS added
        JOIN own ON own.id = added.instance_id AND added.xid < own.folded_to
        WHERE added.source_id IS NOT NULL AND added.status <> 'reversal'
            AND added.created_at >= %(since)s AND added.created_at < %(until)s
    ), traffic (source_id, target_id, at, error_code, number) AS (
        SELECT traffic.source_id, traffic.target_id, traffic.hour, traffic.error_code,
            traffic.count
        FROM own JOIN jackpots_linktraffic AS traffic ON traffic.source_id = own.id
        WHERE traffic.hour >= %(since)s AND traffic.hour < %(until)s
            AND traffic.hour <> ALL (%(split_hours)s::timestamptz[])
        UNION ALL
        SELECT source_id, target_id, created_at, error_code, 1
        FROM (SELECT * FROM tail UNION ALL SELECT * FROM split) AS row
    ), counts AS (
        SELECT source_id, target_id, width_bucket(at, %(bounds)s::timestamptz[]) - 1 AS span,
            error_code, sum(number)::bigint AS number
        FROM traffic GROUP BY 1, 2, 3, 4
    ), known AS (
        SELECT source_id, target_id FROM jackpots_linked_instance
        WHERE operator_id = %(operator)s
        UNION
        SELECT source_id, target_id FROM counts
    )
    SELECT source.id, source.name, target.id, target.name,
        EXISTS (SELECT FROM jackpots_linked_instance AS link
            WHERE link.source_id = source.id AND link.target_id = target.id),
        counts.span, counts.error_code, counts.number
    FROM known
    JOIN own AS source ON source.id = known.source_id
    JOIN own AS target ON target.id = known.target_id
    LEFT JOIN counts ON counts.source_id = source.id AND counts.target_id = target.id
    ORDER BY lower(source.name), source.id, lower(target.name), target.id,
        counts.span, counts.error_code
"""


def iterate_link_use(*, operator: Operator, bounds: Sequence[datetime]) -> Iterator[LinkUse]:
    """
    Yield how each link fared, by source and target, span after span.

    Span n is from ``bounds[n]`` to before ``bounds[n + 1]``. A link that there is and that
    nothing was sent over is told once, with nothing; one that there is not is left out.

    Reads the counted hours of the spans, what no fold has counted yet, and the contributions
    of hours that a bound lies in. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _LINK_USE,
            {
                "operator": operator.pk,
                "since": bounds[0],
                "until": bounds[-1],
                "bounds": list(bounds[:-1]),
                "split_hours": split_hours(bounds=bounds),
            },
        )
        rows = cursor.fetchall()
    for key, counted in groupby(rows, key=lambda row: row[:6]):
        *link, span = key
        yield _use_of(link, span or 0, {code: number for *_, code, number in counted})


def _use_of(link: Sequence[Any], span: int, by_code: dict[str | None, int | None]) -> LinkUse:
    failures = {code: number or 0 for code, number in by_code.items() if code}
    source_id, source_name, target_id, target_name, is_linked = link
    return LinkUse(
        source_id=source_id,
        source_name=source_name,
        target_id=target_id,
        target_name=target_name,
        is_linked=is_linked,
        span=span,
        accepted_count=by_code.get("") or 0,
        failures=dict(sorted(failures.items(), key=lambda item: (-item[1], item[0]))),
    )
