"""core.writes: several writes in one statement, all or none."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.errors import InvalidRequest
from core.writes import Writes, write_together
from games.models import Game
from players.models import Player
from tests.factories.games import GameFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db

RENAME = "UPDATE games_game SET name = %s WHERE id = %s"
VIP = "UPDATE players_player SET vip_level = %s WHERE id = ANY(%s)"


def test_all_are_one_statement_and_each_hears_how_many_rows_it_met() -> None:
    game, players, met = GameFactory.create(), PlayerFactory.create_batch(2), []

    with CaptureQueriesContext(connection) as queries, write_together() as writes:
        writes.add(RENAME, ["Renamed", game.pk], written=met.append)
        writes.add(VIP, [7, [player.pk for player in players]], written=met.append)
        writes.add(RENAME, ["Nobody", -1], written=met.append)

    assert (len(queries), met) == (1, [1, 2, 0])
    assert Game.objects.get(pk=game.pk).name == "Renamed"
    assert [each.vip_level for each in Player.objects.all()] == [7, 7]


def test_what_was_sent_is_not_sent_again() -> None:
    game = GameFactory.create()

    with CaptureQueriesContext(connection) as queries, write_together() as writes:
        writes.send()
        writes.add(RENAME, ["First", game.pk])
        writes.send()
        Game.objects.filter(pk=game.pk).update(name="Second")

    assert len(queries) == 2
    assert Game.objects.get(pk=game.pk).name == "Second"


def test_a_refusal_sends_nothing() -> None:
    game = GameFactory.create(name="Before")

    def refuse() -> None:
        with write_together() as writes:
            writes.add(RENAME, ["After", game.pk])
            raise InvalidRequest("No.")

    with pytest.raises(InvalidRequest):
        refuse()

    assert Game.objects.get(pk=game.pk).name == "Before"


@pytest.mark.parametrize(
    ("sql", "value", "refused"),
    [
        ("UPDATE players_player SET total_wager_usd = %s", Decimal(10) ** 30, InvalidRequest),
        ("UPDATE players_player SET vip_level = %s", -1, IntegrityError),
    ],
)
def test_one_that_fails_leaves_nothing_of_the_others(
    sql: str, value: Any, refused: type[Exception]
) -> None:
    game, player = GameFactory.create(name="Before"), PlayerFactory.create()
    writes = Writes()
    writes.add(RENAME, ["After", game.pk])
    writes.add(f"{sql} WHERE id = %s", [value, player.pk])

    with pytest.raises(refused), transaction.atomic():
        writes.send()

    assert Game.objects.get(pk=game.pk).name == "Before"
