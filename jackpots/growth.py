"""Figures of an instance for the back office: how its meters grow, who stands in its draw."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import connection

from jackpots.models import Instance

_HOUR = timedelta(hours=1)

# Of each pot the hours of the span, and the last one before it: where the span began.
_HOURS = """
    SELECT hours.pot_id, hours.hour, hours.value, hours.contributed
    FROM jackpots_pot AS pot
    CROSS JOIN LATERAL (
        (
            SELECT pot_id, hour, value, contributed FROM jackpots_meterhour
            WHERE pot_id = pot.id AND hour < %(since)s
            ORDER BY hour DESC
            LIMIT 1
        )
        UNION ALL (
            SELECT pot_id, hour, value, contributed FROM jackpots_meterhour
            WHERE pot_id = pot.id AND hour >= %(since)s AND hour <= %(until)s
        )
    ) AS hours
    WHERE pot.instance_id = %(instance)s
    ORDER BY hours.hour
"""


# As the draw freezes them: a player's newest row says all that they have contributed.
_TICKETS = """
    SELECT count(*), coalesce(sum(held.tickets), 0)
    FROM (
        SELECT div(standing.accumulated, %(ticket_cost)s) AS tickets
        FROM (
            SELECT player_id, max(number) AS number FROM jackpots_contribution
            WHERE instance_id = %(instance)s AND accumulated IS NOT NULL
            GROUP BY player_id
        ) AS newest
        JOIN jackpots_contribution AS standing ON standing.player_id = newest.player_id
            AND standing.instance_id = %(instance)s AND standing.number = newest.number
    ) AS held
    WHERE held.tickets > 0
"""


@dataclass(frozen=True, slots=True)
class PotGrowth:
    """
    One pot's meter at the instants of its Growth, and what was contributed meanwhile.

    A value is null before the first hour that is known: of the time before that nothing
    is said.
    """

    name: str
    position: int
    values: tuple[Decimal | None, ...]
    contributed: Decimal


@dataclass(frozen=True, slots=True)
class Growth:
    """The meters of an instance at the end of every hour of a span."""

    instants: tuple[datetime, ...]
    pots: tuple[PotGrowth, ...]

    @property
    def is_known(self) -> bool:
        """Tell whether there is anything to draw."""
        return any(value is not None for pot in self.pots for value in pot.values)


def read_growth(*, instance: Instance, now: datetime, hours: int) -> Growth:
    """
    Return the meters of the instance at the end of each of the last ``hours`` hours.

    An hour in which nothing was folded has the value of the hour before. The hour that
    runs ends ``now``.
    """
    assert hours > 0, "a span has at least one hour"
    until = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    since = until - (hours - 1) * _HOUR
    known: dict[int, list[tuple[datetime, Decimal, Decimal]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, {"instance": instance.pk, "since": since, "until": until})
        for pot_id, hour, value, contributed in cursor.fetchall():
            known.setdefault(pot_id, []).append((hour, value, contributed))
    starts = [since + number * _HOUR for number in range(hours)]
    return Growth(
        instants=tuple(min(start + _HOUR, now) for start in starts),
        pots=tuple(
            PotGrowth(
                name=pot.name,
                position=pot.position,
                values=tuple(_carried(starts, known.get(pot.pk, []))),
                contributed=sum(
                    (each[2] for each in known.get(pot.pk, []) if each[0] >= since), Decimal(0)
                ),
            )
            for pot in instance.pots.order_by("position")
        ),
    )


def count_tickets(*, instance: Instance) -> tuple[int, int]:
    """Return how many players would stand in the raffle's draw now, and their tickets."""
    if instance.ticket_cost is None:
        return 0, 0
    with connection.cursor() as cursor:
        cursor.execute(_TICKETS, {"instance": instance.pk, "ticket_cost": instance.ticket_cost})
        players, tickets = cursor.fetchone() or (0, 0)
    return players, int(tickets)


def _carried(
    starts: list[datetime], known: list[tuple[datetime, Decimal, Decimal]]
) -> Iterator[Decimal | None]:
    """Yield for each hour the last value that is known at its end."""
    coming = iter(known)
    following = next(coming, None)
    value: Decimal | None = None
    for start in starts:
        while following is not None and following[0] <= start:
            value = following[1]
            following = next(coming, None)
        yield value
