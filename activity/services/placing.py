"""The row of a new bet, with all that decides on it, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from django.db import DataError
from psycopg.errors import NumericValueOutOfRange

from activity.enums import BetStatus
from activity.models import Bet
from activity.services import refusals
from core.errors import InvalidRequest, ResourceBusy
from core.models import new_id
from core.prepared import prepared_cursor
from core.rows import RowOf
from games.models import Game
from games.selectors import get_game
from operators.models import Operator
from operators.selectors import get_usd_rate
from players.models import Player

# Everything that a bet is placed upon and the bet itself, in one round trip. The bet comes
# first of all that the transaction writes, so two requests of one bet meet here: the second
# waits for the first, and then finds its bet.
#
# The stake in US dollars is rounded half-even, as core.money.convert rounds.
_PLACE = """
    WITH player AS (
        SELECT * FROM players_player
        WHERE operator_id = %(operator)s AND reference = %(player)s
    ), game AS (
        SELECT * FROM games_game WHERE operator_id = %(operator)s AND slug = %(game)s
    ), rate AS (
        SELECT 1::numeric AS usd_rate, NULL::timestamptz AS valid_from
        WHERE %(currency)s = 'USD'
        UNION ALL (
            SELECT usd_rate, valid_from FROM operators_exchangerate
            WHERE operator_id = %(operator)s AND currency = %(currency)s
                AND currency <> 'USD' AND valid_from <= %(now)s
            ORDER BY valid_from DESC, id DESC
            LIMIT 1
        )
    ), priced AS (
        SELECT usd_rate, valid_from,
            %(stake)s::numeric * usd_rate AS exact,
            round(%(stake)s::numeric * usd_rate, 8) AS rounded
        FROM rate
    ), placed AS (
        INSERT INTO activity_bet (
            id, operator_id, player_id, bet_id, game_id, currency, stake, payout, usd_rate,
            usd_rate_at, stake_usd, status, is_settled_at_once, placed_at, settled_at
        )
        SELECT %(id)s, %(operator)s, player.id, %(bet_id)s, game.id, %(currency)s,
            %(stake)s::numeric, %(payout)s::numeric, usd_rate, valid_from,
            CASE
                WHEN rounded - exact = 0.000000005 AND mod(rounded * 100000000, 2) = 1
                THEN rounded - 0.00000001
                ELSE rounded
            END,
            %(status)s, %(payout)s::numeric IS NOT NULL, %(now)s, %(settled_at)s::timestamptz
        FROM player, game, priced
        WHERE player.currency = %(currency)s
        ON CONFLICT (operator_id, player_id, bet_id) DO NOTHING
        RETURNING *
    )
    SELECT {columns} FROM placed, player, game
"""


@dataclass(frozen=True, slots=True)
class NewBet:
    """What a caller wants to bet; with a payout it is placed and settled at once."""

    bet_id: str
    game_slug: str
    stake: Decimal
    currency: str
    payout: Decimal | None = None


def insert_bet(
    *, operator: Operator, player_reference: str, new: NewBet, now: datetime
) -> Bet | None:
    """
    Write the row of a new bet, at the rate of this instant; none if there can be none.

    Nothing has been decided then but that player, game and rate are there, that the wallet
    is in the bet's currency, and that the player has no bet of that id:
    explain_absence() says which of them failed.

    :raises InvalidRequest: if the stake in US dollars would be larger than can be stored.
    """
    try:
        cursor = prepared_cursor()
        cursor.execute(
            _SQL,
            {
                "id": new_id(),
                "operator": operator.pk,
                "player": player_reference,
                "game": new.game_slug,
                "bet_id": new.bet_id,
                "currency": new.currency,
                "stake": new.stake,
                "payout": new.payout,
                "status": BetStatus.PLACED if new.payout is None else BetStatus.SETTLED,
                "settled_at": None if new.payout is None else now,
                "now": now,
            },
        )
        row = cursor.fetchone()
    except DataError as error:
        if isinstance(error.__cause__, NumericValueOutOfRange):
            raise InvalidRequest("The stake is larger than can be stored.") from error
        raise
    return None if row is None else _bet_of(row)


def explain_absence(*, operator: Operator, player: Player, new: NewBet, now: datetime) -> NoReturn:
    """
    Raise the reason why insert_bet() placed nothing for a player without a bet of that id.

    :raises NotFound: if the operator has no such game.
    :raises WalletCurrencyDiffers: if the player's wallet is in another currency.
    :raises ExchangeRateMissing: if the currency has no rate in US dollars.
    :raises ResourceBusy: if none of these holds any longer.
    """
    get_game(operator=operator, slug=new.game_slug)
    refusals.refuse_other_currency(player=player, currency=new.currency)
    get_usd_rate(operator=operator, currency=new.currency, now=now)
    raise ResourceBusy("The bet could not be placed at this instant. Send it again.")


_BET, _PLAYER, _GAME = RowOf(Bet, "placed"), RowOf(Player, "player"), RowOf(Game, "game")
_SQL = _PLACE.format(columns=", ".join(row.columns for row in (_BET, _PLAYER, _GAME)))


def _bet_of(row: Sequence[Any]) -> Bet:
    values = iter(row)
    bet = _BET.take(values)
    bet.player, bet.game = _PLAYER.take(values), _GAME.take(values)
    return bet
