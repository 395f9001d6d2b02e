"""Reads of the catalogue."""

from core.errors import NotFound
from games.models import Game
from operators.models import Operator


def get_game(*, operator: Operator, slug: str) -> Game:
    """
    Return the operator's game with that slug.

    :raises NotFound: if there is none.
    """
    game = Game.objects.for_operator(operator).with_slug(slug).first()
    if game is None:
        raise NotFound("There is no such game.")
    return game
