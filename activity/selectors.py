"""Reads of what players did."""

from activity.models import Bet, BetQuerySet
from core.errors import NotFound
from operators.models import Operator
from players.models import Player


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
