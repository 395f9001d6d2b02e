"""How a player stands in the jackpots that run: what they contributed lately, their tickets."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from jackpots.models import Win
from players.models import Player

#: So many contributions of a player to an instance are summed up, the newest.
READ_MAX = 1_000
#: So many running instances are asked, the newest of the operator.
INSTANCES_MAX = 100

# Each instance is looked up by its player, newest first: nothing older is read than is asked
# for. A player's newest row of a raffle says all the tickets that they hold.
_STANDING = """
SELECT instance.id, instance.name, instance.currency, instance.kind = 'raffle',
       newest.tickets_total, coalesce(recent.accepted, 0), coalesce(recent.amount, 0),
       coalesce(recent.read, 0) = %(read_max)s, instance.closes_at
FROM (
    SELECT * FROM jackpots_instance
    WHERE operator_id = %(operator)s AND status IN ('active', 'closing')
    ORDER BY id DESC LIMIT %(instances_max)s
) AS instance
LEFT JOIN LATERAL (
    SELECT tickets_total FROM jackpots_contribution AS leg
    WHERE leg.player_id = %(player)s AND leg.instance_id = instance.id
      AND leg.tickets_total IS NOT NULL
    ORDER BY leg.number DESC LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE leg.status = 'accepted')
             - count(*) FILTER (WHERE leg.status = 'reversal') AS accepted,
           sum(CASE leg.status WHEN 'accepted' THEN leg.amount
                               WHEN 'reversal' THEN -leg.amount ELSE 0 END) AS amount,
           count(*) AS read
    FROM (
        SELECT status, amount, created_at FROM jackpots_contribution
        WHERE player_id = %(player)s AND instance_id = instance.id
        ORDER BY number DESC LIMIT %(read_max)s
    ) AS leg
    WHERE leg.created_at >= %(since)s
) AS recent ON true
WHERE newest.tickets_total IS NOT NULL OR recent.read > 0
ORDER BY instance.id DESC
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """
    How a player stands in one running instance.

    ``tickets`` is null where there are none to earn. What was rolled back is taken off count
    and amount. ``is_at_least`` says that there was more than is read.
    """

    instance_id: UUID
    name: str
    currency: str
    is_raffle: bool
    tickets: int | None
    count: int
    amount: Decimal
    is_at_least: bool
    closes_at: datetime | None


def list_standings(*, player: Player, since: datetime) -> list[Standing]:
    """
    Return the running instances that the player contributed to since, or holds tickets of.

    One statement, newest instance first.
    """
    asked: dict[str, Any] = {
        "operator": player.operator_id,
        "player": player.pk,
        "since": since,
        "read_max": READ_MAX,
        "instances_max": INSTANCES_MAX,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, asked)
        return [Standing(*row) for row in cursor.fetchall()]


def list_newest_win_ids(*, player: Player, until: datetime | None, count: int) -> list[UUID]:
    """Return the ids of the player's newest wins that were found up to ``until``."""
    wins = Win.objects.filter(player=player)
    if until is not None:
        wins = wins.filter(found_at__lte=until)
    return list(wins.order_by("-found_at").values_list("pk", flat=True)[:count])
