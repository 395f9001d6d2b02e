"""
What a player has deposited and wagered in all, in US dollars.

Each event adds its own amount at the rate of its own instant, in one statement that
neither reads nor writes anything else, so that events at once all count. Called last in a
transaction: players' rows are the lowest that are locked.
"""

from decimal import Decimal

from django.db import DataError, transaction
from django.db.models import F
from psycopg.errors import NumericValueOutOfRange

from core.errors import InvalidRequest, NotFound
from core.writes import Writes
from operators.models import Operator
from players.models import Player


@transaction.atomic(savepoint=False)
def add_deposit(*, operator: Operator, player_id: int, usd_amount: Decimal) -> None:
    """
    Count a settled deposit. Joins the caller's transaction.

    :raises NotFound: if the operator has no such player.
    :raises InvalidRequest: if the total would be larger than can be stored.
    """
    assert usd_amount >= 0, f"deposit of {usd_amount}"
    _change(
        operator,
        player_id,
        total_deposit_usd=F("total_deposit_usd") + usd_amount,
        deposit_count=F("deposit_count") + 1,
    )


def add_wager(*, operator: Operator, player_id: int, usd_amount: Decimal, writes: Writes) -> None:
    """
    Count the stake of a settled bet, with what else ``writes`` is to write.

    Sending them raises NotFound if the operator has no such player, and InvalidRequest if
    the total would be larger than can be stored.
    """
    assert usd_amount >= 0, f"wager of {usd_amount}"
    writes.add(
        "UPDATE players_player SET total_wager_usd = total_wager_usd + %s"
        " WHERE operator_id = %s AND id = %s",
        [usd_amount, operator.pk, player_id],
        written=_require_player,
    )


@transaction.atomic(savepoint=False)
def take_back_wager(*, operator: Operator, player_id: int, usd_amount: Decimal) -> None:
    """
    Stop counting the stake of a bet that was rolled back. Joins the caller's transaction.

    :raises NotFound: if the operator has no such player.
    """
    assert usd_amount >= 0, f"wager of {usd_amount}"
    _change(operator, player_id, total_wager_usd=F("total_wager_usd") - usd_amount)


def _change(operator: Operator, player_id: int, **changes: object) -> None:
    player = Player.objects.for_operator(operator).filter(pk=player_id)
    try:
        changed_count = player.update(**changes)
    except DataError as error:
        if isinstance(error.__cause__, NumericValueOutOfRange):
            raise InvalidRequest("The total would be larger than can be stored.") from error
        raise
    _require_player(changed_count)


def _require_player(changed_count: int) -> None:
    if not changed_count:
        raise NotFound("There is no such player.")
