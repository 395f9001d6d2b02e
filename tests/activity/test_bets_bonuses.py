"""POST /v1/players/{player_id}/bets with bonuses: who pays, who is paid, what counts."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from activity.models import Bet
from bonuses.models import BetFunding, BonusGrant, WagerEvent
from core.books import find_differences
from tests.bonuses.playing import Play, differences, funding_of, stored
from tests.conftest import Client
from tests.factories.activity import claim_of, deposit_by, moved
from tests.factories.bonuses import BonusGrantFactory
from tests.factories.games import GameFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def play() -> Any:
    """A player in euros; the doors read the clock, so it is now."""
    play = Play(now=timezone.now())
    yield play
    assert differences() == []


@pytest.fixture
def client(play: Play, client_of: Any) -> Client:
    found: Client = client_of(play.operator)
    return found


def bet(client: Client, stake: Any, game: str = "slots-1", **members: Any) -> Any:
    body = {"bet_id": "r-1", "game": game, "stake": stake, "currency": "EUR", **members}
    return client.post("/v1/players/ada/bets", body)


def check(client: Client, stake: str, game: str = "slots-1") -> Any:
    body = {"game": game, "stake": stake, "currency": "EUR"}
    return client.post("/v1/players/ada/bets/check", body).json()


# What it answers


def test_says_what_the_bet_brought_each_bonus(client: Client, play: Play) -> None:
    play.has("100.00")
    first, second = play.granted("10.00"), play.granted("20.00", game_contribution={"slots": 50})

    body = bet(client, "7.00", payout="0").json()

    assert body["bonuses"] == [
        {
            "grant_id": str(first.pk),
            "status": "active",
            "weighted_amount": "7.00",
            "wagering_progress": "7.00",
            "wagering_required": "300.00",
        },
        {
            "grant_id": str(second.pk),
            "status": "active",
            "weighted_amount": "3.50",
            "wagering_progress": "3.50",
            "wagering_required": "600.00",
        },
    ]


def test_a_bet_that_is_only_placed_brings_nothing(client: Client, play: Play) -> None:
    grant = play.granted("10.00")

    [bonus] = bet(client, "7.00").json()["bonuses"]

    assert (bonus["grant_id"], bonus["weighted_amount"]) == (str(grant.pk), "0.00")
    assert bonus["wagering_progress"] == "0.00"


def test_the_same_bet_again_says_what_it_has_brought(client: Client, play: Play) -> None:
    play.granted("10.00")
    first = bet(client, "7.00", payout="1.00").json()

    again = bet(client, "7.00", payout="1.00")

    assert (again.status_code, again.json()) == (201, first)
    assert WagerEvent.objects.count() == 1


def test_the_bet_says_what_bonus_money_paid_and_got(client: Client, play: Play) -> None:
    play.has("6.00")
    play.granted("10.00")

    body = bet(client, "8.00", payout="4.00").json()["bet"]

    assert (body["stake"], body["bonus_stake"]) == ("8.00", "2.00")
    assert (body["payout"], body["bonus_payout"]) == ("4.00", "1.00")


# Who pays


def test_real_money_pays_first_and_then_the_oldest_bonus(client: Client, play: Play) -> None:
    play.has("5.00")
    first, second = play.granted("10.00"), play.granted("10.00")

    assert bet(client, "17.00").status_code == 201

    assert (play.main, play.in_bonus(first), play.in_bonus(second)) == (0, 0, 8)
    assert moved(play.player)[-1] == ("BET", -5)
    assert play.moves(first)[-1] == ("stake", 10)
    assert play.moves(second)[-1] == ("stake", 2)
    assert list(BetFunding.objects.order_by("grant_id").values_list("stake_amount", flat=True)) == [
        10,
        2,
    ]
    assert Bet.objects.get().bonus_stake == 12


@pytest.mark.parametrize(("stake", "status"), [("14.99", 201), ("15.00", 201), ("15.01", 409)])
def test_up_to_all_there_is(stake: str, status: int, client: Client, play: Play) -> None:
    play.has("5.00")
    grant = play.granted("10.00")
    foretold = check(client, stake)

    response = bet(client, stake)

    assert response.status_code == status
    assert foretold["allowed"] is (status == 201)
    if status == 409:
        assert response.json()["code"] == "INSUFFICIENT_FUNDS"
        assert [reason["code"] for reason in foretold["reasons"]] == ["INSUFFICIENT_FUNDS"]
        assert (play.main, play.in_bonus(grant)) == (5, 10)
        assert not Bet.objects.exists()
        assert not BetFunding.objects.exists()


def test_a_bonus_pays_on_its_games_only(client: Client, play: Play) -> None:
    GameFactory.create(operator=play.operator, slug="spins")
    spins = play.granted("10.00", eligible_games=["spins"])
    plain = play.granted("3.00")

    assert check(client, "3.01")["allowed"] is False
    assert bet(client, "3.01").status_code == 409
    assert check(client, "3.00")["allowed"] is True
    assert bet(client, "3.00").status_code == 201
    assert (play.in_bonus(spins), play.in_bonus(plain)) == (10, 0)
    assert bet(client, "10.00", game="spins", bet_id="r-2").status_code == 201
    assert play.in_bonus(spins) == 0


def test_a_platforms_bonus_pays_nothing_and_is_not_advanced(client: Client, play: Play) -> None:
    play.has("5.00")
    grant = BonusGrantFactory.create(
        external=True,
        asked_player=play.player,
        asked_template__operator=play.operator,
        issuance__created_at=play.now,
        activated_at=play.now,
    )

    assert check(client, "5.01")["allowed"] is False
    assert bet(client, "5.01").status_code == 409
    body = bet(client, "5.00", payout="0").json()

    assert body["bonuses"] == []
    assert stored(grant).wagering_progress == 0


def test_bonus_money_can_only_be_bet(client: Client, play: Play) -> None:
    play.granted("10.00")
    body = {"amount": "0.01", "currency": "EUR"}

    for path, extra in (
        ("withdrawals", {}),
        ("vault/deposits", {}),
        ("tips", {"to_player_id": "ada"}),
    ):
        response = client.post(f"/v1/players/ada/{path}", {**body, **extra})
        assert response.status_code in (400, 409), path

    assert play.main == 0


# Who is paid


def test_a_payout_is_split_over_who_paid(client: Client, play: Play) -> None:
    play.has("1.00")
    first, second = play.granted("1.00"), play.granted("5.00")

    bet(client, "3.00", payout="10.00")

    # A third each: the cent that is left over goes to the first of the three.
    assert (play.main, play.in_bonus(first), play.in_bonus(second)) == (
        Decimal("3.34"),
        Decimal("3.33"),
        Decimal("7.33"),
    )
    assert Bet.objects.get().bonus_payout == Decimal("6.66")


def test_a_settlement_pays_those_who_had_paid(client: Client, play: Play) -> None:
    grant = play.granted("10.00")
    bet(client, "4.00")
    play.has("100.00")

    client.post("/v1/players/ada/bets/r-1/settlement", {"payout": "9.00"})

    assert (play.main, play.in_bonus(grant)) == (100, 15)
    funding = funding_of(grant)
    assert (funding.stake_amount, funding.payout_share, funding.paid_amount) == (4, 9, 9)


def test_a_lost_bet_settles_its_funding(client: Client, play: Play) -> None:
    grant = play.granted("10.00")
    bet(client, "4.00", payout="0")

    funding = funding_of(grant)

    assert (funding.payout_share, funding.paid_amount, funding.excess_amount) == (0, 0, 0)
    assert (play.in_bonus(grant), Bet.objects.get().bonus_payout) == (6, 0)


# Max bet


@pytest.mark.parametrize(("stake", "status"), [("4.99", "active"), ("5.00", "active")])
def test_a_stake_up_to_the_maximum_is_fine(
    stake: str, status: str, client: Client, play: Play
) -> None:
    grant = play.granted("10.00", max_bet=Decimal(5))

    assert check(client, stake) == {"allowed": True, "reasons": []}
    [bonus] = bet(client, stake, payout="0").json()["bonuses"]

    assert (bonus["status"], bonus["wagering_progress"]) == (status, stake)
    assert stored(grant).status == status


def test_one_cent_above_the_maximum_forfeits_and_the_bet_stands(client: Client, play: Play) -> None:
    play.has("1.00")
    grant, other = play.granted("10.00", max_bet=Decimal(5)), play.granted("3.00")
    foretold = check(client, "5.01")

    body = bet(client, "5.01", payout="50.10").json()

    assert foretold["allowed"] is True
    assert [(reason["code"], reason["source"]) for reason in foretold["reasons"]] == [
        ("BONUS_WOULD_BE_FORFEITED", f"bonus:{grant.pk}")
    ]
    assert body["bet"]["status"] == "settled"
    assert [(bonus["status"], bonus["weighted_amount"]) for bonus in body["bonuses"]] == [
        ("forfeited", "0.00"),
        ("active", "5.01"),
    ]
    # The stake was funded first; what was left, and the share of the payout, are the house's.
    assert play.moves(grant) == [
        ("credit", 10),
        ("stake", Decimal("4.01")),
        ("clawback", Decimal("5.99")),
    ]
    assert (play.main, play.in_bonus(grant), play.in_bonus(other)) == (10, 0, 3)
    assert "5.01 EUR" in stored(grant).outcome_reason
    assert funding_of(grant).payout_share == Decimal("40.10")
    assert funding_of(grant).paid_amount == 0


def test_real_money_above_the_maximum_forfeits_too(client: Client, play: Play) -> None:
    play.has("100.00")
    grant = play.granted("10.00", max_bet=Decimal(5))

    [bonus] = bet(client, "6.00").json()["bonuses"]

    assert bonus["status"] == "forfeited"
    assert (play.main, play.in_bonus(grant)) == (94, 0)
    assert not BetFunding.objects.exists()


def test_the_check_names_every_reason(client: Client, play: Play) -> None:
    grant = play.granted("10.00", max_bet=Decimal(5))

    foretold = check(client, "11.00")

    assert foretold["allowed"] is False
    assert [reason["code"] for reason in foretold["reasons"]] == [
        "INSUFFICIENT_FUNDS",
        "BONUS_WOULD_BE_FORFEITED",
    ]
    assert stored(grant).status == "active"


# Promos and bonuses together


def test_one_bet_advances_promo_and_bonus(client: Client, play: Play) -> None:
    claim_of(play.player, play.slots)
    deposit_by(play.player, 100)
    grant = play.granted("10.00")

    body = bet(client, "20.00", payout="0").json()

    assert body["promo"]["progress"]["wagered_usd_amount"] == "20.00"
    assert stored(grant).wagering_progress == 20


def test_a_bet_that_a_promo_refuses_forfeits_nothing(client: Client, play: Play) -> None:
    claim_of(play.player)
    deposit_by(play.player, 100)
    grant = play.granted("10.00", max_bet=Decimal(5))

    assert bet(client, "6.00").status_code == 409

    assert stored(grant).status == "active"


# The wallet


def test_the_wallet_shows_bonus_money_apart(client: Client, play: Play) -> None:
    play.has("5.00")
    first, second = play.granted("10.00"), play.granted("20.00")
    bet(client, "6.00")
    play.end(second, "cancel")

    wallet = client.get("/v1/players/ada/wallet").json()

    assert wallet["balances"] == [{"currency": "EUR", "main": "0.00", "vault": "0.00"}]
    assert wallet["bonus_balances"] == [
        {"grant_id": str(first.pk), "currency": "EUR", "amount": "9.00"}
    ]


def test_the_statement_is_of_the_main_account(client: Client, play: Play) -> None:
    play.has("5.00")
    play.granted("10.00")
    bet(client, "6.00")

    page = client.get("/v1/players/ada/transactions").json()

    assert [row["tag"] for row in page["results"]] == ["BET", "DEPOSIT"]


# The books


def test_another_players_bonus_pays_nothing(client: Client, play: Play) -> None:
    other = Play(now=play.now)
    grant = other.granted("10.00")

    assert bet(client, "1.00").status_code == 409
    assert other.in_bonus(grant) == 10


def test_the_books_balance(client: Client, play: Play, transactional_db: Any) -> None:
    play.has("5.00")
    grant = play.granted("10.00", wagering_multiplier=Decimal(1))
    bet(client, "7.00", payout="20.00")
    bet(client, "7.00", bet_id="r-2", payout="1.00")

    assert BonusGrant.objects.get(pk=grant.pk).status == "completed"
    assert find_differences() == []
