"""The catalogue of games."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from django.db import IntegrityError, transaction

from core import audit, locks
from core.actors import Actor
from games.models import Game
from operators.models import Operator


class GameDetails(TypedDict, total=False):
    """What may be left out of a game's description: the value then stays."""

    provider: str
    is_house: bool


@dataclass(frozen=True, slots=True)
class CataloguedGame:
    """The game, and whether this call added it."""

    game: Game
    is_new: bool


@transaction.atomic(durable=True)
def put_game(
    *,
    operator: Operator,
    slug: str,
    name: str,
    category: str,
    details: GameDetails,
    actor: Actor,
    now: datetime,
) -> CataloguedGame:
    """
    Add the game with that slug to the catalogue, or bring its description up to date.

    Members that ``details`` leaves out keep their value; a new game starts without a
    provider and is not a house game. A call that changes nothing leaves no trace.

    :raises ResourceBusy: if the game is in use; nothing was changed.
    """
    wanted = {"name": name, "category": category, **details}
    found = Game.objects.for_operator(operator).with_slug(slug)
    games = locks.lock_many(found)
    if not games:
        try:
            with transaction.atomic():
                game = _add(operator, slug, wanted, actor=actor, now=now)
                return CataloguedGame(game=game, is_new=True)
        except IntegrityError:
            # Another request added the game after we had looked.
            games = [locks.lock_one(found)]
    game = games[0]
    _change(game, wanted, operator=operator, actor=actor, now=now)
    return CataloguedGame(game=game, is_new=False)


def _add(
    operator: Operator, slug: str, wanted: dict[str, Any], *, actor: Actor, now: datetime
) -> Game:
    game = Game(operator=operator, slug=slug, created_at=now, **wanted)
    game.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="game.added",
        subject=game,
        after={"slug": slug, **wanted},
        now=now,
    )
    return game


def _change(
    game: Game, wanted: dict[str, Any], *, operator: Operator, actor: Actor, now: datetime
) -> None:
    after = {field: value for field, value in wanted.items() if getattr(game, field) != value}
    if not after:
        return
    before = {field: getattr(game, field) for field in after}
    for field, value in after.items():
        setattr(game, field, value)
    game.save(update_fields=list(after))
    audit.record_action(
        operator=operator,
        actor=actor,
        action="game.changed",
        subject=game,
        before=before,
        after=after,
        now=now,
    )
