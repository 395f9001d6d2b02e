"""core.rows: what SQL has read is what a queryset would have made of it."""

from typing import Any

import pytest
from django.db import connection

from bonuses.models import BonusGrant
from core.rows import RowOf
from games.models import Game
from players.models import Player
from tests.factories.bonuses import BonusGrantFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db


def read(sql: str, params: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return iter(cursor.fetchone() or ())


def test_every_column_is_as_the_queryset_reads_it() -> None:
    grant = BonusGrantFactory.create(game_contribution={"slots": "50"})
    row, player = RowOf(BonusGrant), RowOf(Player, "owner")

    values = read(
        f"SELECT {row.columns}, {player.columns} FROM bonuses_bonusgrant"
        " JOIN players_player AS owner ON owner.id = player_id"
        " WHERE bonuses_bonusgrant.id = %s",
        [grant.pk],
    )
    found, owner = row.take(values), player.take(values)

    stored = BonusGrant.objects.select_related("player").get(pk=grant.pk)
    fields = [field.attname for field in BonusGrant._meta.concrete_fields]
    assert [getattr(found, name) for name in fields] == [getattr(stored, name) for name in fields]
    assert (owner, owner.tags, list(values)) == (stored.player, stored.player.tags, [])
    assert not found._state.adding


def test_an_outer_join_may_find_nothing() -> None:
    player, game = RowOf(Player), RowOf(Game)
    made = PlayerFactory.create()

    def select() -> Any:
        return read(
            f"SELECT {game.columns}, {player.columns} FROM players_player"
            " LEFT JOIN games_game ON games_game.id = -1 WHERE players_player.id = %s",
            [made.pk],
        )

    values = select()
    assert (game.take_any(values), player.take(values)) == (None, made)
    with pytest.raises(AssertionError, match="no game"):
        game.take(select())
