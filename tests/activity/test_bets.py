"""POST /v1/players/{player_id}/bets"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activity.models import Bet
from core import money
from games.models import Game
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.activity import bet_by, claim_of, deposit_by, moved
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import held_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def player(operator: Operator) -> Player:
    """A player with a hundred euros at 1.25 US dollars."""
    ExchangeRateFactory.create(operator=operator)
    player = PlayerFactory.create(operator=operator, reference="ada")
    deposit_by(player, 100)
    return player


@pytest.fixture
def game(operator: Operator) -> Game:
    return GameFactory.create(operator=operator, slug="sums")


def bet(client: Client, player: Player, stake: Any = "10.00", **members: Any) -> Any:
    key = members.pop("key", None)
    body = {"bet_id": "r-1", "game": "sums", "stake": stake, "currency": "EUR", **members}
    return client.post(f"/v1/players/{player.reference}/bets", body, key=key)


def is_refused(response: Any, status: int, code: str, player: Player, held: Any = 100) -> bool:
    """Tell whether the answer is that refusal, and there is no bet."""
    assert (response.status_code, response.json()["code"]) == (status, code)
    stored = Player.objects.get(pk=player.pk)
    return (
        held_by(player) == Decimal(held)
        and not Bet.objects.exists()
        and stored.total_wager_usd == 0
        and not {"BET", "WIN"} & {tag for tag, _amount in moved(player)}
    )


def test_places_a_bet(client: Client, player: Player, game: Game) -> None:
    response = bet(client, player)

    stored = Bet.objects.get()
    body = response.json()
    assert response.status_code == 201
    assert body == {
        "bet": {
            "id": str(stored.pk),
            "bet_id": "r-1",
            "player_id": "ada",
            "game": "sums",
            "status": "placed",
            "stake": "10.00",
            "payout": None,
            "bonus_stake": "0.00",
            "bonus_payout": "0.00",
            "currency": "EUR",
            "stake_usd": "12.50",
            "usd_rate": "1.25",
            "placed_at": body["bet"]["placed_at"],
            "settled_at": None,
            "rolled_back_at": None,
        },
        "promo": None,
        "bonuses": [],
    }
    assert moved(player) == [("DEPOSIT", 100), ("BET", -10)]
    # The wager counts when it is settled.
    assert Player.objects.get(pk=player.pk).total_wager_usd == 0


def test_with_a_payout_it_is_settled_at_once(client: Client, player: Player, game: Game) -> None:
    body = bet(client, player, payout="25.00").json()["bet"]

    assert (body["status"], body["payout"]) == ("settled", "25.00")
    assert body["settled_at"] == body["placed_at"]
    assert moved(player) == [("DEPOSIT", 100), ("BET", -10), ("WIN", 25)]
    assert Player.objects.get(pk=player.pk).total_wager_usd == Decimal("12.5")
    listed = client.get("/v1/players/ada/transactions").json()["results"]
    assert [(row["tag"], row["reference"]) for row in listed[:2]] == [
        ("WIN", "r-1"),
        ("BET", "r-1"),
    ]


def test_a_lost_bet_posts_no_win(client: Client, player: Player, game: Game) -> None:
    body = bet(client, player, payout="0").json()["bet"]

    assert (body["status"], body["payout"]) == ("settled", "0.00")
    assert moved(player) == [("DEPOSIT", 100), ("BET", -10)]
    assert Player.objects.get(pk=player.pk).total_wager_usd == Decimal("12.5")


@pytest.mark.parametrize(("stake", "status"), [("99.99", 201), ("100.00", 201), ("100.01", 409)])
def test_up_to_the_balance(
    stake: str, status: int, client: Client, player: Player, game: Game
) -> None:
    # The payout does not pay for the stake.
    response = bet(client, player, stake, payout="500.00")

    assert response.status_code == status
    if status == 409:
        assert is_refused(response, 409, "INSUFFICIENT_FUNDS", player)


# The same bet again


@pytest.mark.parametrize("payout", [None, "25.00"])
def test_the_same_bet_under_another_key_is_the_same_bet(
    payout: str | None, client: Client, player: Player, game: Game
) -> None:
    first, again = (bet(client, player, payout=payout) for _ in range(2))

    assert (again.status_code, again.json()) == (201, first.json())
    assert Bet.objects.count() == 1
    assert held_by(player) == (90 if payout is None else 115)


def test_the_same_key_is_a_replay(client: Client, player: Player, game: Game) -> None:
    first, again = (bet(client, player, key="one") for _ in range(2))

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert held_by(player) == 90


def test_the_same_bet_in_another_unicode_form_is_the_same_bet(
    client: Client, player: Player, game: Game
) -> None:
    bet(client, player, bet_id="caf\u00e9")

    assert bet(client, player, bet_id="cafe\u0301").status_code == 201
    assert Bet.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [{"stake": "10.01"}, {"game": "other"}, {"payout": "1.00"}, {"payout": "0"}],
    ids=str,
)
def test_the_same_id_with_other_content_is_refused(
    other: dict[str, str], client: Client, player: Player, game: Game, operator: Operator
) -> None:
    GameFactory.create(operator=operator, slug="other")
    bet(client, player)

    response = bet(client, player, **other)

    assert (response.status_code, response.json()["code"]) == (409, "BET_ALREADY_EXISTS")
    assert held_by(player) == 90
    assert Bet.objects.get().status == "placed"


def test_without_the_payout_it_came_with_it_is_another_bet(
    client: Client, player: Player, game: Game
) -> None:
    bet(client, player, payout="25.00")

    assert bet(client, player).json()["code"] == "BET_ALREADY_EXISTS"
    assert held_by(player) == 115


def test_a_bet_that_is_settled_by_now_is_returned_as_it_is(
    client: Client, player: Player, game: Game
) -> None:
    bet(client, player)
    client.post("/v1/players/ada/bets/r-1/settlement", {"payout": "25.00"})

    again = bet(client, player)

    assert (again.status_code, again.json()["bet"]["status"]) == (201, "settled")
    assert held_by(player) == 115


def test_the_replay_comes_before_every_rule(client: Client, player: Player, game: Game) -> None:
    bet(client, player, "100.00")
    Player.objects.filter(pk=player.pk).update(is_blocked=True)

    assert bet(client, player, "100.00").status_code == 201


def test_two_players_may_have_a_bet_of_one_id(
    client: Client, player: Player, game: Game, operator: Operator
) -> None:
    other = PlayerFactory.create(operator=operator, reference="bob")
    deposit_by(other, 100)

    assert bet(client, player).status_code == 201
    assert bet(client, other, "20.00").status_code == 201


# Refusals


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"is_blocked": True}, "PLAYER_BLOCKED"),
        ({"self_excluded_until": timezone.now() + timedelta(days=1)}, "PLAYER_SELF_EXCLUDED"),
    ],
)
def test_blocked_and_excluded_players_do_not_bet(
    state: dict[str, Any], code: str, client: Client, player: Player, game: Game
) -> None:
    Player.objects.filter(pk=player.pk).update(**state)

    assert is_refused(bet(client, player, payout="50.00"), 409, code, player)


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"stake": "0"}, "/stake"),
        ({"stake": "-1"}, "/stake"),
        ({"stake": 1}, "/stake"),
        ({"stake": "0.001"}, "/stake"),
        ({"payout": "0.001"}, "/payout"),
        ({"payout": "-1"}, "/payout"),
        ({"currency": "USD"}, "/currency"),
        ({"bet_id": "a/b"}, "/bet_id"),
        ({"bet_id": "x" * 65}, "/bet_id"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_a_malformed_bet_is_refused(
    members: dict[str, Any], pointer: str, client: Client, player: Player, game: Game
) -> None:
    response = bet(client, player, **members)

    assert is_refused(response, 400, "INVALID_REQUEST", player)
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_without_a_rate_nothing_is_bet(client: Client, game: Game, operator: Operator) -> None:
    player = PlayerFactory.create(operator=operator, currency="EUR")

    response = bet(client, player)

    assert (response.status_code, response.json()["code"]) == (409, "EXCHANGE_RATE_MISSING")
    assert not Bet.objects.exists()


def test_an_unknown_game_or_player_is_not_found(client: Client, player: Player, game: Game) -> None:
    GameFactory.create(operator=OperatorFactory.create(), slug="theirs")
    nobody = Player(reference="nobody")

    for response in (
        bet(client, player, game="theirs"),
        bet(client, player, game="NO GAME"),
        bet(client, nobody),
    ):
        assert is_refused(response, 404, "NOT_FOUND", player)


def test_more_than_can_be_stored_is_refused(client: Client, player: Player, game: Game) -> None:
    response = bet(client, player, "99999999999999999999")

    assert is_refused(response, 400, "INVALID_REQUEST", player)


# Cost, order, arithmetic


def test_a_settled_bet_takes_few_statements(client: Client, player: Player, game: Game) -> None:
    claim_of(player, game)
    deposit_by(player, 100)
    bet(client, player, bet_id="first", payout="0")

    with CaptureQueriesContext(connection) as queries:
        # The test's own transaction is around: a commit would be none of the statements.
        response = bet(client, player, payout="25.00")

    assert response.json()["promo"]["progress"]["wagered_usd_amount"] == "25.00"
    statements = [
        query["sql"]
        for query in queries
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE SAVEPOINT"))
    ]
    # The key, the bet, the promo, no grants, the money, what it brought, the answer.
    assert len(statements) == 7, "\n".join(statements)


def test_no_savepoints_are_spent(client: Client, player: Player, game: Game) -> None:
    claim_of(player, game)
    deposit_by(player, 100)
    bet(client, player, bet_id="first", payout="0")

    with CaptureQueriesContext(connection) as queries:
        bet(client, player, payout="25.00")

    savepoints = [query["sql"] for query in queries if query["sql"].startswith("SAVEPOINT")]
    # One is the outermost block, which is a transaction outside of tests.
    assert len(savepoints) == 1


def test_locks_promo_and_grants_before_the_money(
    player: Player, game: Game, record_locks: Any
) -> None:
    claim_of(player, game)
    deposit_by(player, 100)

    with record_locks() as tables:
        bet_by(player, game, 10, payout=Decimal(0))

    assert tables == ["promos_userpromo", "bonuses_bonusgrant"]


# Each example has rows of its own, so that the test's one database is no matter.
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    stake=st.decimals(min_value="0.00000001", max_value="999999", places=8),
    rate=st.decimals(min_value="0.000000000000000001", max_value="99999", places=18),
)
def test_the_database_rounds_as_we_do(stake: Decimal, rate: Decimal) -> None:
    operator = OperatorFactory.create()
    ExchangeRateFactory.create(operator=operator, currency="BTC", usd_rate=rate)
    game = GameFactory.create(operator=operator)
    player = PlayerFactory.create(operator=operator, currency="BTC")
    deposit_by(player, 1_000_000)

    placed = bet_by(player, game, stake).bet

    assert placed.stake_usd == money.convert(stake, rate)


@pytest.mark.parametrize(
    ("rate", "stake_usd"),
    [
        ("0.000000005", "0"),
        ("0.000000015", "0.00000002"),
        ("0.000000025", "0.00000002"),
        ("0.0000000250000001", "0.00000003"),
    ],
)
def test_ties_go_to_the_even_neighbour(rate: str, stake_usd: str, operator: Operator) -> None:
    ExchangeRateFactory.create(operator=operator, currency="JPY", usd_rate=Decimal(rate))
    player = PlayerFactory.create(operator=operator, currency="JPY")
    deposit_by(player, 10)

    placed = bet_by(player, GameFactory.create(operator=operator), 1).bet

    assert placed.stake_usd == Decimal(stake_usd) == money.convert(Decimal(1), Decimal(rate))
