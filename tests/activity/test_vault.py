"""POST /v1/players/{player_id}/vault/deposits and /vault/withdrawals"""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.activity import claim_of, deposit_by
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import held_by
from wallets.enums import AccountKind
from wallets.models import Transfer

pytestmark = pytest.mark.django_db

INTO, OUT_OF = "deposits", "withdrawals"
both_ways = pytest.mark.parametrize("way", [INTO, OUT_OF])


@pytest.fixture
def player(operator: Operator, client: Client) -> Player:
    """A player with sixty euros at hand, and forty in the vault."""
    ExchangeRateFactory.create(operator=operator)
    player = PlayerFactory.create(operator=operator, reference="ada")
    deposit_by(player, 100)
    assert move(client, player, INTO, "40.00").status_code == 201
    return player


def move(client: Client, player: Player, way: str, amount: Any, **members: Any) -> Any:
    key = members.pop("key", None)
    body = {"amount": amount, "currency": "EUR", **members}
    return client.post(f"/v1/players/{player.reference}/vault/{way}", body, key=key)


def held(player: Player) -> tuple[Any, Any]:
    return held_by(player), held_by(player, AccountKind.PLAYER_VAULT)


def is_refused(response: Any, status: int, code: str, player: Player) -> bool:
    assert (response.status_code, response.json()["code"]) == (status, code)
    return (
        held(player) == (60, 40)
        and Transfer.objects.filter(tag="VAULT").count() == 1
        and AuditEntry.objects.filter(action__startswith="activity.vault").count() == 1
    )


@pytest.mark.parametrize(
    ("way", "type_", "balance_after", "after", "action"),
    [
        (INTO, "WITHDRAW", "50.00", (50, 50), "activity.vault.filled"),
        (OUT_OF, "DEPOSIT", "70.00", (70, 30), "activity.vault.emptied"),
    ],
)
def test_moves_money_between_balance_and_vault(
    way: str,
    type_: str,
    balance_after: str,
    after: tuple[int, int],
    action: str,
    client: Client,
    player: Player,
) -> None:
    response = move(client, player, way, "10.00")

    transaction = response.json()["transaction"]
    assert response.status_code == 201
    assert (transaction["type"], transaction["tag"]) == (type_, "VAULT")
    assert (transaction["amount"], transaction["balance_after"]) == ("10.00", balance_after)
    assert held(player) == after
    assert AuditEntry.objects.latest("pk").action == action
    wallet = client.get("/v1/players/ada/wallet").json()
    assert wallet["balances"] == [
        {"currency": "EUR", "main": f"{after[0]}.00", "vault": f"{after[1]}.00"}
    ]


@pytest.mark.parametrize(
    ("way", "all_of_it", "too_much"), [(INTO, "60.00", "60.01"), (OUT_OF, "40.00", "40.01")]
)
def test_up_to_what_is_there(
    way: str, all_of_it: str, too_much: str, client: Client, player: Player
) -> None:
    refused = move(client, player, way, too_much)
    assert is_refused(refused, 409, "INSUFFICIENT_FUNDS", player)

    assert move(client, player, way, all_of_it).status_code == 201


@both_ways
def test_the_same_key_moves_money_once(way: str, client: Client, player: Player) -> None:
    first, again = (move(client, player, way, "10.00", key="one") for _ in range(2))

    assert (again.status_code, again.json()) == (201, first.json())
    assert held(player) == ((50, 50) if way == INTO else (70, 30))


@both_ways
def test_not_while_a_promo_is_claimed(way: str, client: Client, player: Player) -> None:
    claim_of(player)

    response = move(client, player, way, "10.00")

    assert is_refused(response, 409, "PROMO_CODE_IS_ACTIVE", player)


@both_ways
def test_not_while_a_promo_is_active(way: str, client: Client, player: Player) -> None:
    claim_of(
        player,
        max_bonus_usd_amount=0,
        wager_multiplier_to_complete=None,
        wager_usd_amount_to_complete=10,
    )
    deposit_by(player, 100)

    response = move(client, player, way, "10.00")

    assert (response.status_code, response.json()["code"]) == (409, "PROMO_CODE_IS_ACTIVE")
    assert held(player) == (160, 40)


@both_ways
def test_a_withdrawal_lock_does_not_reach_the_vault(
    way: str, client: Client, player: Player
) -> None:
    claim_of(player, lock_withdraw_on_claim_hours=24, bonus_multiplier=0)
    deposit_by(player, 100)

    assert move(client, player, way, "10.00").status_code == 201


@both_ways
def test_self_excluded_players_may_use_the_vault(way: str, client: Client, player: Player) -> None:
    Player.objects.filter(pk=player.pk).update(
        self_excluded_until=timezone.now() + timedelta(days=1)
    )

    assert move(client, player, way, "10.00").status_code == 201


@both_ways
def test_blocked_players_may_not(way: str, client: Client, player: Player) -> None:
    Player.objects.filter(pk=player.pk).update(is_blocked=True)

    assert is_refused(move(client, player, way, "10.00"), 409, "PLAYER_BLOCKED", player)


@both_ways
@pytest.mark.parametrize(
    "members", [{"amount": "0"}, {"amount": "1.001"}, {"currency": "USD"}, {"reference": "a"}]
)
def test_a_malformed_move_is_refused(
    members: dict[str, Any], way: str, client: Client, player: Player
) -> None:
    response = move(client, player, way, **{"amount": "10.00", **members})

    assert is_refused(response, 400, "INVALID_REQUEST", player)
