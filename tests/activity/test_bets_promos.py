"""POST /v1/players/{player_id}/bets, by a player with a promo: what it forbids, what counts."""

from decimal import Decimal
from typing import Any

import pytest

from activity.models import Bet
from games.models import Game
from operators.models import Operator
from players.models import Player
from promos.models import UserPromo
from tests.conftest import Client
from tests.factories.activity import claim_of, deposit_by, moved
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


def test_advances_the_rollover_of_an_active_promo(
    client: Client, player: Player, game: Game
) -> None:
    claim_of(player, game, wager_multiplier=Decimal("0.5"))
    deposit_by(player, 100)

    promo = bet(client, player, payout="0").json()["promo"]

    assert promo["status"] == "ACTIVE"
    # Ten euros are 12.50 US dollars, and half of that counts.
    assert promo["progress"]["wagered_usd_amount"] == "6.25"


def test_a_bet_that_is_only_placed_advances_nothing(
    client: Client, player: Player, game: Game
) -> None:
    claim_of(player, game)
    deposit_by(player, 100)

    promo = bet(client, player).json()["promo"]

    assert promo["progress"]["wagered_usd_amount"] == "0.00"


@pytest.mark.parametrize(
    ("stake", "status"), [("99.99", "ACTIVE"), ("100.00", "COMPLETED"), ("100.01", "COMPLETED")]
)
def test_the_bet_that_reaches_the_target_completes_the_promo(
    stake: str, status: str, client: Client, player: Player, game: Game
) -> None:
    # A bonus of 125 US dollars, to be wagered once.
    claim_of(player, game, wager_multiplier_to_complete=1)
    deposit_by(player, 100)

    assert bet(client, player, stake, payout="0").json()["promo"]["status"] == status


def test_a_game_that_is_not_on_the_list_is_refused(
    client: Client, player: Player, game: Game
) -> None:
    claim = claim_of(player)
    deposit_by(player, 100)

    response = bet(client, player, payout="50.00")

    assert is_refused(response, 409, "BET_RESTRICTED_BY_PROMO_ACTIVE_CODE", player, held=300)
    assert UserPromo.objects.get(pk=claim.pk).wagered_usd_amount == 0


# The most is 12.50 US dollars: ten euros.
@pytest.mark.parametrize(("stake", "status"), [("9.99", 201), ("10.00", 201), ("10.01", 409)])
def test_up_to_the_most_that_may_be_staked(
    stake: str, status: int, client: Client, player: Player, game: Game
) -> None:
    claim_of(player, game, max_bet=Decimal("12.50"))
    deposit_by(player, 100)

    response = bet(client, player, stake)

    assert response.status_code == status
    if status == 409:
        assert is_refused(response, 409, "BET_RESTRICTED_BY_PROMO_ACTIVE_CODE", player, held=300)


def test_the_operators_own_games_are_always_allowed(
    client: Client, player: Player, operator: Operator
) -> None:
    GameFactory.create(operator=operator, slug="sums", is_house=True)
    claim_of(player)
    deposit_by(player, 100)

    promo = bet(client, player, payout="0").json()["promo"]

    assert promo["progress"]["wagered_usd_amount"] == "0.00"


def test_a_claim_that_waits_for_its_deposit_restricts_nothing(
    client: Client, player: Player, game: Game
) -> None:
    claim_of(player)

    assert bet(client, player).json()["promo"]["status"] == "CLAIMED"
