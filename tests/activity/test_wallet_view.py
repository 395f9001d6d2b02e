"""GET /v1/players/{player_id}/wallet: what the player may not do is what would be refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.activity import claim_of, deposit_by
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def player(operator: Operator) -> Player:
    """A player with a hundred euros at 1.25 US dollars."""
    ExchangeRateFactory.create(operator=operator)
    PlayerFactory.create(operator=operator, reference="bob")
    GameFactory.create(operator=operator, slug="sums")
    player = PlayerFactory.create(operator=operator, reference="ada")
    deposit_by(player, 100)
    return player


def restrictions(client: Client) -> list[dict[str, Any]]:
    wallet = client.get("/v1/players/ada/wallet")
    assert wallet.status_code == 200
    found: list[dict[str, Any]] = wallet.json()["restrictions"]
    return found


def refused(client: Client) -> set[tuple[str, str]]:
    """Try everything once, and return what was refused, and why."""
    money = {"amount": "1.00", "currency": "EUR"}
    bet = {"bet_id": "r-1", "game": "sums", "stake": "1.00", "currency": "EUR"}
    attempts = {
        "withdraw": ("withdrawals", money),
        "tip": ("tips", {**money, "to_player_id": "bob"}),
        "vault": ("vault/deposits", money),
        "bet": ("bets", bet),
    }
    answers = {
        action: client.post(f"/v1/players/ada/{path}", body)
        for action, (path, body) in attempts.items()
    }
    return {
        (action, answer.json()["code"])
        for action, answer in answers.items()
        if answer.status_code != 201
    }


def agree(client: Client) -> bool:
    shown = {(each["action"], each["code"]) for each in restrictions(client)}
    return shown == refused(client)


def test_without_promos_nothing_is_restricted(client: Client, player: Player) -> None:
    assert restrictions(client) == []
    assert agree(client)


def test_a_claim_restricts_tips_and_the_vault(client: Client, player: Player) -> None:
    claim = claim_of(player)

    found = restrictions(client)

    assert [each["action"] for each in found] == ["tip", "vault"]
    assert {each["code"] for each in found} == {"PROMO_CODE_IS_ACTIVE"}
    assert {each["source"] for each in found} == {f"promo:{claim.code}"}
    assert {each["until"] for each in found} == {claim.due_at.isoformat().replace("+00:00", "Z")}
    assert all(each["detail"] for each in found)
    assert agree(client)


def test_an_active_promo_restricts_everything(client: Client, player: Player) -> None:
    claim_of(player)
    deposit_by(player, 100)

    assert [each["action"] for each in restrictions(client)] == ["withdraw", "tip", "vault", "bet"]
    assert agree(client)


def test_a_lock_restricts_withdrawals(client: Client, player: Player) -> None:
    now = timezone.now()
    claim_of(player, now=now, lock_withdraw_on_claim_hours=24, bonus_multiplier=0)
    deposit_by(player, 100, now=now)

    [only] = restrictions(client)

    until = (now + timedelta(hours=24)).isoformat().replace("+00:00", "Z")
    assert (only["action"], only["code"], only["until"]) == (
        "withdraw",
        "WITHDRAWALS_BLOCKED",
        until,
    )
    assert agree(client)


def test_what_is_over_restricts_nothing(client: Client, player: Player) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    claim_of(player, now=long_ago, time_seconds_to_complete=60, lock_withdraw_on_claim_hours=24)
    deposit_by(player, 100, now=long_ago)

    assert restrictions(client) == []
    assert agree(client)


def test_takes_four_statements(client: Client, player: Player) -> None:
    claim_of(player)
    restrictions(client)

    with CaptureQueriesContext(connection) as queries:
        restrictions(client)

    assert len(queries) == 4
