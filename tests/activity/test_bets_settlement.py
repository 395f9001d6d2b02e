"""POST /v1/players/{player_id}/bets/{bet_id}/settlement"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from activity.enums import BetStatus
from activity.models import Bet
from core.models import AuditEntry
from games.models import Game
from operators.models import Operator
from players.models import Player
from promos.models import UserPromo
from tests.concurrency.sabotage import execute
from tests.conftest import Client
from tests.factories.activity import BetFactory, bet_by, claim_of, deposit_by, moved
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


def settle(client: Client, payout: Any = "25.00", *, bet_id: str = "r-1", key: Any = None) -> Any:
    path = f"/v1/players/ada/bets/{bet_id}/settlement"
    return client.post(path, {"payout": payout}, key=key)


def wagered(player: Player) -> Decimal:
    return Player.objects.get(pk=player.pk).total_wager_usd


def test_pays_the_payout(client: Client, player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1")

    response = settle(client)

    bet = response.json()["bet"]
    assert response.status_code == 200
    assert (bet["status"], bet["payout"]) == ("settled", "25.00")
    assert bet["settled_at"] > bet["placed_at"]
    assert moved(player) == [("DEPOSIT", 100), ("BET", -10), ("WIN", 25)]


def test_a_lost_bet_posts_no_win(client: Client, player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1")

    assert settle(client, "0").json()["bet"]["payout"] == "0.00"
    assert moved(player) == [("DEPOSIT", 100), ("BET", -10)]


def test_counts_the_wager_at_the_rate_at_which_it_was_placed(
    client: Client, player: Player, game: Game, operator: Operator
) -> None:
    bet_by(player, game, 10, bet_id="r-1")
    ExchangeRateFactory.create(
        operator=operator, usd_rate=Decimal(2), valid_from=timezone.now() - timedelta(seconds=1)
    )
    assert wagered(player) == 0

    settle(client)

    assert wagered(player) == Decimal("12.5")


def test_leaves_a_trail(client: Client, player: Player, game: Game) -> None:
    bet = bet_by(player, game, 10, bet_id="r-1").bet

    settle(client)

    entry = AuditEntry.objects.get(action="activity.bet.settled")
    assert entry.subject_id == str(bet.pk)
    assert entry.before == {"status": "placed", "payout": None}
    assert entry.after == {"status": "settled", "payout": "25.00"}


# Promos


def test_advances_the_rollover(client: Client, player: Player, game: Game) -> None:
    claim_of(player, game)
    deposit_by(player, 100)
    bet_by(player, game, 10, bet_id="r-1")

    promo = settle(client).json()["promo"]

    assert promo["progress"]["wagered_usd_amount"] == "12.50"


def test_a_bet_placed_before_the_activation_does_not_count(
    client: Client, player: Player, game: Game
) -> None:
    claim_of(player, game)
    bet_by(player, game, 10, bet_id="r-1")
    deposit_by(player, 100)

    promo = settle(client).json()["promo"]

    assert promo["progress"]["wagered_usd_amount"] == "0.00"
    # It is a wager of the player's all the same.
    assert wagered(player) == Decimal("12.5")


def test_a_bet_settled_after_the_deadline_does_not_count(
    client: Client, player: Player, game: Game
) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    claim = claim_of(player, game, now=long_ago, time_seconds_to_complete=3600)
    deposit_by(player, 100, now=long_ago)
    bet_by(player, game, 10, bet_id="r-1", now=long_ago + timedelta(minutes=1))

    body = settle(client, "0").json()

    assert body["promo"] is None
    stored = UserPromo.objects.get(pk=claim.pk)
    assert (stored.status, stored.wagered_usd_amount) == ("EXPIRED", 0)
    # The bonus of a hundred euros has gone back.
    assert held_by(player) == 190


# Repeats and refusals


def test_the_same_payout_again_changes_nothing(client: Client, player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1")

    first, again = settle(client), settle(client)

    assert (again.status_code, again.json()) == (200, first.json())
    assert held_by(player) == 115
    assert wagered(player) == Decimal("12.5")
    assert AuditEntry.objects.filter(action="activity.bet.settled").count() == 1


def test_the_same_key_is_a_replay(client: Client, player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1")

    first, again = (settle(client, key="one") for _ in range(2))

    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert held_by(player) == 115


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("payout", ["0", "24.99", "25.01"])
def test_another_payout_is_refused(
    payout: str, at_once: bool, client: Client, player: Player, game: Game
) -> None:
    bet_by(player, game, 10, bet_id="r-1", payout=Decimal(25) if at_once else None)
    if not at_once:
        settle(client)

    response = settle(client, payout)

    assert (response.status_code, response.json()["code"]) == (409, "BET_ALREADY_SETTLED")
    assert held_by(player) == 115


def test_a_bet_that_was_rolled_back_is_not_settled(
    client: Client, player: Player, game: Game
) -> None:
    bet_by(player, game, 10, bet_id="r-1")
    client.post("/v1/players/ada/bets/r-1/rollback")

    response = settle(client)

    assert (response.status_code, response.json()["code"]) == (409, "BET_ROLLED_BACK")
    assert held_by(player) == 100
    assert wagered(player) == 0


@pytest.mark.parametrize(
    "state",
    [{"is_blocked": True}, {"self_excluded_until": timezone.now() + timedelta(days=1)}],
    ids=["blocked", "excluded"],
)
def test_players_who_may_not_bet_any_more_are_paid(
    state: dict[str, Any], client: Client, player: Player, game: Game
) -> None:
    bet_by(player, game, 10, bet_id="r-1")
    Player.objects.filter(pk=player.pk).update(**state)

    assert settle(client).status_code == 200
    assert held_by(player) == 115


@pytest.mark.parametrize("payout", ["0.001", "-1", 1, None])
def test_a_malformed_payout_is_refused(
    payout: Any, client: Client, player: Player, game: Game
) -> None:
    bet_by(player, game, 10, bet_id="r-1")

    response = settle(client, payout)

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert Bet.objects.get().status == "placed"


def test_a_bet_of_another_player_does_not_exist(
    client: Client, player: Player, game: Game, operator: Operator
) -> None:
    other = PlayerFactory.create(operator=operator)
    deposit_by(other, 100)
    bet_by(other, game, 10, bet_id="r-1")

    response = settle(client)

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    assert Bet.objects.get().status == "placed"


def test_locks_the_bet_before_promo_and_grants(
    client: Client, player: Player, game: Game, record_locks: Any
) -> None:
    claim_of(player, game)
    deposit_by(player, 100)
    bet_by(player, game, 10, bet_id="r-1")

    with record_locks() as tables:
        settle(client)

    assert tables == ["activity_bet", "promos_userpromo", "bonuses_bonusgrant"]


# The machine


MOVES = {
    (BetStatus.PLACED, "settle"),
    (BetStatus.PLACED, "roll_back"),
    (BetStatus.SETTLED, "roll_back"),
}


@pytest.mark.parametrize("status", list(BetStatus))
@pytest.mark.parametrize("verb", ["settle", "roll_back"])
def test_no_move_but_those_listed(verb: str, status: BetStatus, now: Any) -> None:
    bet = BetFactory.build(status=status)
    payout = {"payout": Decimal(1)} if verb == "settle" else {}

    if (status, verb) in MOVES:
        getattr(bet, verb)(now=now, **payout)
        assert bet.status == {"settle": "settled", "roll_back": "rolled_back"}[verb]
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(bet, verb)(now=now, **payout)
        assert bet.status == status


def test_the_table_lists_every_move() -> None:
    declared = {
        (source, method.__name__)
        for method in (Bet.settle, Bet.roll_back)
        for source in method._django_fsm.transitions
    }

    assert declared == MOVES


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        (BetStatus.PLACED, {"status": "settled"}),
        (BetStatus.SETTLED, {"status": "placed"}),
        (BetStatus.ROLLED_BACK, {"status": "settled", "rolled_back_at": None}),
        (BetStatus.SETTLED, {"payout": None}),
        (BetStatus.PLACED, {"payout": Decimal(1)}),
        (BetStatus.SETTLED, {"payout": Decimal(-1)}),
        (BetStatus.PLACED, {"stake": Decimal(1)}),
        (BetStatus.PLACED, {"stake_usd": Decimal(1)}),
        (BetStatus.PLACED, {"bet_id": "other"}),
    ],
    ids=str,
)
def test_the_database_refuses_an_impossible_bet(status: BetStatus, changes: dict[str, Any]) -> None:
    bet = BetFactory.create(status=status)

    with pytest.raises(DatabaseError), transaction.atomic():
        Bet.objects.filter(pk=bet.pk).update(**changes)

    assert Bet.objects.get(pk=bet.pk).status == status


def test_a_payout_is_a_number() -> None:
    bet = BetFactory.create(status=BetStatus.SETTLED)

    with pytest.raises(DatabaseError), transaction.atomic():
        execute("UPDATE activity_bet SET payout = 'NaN' WHERE id = %s", [bet.pk])

    assert Bet.objects.get(pk=bet.pk).payout == 0


def test_a_bet_is_never_deleted() -> None:
    bet = BetFactory.create()

    with pytest.raises(DatabaseError), transaction.atomic():
        bet.delete()

    assert Bet.objects.filter(pk=bet.pk).exists()
