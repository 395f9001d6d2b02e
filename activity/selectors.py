"""Reads of what players did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from activity.models import Bet, BetQuerySet
from core.errors import NotFound
from operators.models import Operator
from players.models import Player

#: So many bets are summed up at a time, the newest of a player: a day or many of them.
BETS_READ_MAX = 5_000

# Walks the index bets_of_player from where it is asked to begin, and no further than it must.
_DAYS_OF_BETS = """
WITH walked AS (
    SELECT id, placed_at, currency, stake, bonus_stake, status,
           CASE WHEN status = 'settled' THEN payout END AS paid
    FROM activity_bet
    WHERE operator_id = %(operator)s AND player_id = %(player)s
      AND placed_at <= %(until)s AND (placed_at, id) < (%(before)s, %(before_id)s)
    ORDER BY placed_at DESC, id DESC LIMIT %(count)s
)
SELECT (placed_at AT TIME ZONE 'UTC')::date AS day, currency, count(*),
       coalesce(sum(stake) FILTER (WHERE status <> 'rolled_back'), 0), coalesce(sum(paid), 0),
       coalesce(sum(bonus_stake) FILTER (WHERE status <> 'rolled_back'), 0),
       count(*) FILTER (WHERE status = 'placed'),
       count(*) FILTER (WHERE status = 'rolled_back'),
       min(placed_at), max(placed_at),
       (array_agg(id ORDER BY placed_at, id))[1]
FROM walked GROUP BY day, currency ORDER BY max(placed_at) DESC
"""

# A bet counts when it is decided: one that came with its payout at the instant of placing, any
# other when it was settled. What is undone later counts against what it was. One statement, so
# that all parts see the same bets; and each part on its own, so that it goes by its own index,
# player by player.
_SETTLED_LOSSES = """
SELECT asked.player_id, coalesce((
    SELECT sum(bet.stake - bet.bonus_stake - bet.payout + bet.bonus_payout)
    FROM activity_bet AS bet
    WHERE bet.operator_id = %(operator)s AND bet.player_id = asked.player_id
      AND bet.currency = asked.currency AND bet.is_settled_at_once
      AND bet.placed_at >= asked.since AND bet.placed_at < %(until)s
), 0) + coalesce((
    SELECT sum(bet.stake - bet.bonus_stake - bet.payout + bet.bonus_payout)
    FROM activity_bet AS bet
    WHERE bet.operator_id = %(operator)s AND bet.player_id = asked.player_id
      AND bet.currency = asked.currency AND NOT bet.is_settled_at_once
      AND bet.settled_at >= asked.since AND bet.settled_at < %(until)s
), 0) - coalesce((
    SELECT sum(bet.stake - bet.bonus_stake - bet.payout + bet.bonus_payout)
    FROM activity_bet AS bet
    WHERE bet.operator_id = %(operator)s AND bet.player_id = asked.player_id
      AND bet.currency = asked.currency AND bet.settled_at IS NOT NULL
      AND bet.rolled_back_at >= asked.since AND bet.rolled_back_at < %(until)s
), 0)
FROM unnest(%(players)s::bigint[], %(currencies)s::text[], %(since)s::timestamptz[])
    AS asked (player_id, currency, since)
"""
_LATEST = datetime.max.replace(tzinfo=UTC)
_LAST_ID = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class BetsOfDay:
    """
    What a player bet on one day (UTC), or on the part of it that was read, in one currency.

    Bets that were rolled back are counted in ``rolled_back_count`` and in no amount.
    """

    day: date
    currency: str
    count: int
    staked: Decimal
    paid: Decimal
    bonus_staked: Decimal
    open_count: int
    rolled_back_count: int
    first_at: datetime
    last_at: datetime
    first_id: UUID


@dataclass(frozen=True, slots=True)
class DaysOfBets:
    """A player's newest bets by day, newest first; and whether older ones were left unread."""

    days: list[BetsOfDay]
    goes_on: bool


def list_bets_of_id(*, player: Player, bet_id: str) -> BetQuerySet:
    """Return the player's bet of that id, or none; as a queryset, so that it can be locked."""
    bets = Bet.objects.filter(operator_id=player.operator_id, player=player, bet_id=bet_id)
    return bets.select_related("player", "game")


def get_bet(*, operator: Operator, player: Player, bet_id: str) -> Bet:
    """
    Return the player's bet of that id.

    :raises NotFound: if the player has none.
    """
    bet = list_bets_of_id(player=player, bet_id=bet_id).for_operator(operator).first()
    if bet is None:
        raise NotFound("The player has no such bet.")
    return bet


def sum_settled_losses(
    *, operator: Operator, since_of: Mapping[tuple[int, str], datetime], until: datetime
) -> dict[int, Decimal]:
    """
    Return what each player lost with real money on bets decided from then to before ``until``.

    ``since_of`` says from when on, by the player's primary key and currency. Stakes less
    payouts, without the parts of bonuses; below zero if the player won. An open bet counts
    when it is settled, and one that is rolled back after that counts against, when it is: so
    windows that follow each other add up. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLED_LOSSES,
            {
                "operator": operator.pk,
                "players": [player_id for player_id, _currency in since_of],
                "currencies": [currency for _player_id, currency in since_of],
                "since": list(since_of.values()),
                "until": until,
            },
        )
        return dict(cursor.fetchall())


def sum_bets_by_day(
    *,
    player: Player,
    until: datetime | None = None,
    before: tuple[datetime, UUID] | None = None,
) -> DaysOfBets:
    """
    Return what the player bet day by day: the newest BETS_READ_MAX bets, in one statement.

    Of those placed up to ``until``, and before the bet that ``before`` names by its instant
    and id. Where that many were read, the oldest day may not be complete: ask again from it.
    """
    before_at, before_id = before or (_LATEST, _LAST_ID)
    asked: dict[str, Any] = {
        "operator": player.operator_id,
        "player": player.pk,
        "until": until or _LATEST,
        "before": before_at,
        "before_id": before_id,
        "count": BETS_READ_MAX,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DAYS_OF_BETS, asked)
        days = [BetsOfDay(*row) for row in cursor.fetchall()]
    return DaysOfBets(days, sum(each.count for each in days) == BETS_READ_MAX)
