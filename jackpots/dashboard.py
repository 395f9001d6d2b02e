"""
The figures of jackpots on the home page: what runs and how it grows, and what went wrong.

What it costs, with ten million contributions: none of them is read here. The running
instances are found by an index of what accrues, and what they gained is the sum of the hours
of the period that the fold keeps of their pots; of those that are shown, each meter is looked
up once a step. Failures of links are sums of hours that the fold counted, and the rest is
counted up to COUNTED_MAX, off partial indexes. The meters themselves are read by
jackpots.selectors.read_meters.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any
from uuid import UUID

from django.db import connection

#: Whoever has more than so many waiting does not need to know how many.
COUNTED_MAX = 10_000
#: A line is drawn through at most so many instants.
STEPS_MAX = 120
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

# Of each currency those that gained most come first: amounts of two currencies do not compare.
# A meter stands at an instant where it stood at the end of the last hour before.
_RUNNING = """
WITH grown AS (
    SELECT pot.instance_id, sum(hours.contributed) AS contributed,
        floor(extract(epoch FROM hours.hour - %(since)s) / %(step_s)s)::integer AS number
    FROM jackpots_instance AS instance
    JOIN jackpots_pot AS pot ON pot.instance_id = instance.id
    JOIN jackpots_meterhour AS hours ON hours.pot_id = pot.id AND hours.hour >= %(since)s
    WHERE instance.status = 'active'
    GROUP BY pot.instance_id, number
), total AS (
    SELECT instance_id, sum(contributed) AS contributed,
        jsonb_object_agg(number, contributed::text) AS by_step
    FROM grown GROUP BY instance_id
), placed AS (
    SELECT instance.*, coalesce(total.contributed, 0) AS contributed, total.by_step,
        row_number() OVER (
            PARTITION BY instance.currency
            ORDER BY coalesce(total.contributed, 0) DESC, instance.activated_at DESC,
                instance.id DESC
        ) AS place
    FROM jackpots_instance AS instance
    LEFT JOIN total ON total.instance_id = instance.id
    WHERE instance.status = 'active'
), running AS (
    SELECT * FROM placed ORDER BY place, currency LIMIT %(limit)s
), standing AS (
    SELECT pot.instance_id, step.number, sum(before.value) AS value
    FROM running
    JOIN jackpots_pot AS pot ON pot.instance_id = running.id
    CROSS JOIN generate_series(0, %(steps)s - 1) AS step(number)
    CROSS JOIN LATERAL (
        SELECT value FROM jackpots_meterhour
        WHERE pot_id = pot.id
            AND hour < %(since)s + make_interval(secs => step.number * %(step_s)s)
        ORDER BY hour DESC
        LIMIT 1
    ) AS before
    GROUP BY pot.instance_id, step.number
)
SELECT running.id, running.name, running.kind, running.currency, operator.name,
    running.paused_at IS NOT NULL, running.paused_reason, running.contributed, running.by_step,
    (
        SELECT jsonb_object_agg(standing.number, standing.value::text)
        FROM standing WHERE standing.instance_id = running.id
    )
FROM running JOIN operators_operator AS operator ON operator.id = running.operator_id
ORDER BY running.place, running.currency
"""


@dataclass(frozen=True, slots=True)
class RunningJackpot:
    """
    An instance that takes contributions, and how the sum of its meters has grown.

    ``contributed`` is what contributions have added since, wins or not; ``gained`` is how much
    of it there was at the instants of the reading, and ``values`` are where the meters stood,
    null before the first hour that is known.
    """

    id: UUID
    name: str
    kind: str
    currency: str
    operator: str
    is_paused: bool
    paused_reason: str
    contributed: Decimal
    gained: tuple[Decimal, ...]
    values: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class RunningJackpots:
    """Running instances, those that gained most first, and the instants that are told of."""

    instants: tuple[datetime, ...]
    jackpots: tuple[RunningJackpot, ...]


def read_running_jackpots(*, since: datetime, now: datetime, limit: int) -> RunningJackpots:
    """
    Return the ``limit`` instances to which contributions have added most, of all operators.

    They are told of at ``since``, which is a whole hour, and at every step after it that has
    come: hours, or as many of them as keep the steps at STEPS_MAX.
    """
    step = _step_of(now - since)
    # The last reading is the caller's: the meters now.
    instants = tuple(since + number * step for number in range(-(-(now - since) // step)))
    asked: dict[str, datetime | int] = {
        "since": since,
        "step_s": int(step.total_seconds()),
        "steps": len(instants),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, asked)
        rows = cursor.fetchall()
    return RunningJackpots(instants, tuple(_running(row, len(instants)) for row in rows))


def _step_of(span: timedelta) -> timedelta:
    """Return whole hours, a part of a day, so that every line passes the midnights."""
    for hours in (1, 2, 3, 6, 12):
        if span // (hours * _HOUR) <= STEPS_MAX:
            return hours * _HOUR
    return _DAY


def _running(row: tuple[Any, ...], steps: int) -> RunningJackpot:
    *columns, by_step, standing = row
    instance_id, name, kind, currency, operator, is_paused, reason, contributed = columns
    added, known = _json(by_step) or {}, _json(standing) or {}
    # What a step adds is there at its end, which is where the next one begins.
    adding = (Decimal(added.get(str(number - 1), 0)) for number in range(steps))
    texts = [known.get(str(number)) for number in range(steps)]
    values = tuple(None if text is None else Decimal(text) for text in texts)
    return RunningJackpot(
        id=instance_id,
        name=name,
        kind=kind,
        currency=currency,
        operator=operator,
        is_paused=is_paused,
        paused_reason=reason,
        contributed=contributed,
        gained=tuple(accumulate(adding)),
        values=values,
    )


_TROUBLES = """
WITH failed AS (
    SELECT source_id, target_id, error_code, sum(count)::bigint AS number
    FROM jackpots_linktraffic
    WHERE error_code <> '' AND hour >= %(since)s
    GROUP BY source_id, target_id, error_code
), links AS (
    SELECT source_id, target_id, sum(number)::bigint AS number,
        (array_agg(error_code ORDER BY number DESC, error_code))[1] AS top_error
    FROM failed GROUP BY source_id, target_id
)
SELECT
    (SELECT count(*) FROM jackpots_instance WHERE status = 'active'),
    (SELECT count(*) FROM (
        SELECT FROM jackpots_win
        WHERE status = 'payable' AND last_error <> '' LIMIT %(most)s + 1
    ) AS unpaid),
    (SELECT count(*) FROM (
        SELECT FROM jackpots_rollbackloss WHERE explained_at IS NULL LIMIT %(most)s + 1
    ) AS lost),
    (SELECT count(*) FROM links),
    (SELECT coalesce(sum(number), 0)::bigint FROM links),
    (
        SELECT jsonb_agg(jsonb_build_array(
            shown.source_id, source.name, shown.target_id, target.name, shown.number,
            shown.top_error) ORDER BY shown.number DESC, shown.source_id, shown.target_id)
        FROM (
            SELECT * FROM links ORDER BY number DESC, source_id, target_id LIMIT %(links)s
        ) AS shown
        JOIN jackpots_instance AS source ON source.id = shown.source_id
        JOIN jackpots_instance AS target ON target.id = shown.target_id
    )
"""


@dataclass(frozen=True, slots=True)
class FailingLink:
    """A link whose target refused contributions, how many, and mostly why."""

    source_id: UUID
    source: str
    target_id: UUID
    target: str
    failed_count: int
    top_error_code: str


@dataclass(frozen=True, slots=True)
class JackpotTroubles:
    """
    How many instances run, and what of jackpots may need somebody.

    Wins that could not be paid and losses are counted up to COUNTED_MAX + 1. Failures are of
    the last 24 hours, the oldest of which counts from its start; the worst links are told.
    """

    active_count: int
    unpaid_win_count: int
    loss_count: int
    failing_link_count: int
    failed_count: int
    failing_links: tuple[FailingLink, ...]


def read_jackpot_troubles(*, now: datetime, links_max: int) -> JackpotTroubles:
    """Return what may need somebody, at all operators, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_TROUBLES, {"since": day_ago(now), "most": COUNTED_MAX, "links": links_max})
        row = cursor.fetchone()
    assert row is not None, "one row of subselects"
    active, unpaid, lost, link_count, failed, links = row
    return JackpotTroubles(
        active_count=active,
        unpaid_win_count=unpaid,
        loss_count=lost,
        failing_link_count=link_count,
        failed_count=failed,
        failing_links=tuple(
            FailingLink(UUID(source_id), source, UUID(target_id), target, count, error)
            for source_id, source, target_id, target, count, error in _json(links) or ()
        ),
    )


def day_ago(now: datetime) -> datetime:
    """Return when the last 24 hours begin: with the hour that ran a day ago."""
    return (now.astimezone(UTC) - _DAY).replace(minute=0, second=0, microsecond=0)


def _json(value: Any) -> Any:
    # A raw cursor of Django returns jsonb as text.
    return json.loads(value) if isinstance(value, str) else value
