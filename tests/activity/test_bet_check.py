"""POST /v1/players/{player_id}/bets/check"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from activity.models import Bet
from core.models import IdempotencyRecord
from games.models import Game
from operators.models import Operator
from players.models import Player
from promos.models import UserPromo
from tests.conftest import Client
from tests.factories.activity import claim_of, deposit_by
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory
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


def check(client: Client, stake: Any = "10.00", *, player_id: str = "ada", **members: Any) -> Any:
    body = {"game": "sums", "stake": stake, "currency": "EUR", **members}
    return client.post(f"/v1/players/{player_id}/bets/check", body)


def reasons(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 200, response.json()
    return [(reason["code"], reason["source"]) for reason in response.json()["reasons"]]


def is_taken(client: Client, stake: str) -> bool:
    """Tell whether the bet itself is taken, which is what the check foretells."""
    body = {"bet_id": f"r-{stake}", "game": "sums", "stake": stake, "currency": "EUR"}
    return bool(client.post("/v1/players/ada/bets", body).status_code == 201)


def test_allows_and_moves_nothing(client: Client, player: Player, game: Game) -> None:
    response = check(client)

    assert response.status_code == 200
    assert response.json() == {"allowed": True, "reasons": []}
    assert held_by(player) == 100
    assert not Bet.objects.exists()
    assert not IdempotencyRecord.objects.exists()


def test_needs_no_key(client: Client, player: Player, game: Game) -> None:
    body = {"game": "sums", "stake": "10.00", "currency": "EUR"}

    response = super(Client, client).post("/v1/players/ada/bets/check", body, format="json")

    assert response.status_code == 200


@pytest.mark.parametrize("stake", ["99.99", "100.00", "100.01"])
def test_foretells_what_the_balance_covers(
    stake: str, client: Client, player: Player, game: Game
) -> None:
    response = check(client, stake)

    assert reasons(response) == ([("INSUFFICIENT_FUNDS", "wallet")] if stake == "100.01" else [])
    assert response.json()["allowed"] is is_taken(client, stake)


@pytest.mark.parametrize("stake", ["9.99", "10.00", "10.01"])
def test_foretells_the_most_that_may_be_staked(
    stake: str, client: Client, player: Player, game: Game
) -> None:
    claim = claim_of(player, game, max_bet=Decimal("12.50"))
    deposit_by(player, 100)

    response = check(client, stake)

    expected = [("BET_RESTRICTED_BY_PROMO_ACTIVE_CODE", f"promo:{claim.code}")]
    assert reasons(response) == (expected if stake == "10.01" else [])
    assert response.json()["allowed"] is is_taken(client, stake)


def test_foretells_a_game_that_is_not_on_the_list(
    client: Client, player: Player, game: Game
) -> None:
    claim = claim_of(player)
    deposit_by(player, 100)

    assert reasons(check(client)) == [
        ("BET_RESTRICTED_BY_PROMO_ACTIVE_CODE", f"promo:{claim.code}")
    ]
    assert not is_taken(client, "10.00")


def test_names_every_reason(client: Client, operator: Operator, game: Game) -> None:
    player = PlayerFactory.create(
        operator=operator,
        reference="ada",
        is_blocked=True,
        self_excluded_until=timezone.now() + timedelta(days=1),
    )
    claim = claim_of(player)
    UserPromo.objects.filter(pk=claim.pk).update(restrict_bets_while_claimed=True)

    response = check(client)

    assert response.json()["allowed"] is False
    assert reasons(response) == [
        ("PLAYER_BLOCKED", "player"),
        ("PLAYER_SELF_EXCLUDED", "player"),
        ("EXCHANGE_RATE_MISSING", "exchange_rate"),
        ("BET_RESTRICTED_BY_PROMO_ACTIVE_CODE", f"promo:{claim.code}"),
        ("INSUFFICIENT_FUNDS", "wallet"),
    ]
    assert all(reason["detail"] for reason in response.json()["reasons"])


def test_a_promo_whose_time_is_up_forbids_nothing(
    client: Client, player: Player, game: Game
) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    claim_of(player, now=long_ago, time_seconds_to_complete=3600)
    deposit_by(player, 100, now=long_ago)

    assert reasons(check(client)) == []


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"stake": "0"}, 400),
        ({"stake": "0.001"}, 400),
        ({"currency": "USD"}, 400),
        ({"bet_id": "r-1"}, 400),
        ({"game": "nothing"}, 404),
        ({"player_id": "nobody"}, 404),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_an_error(
    members: dict[str, Any], status: int, client: Client, player: Player, game: Game
) -> None:
    assert check(client, **members).status_code == status
