"""POST /v1/players/{player_id}/bets/{bet_id}/rollback"""

from decimal import Decimal
from typing import Any

import pytest

from activity.models import Bet
from core.books import find_differences
from core.models import AuditEntry
from games.models import Game
from operators.models import Operator
from players.models import Player
from promos.models import UserPromo
from tests.conftest import Client
from tests.factories.activity import bet_by, claim_of, deposit_by, moved
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import held_by
from wallets.models import Transfer

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


def roll_back(client: Client, *, bet_id: str = "r-1", key: Any = None, body: Any = None) -> Any:
    return client.post(f"/v1/players/ada/bets/{bet_id}/rollback", body, key=key)


def wagered(player: Player) -> Decimal:
    return Player.objects.get(pk=player.pk).total_wager_usd


def test_gives_the_stake_of_a_placed_bet_back(client: Client, player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1")

    response = roll_back(client)

    bet = response.json()["bet"]
    assert response.status_code == 200
    assert (bet["status"], bet["payout"], bet["settled_at"]) == ("rolled_back", None, None)
    assert bet["rolled_back_at"] > bet["placed_at"]
    assert moved(player) == [("DEPOSIT", 100), ("BET", -10), ("ROLLBACK", 10)]
    assert wagered(player) == 0


def test_takes_the_payout_of_a_settled_bet_back(client: Client, player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1", payout=Decimal(25))

    bet = roll_back(client).json()["bet"]

    assert (bet["status"], bet["payout"]) == ("rolled_back", "25.00")
    assert moved(player)[-2:] == [("ROLLBACK", 10), ("ROLLBACK", -25)]
    assert held_by(player) == 100
    assert wagered(player) == 0


def test_a_lost_bet_gives_the_stake_back(client: Client, player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1", payout=Decimal(0))

    assert roll_back(client).status_code == 200
    assert (held_by(player), wagered(player)) == (100, 0)


def test_leaves_a_trail(client: Client, player: Player, game: Game) -> None:
    bet = bet_by(player, game, 10, bet_id="r-1", payout=Decimal(25)).bet

    roll_back(client)

    entry = AuditEntry.objects.get(action="activity.bet.rolled_back")
    assert entry.subject_id == str(bet.pk)
    assert entry.before == {"status": "settled", "payout": "25.00000000"}
    assert entry.after == {"status": "rolled_back", "payout": "25.00000000"}


def test_the_ledger_pairs_what_moved_with_its_reversal(
    client: Client, player: Player, game: Game
) -> None:
    bet_by(player, game, 10, bet_id="r-1", payout=Decimal(25))

    roll_back(client)

    pairs = Transfer.objects.filter(tag="ROLLBACK").values_list("reverses__tag", "amount")
    assert sorted(pairs) == [("BET", 10), ("WIN", 25)]


# With the stake back, what the player has decides: 90 + 25 - spent, and 10 more.


@pytest.mark.parametrize(
    ("spent", "status"), [("99.99", 200), ("100.00", 200), ("100.01", 409), ("115.00", 409)]
)
def test_up_to_what_the_player_still_has(
    spent: str, status: int, client: Client, player: Player, game: Game
) -> None:
    bet_by(player, game, 10, bet_id="r-1", payout=Decimal(25))
    bet_by(player, game, spent, bet_id="r-2")

    response = roll_back(client)

    assert response.status_code == status
    if status == 409:
        assert response.json()["code"] == "INSUFFICIENT_FUNDS"
        assert Bet.objects.get(bet_id="r-1").status == "settled"
        assert held_by(player) == 115 - Decimal(spent)
        assert wagered(player) == Decimal("12.5")
        assert not Transfer.objects.filter(tag="ROLLBACK").exists()
    else:
        assert held_by(player) == 100 - Decimal(spent)


# Promos


def test_takes_back_the_progress_of_an_open_promo(
    client: Client, player: Player, game: Game
) -> None:
    claim_of(player, game, wager_multiplier=Decimal("0.5"))
    deposit_by(player, 100)
    bet_by(player, game, 10, bet_id="r-1", payout=Decimal(0))
    bet_by(player, game, 4, bet_id="r-2", payout=Decimal(0))

    promo = roll_back(client).json()["promo"]

    assert promo["progress"]["wagered_usd_amount"] == "2.50"


def test_a_bet_that_was_only_placed_takes_no_progress(
    client: Client, player: Player, game: Game
) -> None:
    claim_of(player, game)
    deposit_by(player, 100)
    bet_by(player, game, 10, bet_id="r-1")
    bet_by(player, game, 4, bet_id="r-2", payout=Decimal(0))

    promo = roll_back(client).json()["promo"]

    assert promo["progress"]["wagered_usd_amount"] == "5.00"


def test_a_promo_that_is_complete_stays_complete(
    client: Client, player: Player, game: Game
) -> None:
    claim = claim_of(player, game, wager_multiplier_to_complete=1)
    deposit_by(player, 100)
    bet_by(player, game, 100, bet_id="r-1", payout=Decimal(0))
    assert UserPromo.objects.get(pk=claim.pk).status == "COMPLETED"

    body = roll_back(client).json()

    assert body["promo"] is None
    assert UserPromo.objects.get(pk=claim.pk).wagered_usd_amount == 125
    assert (held_by(player), wagered(player)) == (300, 0)


def test_a_bet_from_before_the_promo_takes_nothing_from_it(
    client: Client, player: Player, game: Game
) -> None:
    bet_by(player, game, 10, bet_id="r-1", payout=Decimal(0))
    claim_of(player, game)
    deposit_by(player, 100)
    bet_by(player, game, 4, bet_id="r-2", payout=Decimal(0))

    promo = roll_back(client).json()["promo"]

    assert promo["progress"]["wagered_usd_amount"] == "5.00"


# Repeats and refusals


def test_rolling_back_again_changes_nothing(client: Client, player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1", payout=Decimal(25))

    first, again = roll_back(client), roll_back(client)

    assert (again.status_code, again.json()) == (200, first.json())
    assert (held_by(player), wagered(player)) == (100, 0)
    assert AuditEntry.objects.filter(action="activity.bet.rolled_back").count() == 1


def test_the_same_key_is_a_replay(client: Client, player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1")

    first, again = (roll_back(client, key="one") for _ in range(2))

    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"


def test_blocked_players_get_their_stake_back(client: Client, player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1")
    Player.objects.filter(pk=player.pk).update(is_blocked=True)

    assert roll_back(client).status_code == 200
    assert held_by(player) == 100


def test_an_unknown_bet_is_not_found(client: Client, player: Player) -> None:
    response = roll_back(client, bet_id="nothing")

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


def test_a_body_is_not_read_past(client: Client, player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1")

    response = roll_back(client, body={"reason": "whatever"})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert Bet.objects.get().status == "placed"


def test_locks_the_bet_before_promo_and_grants(
    client: Client, player: Player, game: Game, record_locks: Any
) -> None:
    claim_of(player, game)
    deposit_by(player, 100)
    bet_by(player, game, 10, bet_id="r-1", payout=Decimal(0))

    with record_locks() as tables:
        roll_back(client)

    assert tables == ["activity_bet", "promos_userpromo", "bonuses_bonusgrant"]


def test_the_books_balance(
    client: Client, player: Player, game: Game, transactional_db: Any
) -> None:
    claim_of(player, game)
    deposit_by(player, 100)
    bet_by(player, game, 10, bet_id="r-1", payout=Decimal(25))
    bet_by(player, game, 10, bet_id="r-2")
    roll_back(client)
    roll_back(client, bet_id="r-2")

    assert find_differences() == []
