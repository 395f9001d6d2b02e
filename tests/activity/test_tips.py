"""POST /v1/players/{player_id}/tips"""

from decimal import Decimal
from typing import Any

import pytest

from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.activity import claim_of, deposit_by, moved
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import held_by
from wallets.models import Transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def player(operator: Operator) -> Player:
    """A player with a hundred euros."""
    ExchangeRateFactory.create(operator=operator)
    player = PlayerFactory.create(operator=operator, reference="ada")
    deposit_by(player, 100)
    return player


@pytest.fixture
def friend(operator: Operator) -> Player:
    return PlayerFactory.create(operator=operator, reference="bob")


def tip(client: Client, player: Player, amount: Any = "40.00", **members: Any) -> Any:
    key = members.pop("key", None)
    body = {"to_player_id": "bob", "amount": amount, "currency": "EUR", **members}
    return client.post(f"/v1/players/{player.reference}/tips", body, key=key)


def is_refused(response: Any, status: int, code: str) -> bool:
    """Tell whether the answer is that refusal, and nobody was tipped."""
    assert (response.status_code, response.json()["code"]) == (status, code)
    return (
        not Transfer.objects.filter(tag="TIP").exists()
        and not AuditEntry.objects.filter(action="activity.tip.sent").exists()
    )


def test_moves_money_from_one_player_to_the_other(
    client: Client, player: Player, friend: Player
) -> None:
    response = tip(client, player)

    transaction = response.json()["transaction"]
    assert response.status_code == 201
    assert (transaction["type"], transaction["tag"]) == ("WITHDRAW", "TIP")
    assert (transaction["amount"], transaction["balance_after"]) == ("40.00", "60.00")
    assert (held_by(player), held_by(friend)) == (60, 40)
    assert AuditEntry.objects.filter(action="activity.tip.sent").count() == 1


@pytest.mark.parametrize(("amount", "status"), [("100.00", 201), ("100.01", 409)])
def test_up_to_the_balance(
    amount: str, status: int, client: Client, player: Player, friend: Player
) -> None:
    response = tip(client, player, amount)

    assert response.status_code == status
    if status == 409:
        assert is_refused(response, 409, "INSUFFICIENT_FUNDS")
        assert held_by(player) == 100


def test_the_same_key_moves_money_once(client: Client, player: Player, friend: Player) -> None:
    first, again = (tip(client, player, key="one") for _ in range(2))

    assert (again.status_code, again.json()) == (201, first.json())
    assert (held_by(player), held_by(friend)) == (60, 40)


def test_a_tip_is_no_deposit(client: Client, player: Player, friend: Player) -> None:
    claim = claim_of(friend)

    tip(client, player)

    stored = Player.objects.get(pk=friend.pk)
    assert (stored.total_deposit_usd, stored.deposit_count) == (0, 0)
    assert type(claim).objects.get(pk=claim.pk).status == "CLAIMED"


@pytest.mark.parametrize("deposited", [0, 100], ids=["claimed", "active"])
def test_not_while_the_sender_has_an_open_promo(
    deposited: int, client: Client, player: Player, friend: Player
) -> None:
    claim_of(player)
    if deposited:
        deposit_by(player, deposited)

    assert is_refused(tip(client, player), 409, "PROMO_CODE_IS_ACTIVE")


def test_the_receiver_may_have_an_open_promo(
    client: Client, player: Player, friend: Player
) -> None:
    claim_of(friend)

    assert tip(client, player).status_code == 201


def test_blocked_players_send_no_tips(client: Client, player: Player, friend: Player) -> None:
    Player.objects.filter(pk=player.pk).update(is_blocked=True)

    assert is_refused(tip(client, player), 409, "PLAYER_BLOCKED")


def test_nobody_tips_themselves(client: Client, player: Player) -> None:
    response = tip(client, player, to_player_id="ada")

    assert is_refused(response, 400, "INVALID_REQUEST")
    assert [error["pointer"] for error in response.json()["errors"]] == ["/to_player_id"]


def test_both_wallets_are_in_the_currency(
    client: Client, player: Player, operator: Operator
) -> None:
    PlayerFactory.create(operator=operator, reference="bob", currency="USD")

    for currency in ("EUR", "USD"):
        response = tip(client, player, currency=currency)
        assert is_refused(response, 400, "INVALID_REQUEST")
        assert [error["pointer"] for error in response.json()["errors"]] == ["/currency"]


def test_a_player_of_another_operator_does_not_exist(client: Client, player: Player) -> None:
    PlayerFactory.create(reference="bob")

    foreign, absent = tip(client, player), tip(client, player, to_player_id="nobody")

    assert is_refused(foreign, 404, "NOT_FOUND")
    assert foreign.json()["detail"] == absent.json()["detail"]


@pytest.mark.parametrize("amount", ["0", "0.001", "-1.00", 1])
def test_a_malformed_amount_is_refused(
    amount: Any, client: Client, player: Player, friend: Player
) -> None:
    assert is_refused(tip(client, player, amount), 400, "INVALID_REQUEST")
    assert moved(player) == [("DEPOSIT", Decimal(100))]
