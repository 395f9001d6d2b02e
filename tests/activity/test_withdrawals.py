"""POST /v1/players/{player_id}/withdrawals"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from activity.models import Withdrawal
from activity.services import outflows
from core.errors import DomainError
from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from promos.models import UserPromo
from tests.conftest import Client
from tests.factories.activity import ACTOR, claim_of, deposit_by, moved
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import held_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def player(operator: Operator) -> Player:
    """A player with a hundred euros."""
    ExchangeRateFactory.create(operator=operator)
    player = PlayerFactory.create(operator=operator, reference="ada")
    deposit_by(player, 100)
    return player


def withdraw(client: Client, player: Player, amount: Any = "40.00", **members: Any) -> Any:
    key = members.pop("key", None)
    body = {"amount": amount, "currency": "EUR", **members}
    return client.post(f"/v1/players/{player.reference}/withdrawals", body, key=key)


def is_refused(response: Any, status: int, code: str, player: Player, held: Any = 100) -> bool:
    """Tell whether the answer is that refusal, and nothing was withdrawn."""
    assert (response.status_code, response.json()["code"]) == (status, code)
    return (
        held_by(player) == Decimal(held)
        and not Withdrawal.objects.exists()
        and "WITHDRAWAL" not in dict(moved(player))
        and not AuditEntry.objects.filter(action="activity.withdrawal.made").exists()
    )


def test_debits_the_main_balance(client: Client, player: Player) -> None:
    response = withdraw(client, player, reference="out-1")

    transaction = response.json()["transaction"]
    assert response.status_code == 201
    assert transaction["type"] == "WITHDRAW"
    assert transaction["tag"] == "WITHDRAWAL"
    assert (transaction["amount"], transaction["balance_after"]) == ("40.00", "60.00")
    assert transaction["reference"] == "out-1"
    assert client.get("/v1/players/ada/transactions").json()["results"][0] == transaction
    assert moved(player) == [("DEPOSIT", 100), ("WITHDRAWAL", -40)]


def test_leaves_a_trail(client: Client, player: Player) -> None:
    withdraw(client, player, reference="out-1")

    entry = AuditEntry.objects.get(action="activity.withdrawal.made")
    assert entry.after == {
        "player_id": "ada",
        "amount": "40.00000000",
        "currency": "EUR",
        "reference": "withdrawal:out-1",
    }


@pytest.mark.parametrize(("amount", "status"), [("99.99", 201), ("100.00", 201), ("100.01", 409)])
def test_up_to_the_balance(amount: str, status: int, client: Client, player: Player) -> None:
    response = withdraw(client, player, amount)

    assert response.status_code == status
    if status == 409:
        assert is_refused(response, 409, "INSUFFICIENT_FUNDS", player)


def test_needs_no_exchange_rate(client: Client, operator: Operator) -> None:
    ExchangeRateFactory.create(operator=operator, currency="JPY", valid_from=timezone.now())
    player = PlayerFactory.create(operator=operator, currency="JPY")
    deposit_by(player, 100, now=timezone.now())

    assert withdraw(client, player, "40", currency="JPY").status_code == 201


def test_the_same_key_moves_money_once(client: Client, player: Player) -> None:
    first, again = (withdraw(client, player, key="one") for _ in range(2))

    assert (again.status_code, again.json()) == (201, first.json())
    assert held_by(player) == 60


def test_a_reference_is_used_once(client: Client, player: Player) -> None:
    withdraw(client, player, reference="out-1")

    response = withdraw(client, player, reference="out-1")

    assert (response.status_code, response.json()["code"]) == (409, "CASHIER_REFERENCE_TAKEN")
    assert held_by(player) == 60
    assert Withdrawal.objects.count() == 1


def test_a_deposit_may_have_the_same_reference(client: Client, player: Player) -> None:
    body = {"amount": "1.00", "currency": "EUR", "reference": "cash-1"}

    assert client.post("/v1/players/ada/deposits", body).status_code == 201
    assert withdraw(client, player, reference="cash-1").status_code == 201


# What promos forbid


def test_not_while_a_promo_is_active(client: Client, player: Player) -> None:
    claim_of(player)
    deposit_by(player, 100)

    response = withdraw(client, player)

    assert is_refused(response, 409, "PROMO_CODE_IS_ACTIVE", player, held=300)


def test_the_promo_is_the_reason_even_if_the_balance_is_too_small(
    client: Client, player: Player
) -> None:
    claim_of(player)
    deposit_by(player, 100)

    response = withdraw(client, player, "1000.00")

    assert is_refused(response, 409, "PROMO_CODE_IS_ACTIVE", player, held=300)


def test_while_a_promo_is_only_claimed(client: Client, player: Player) -> None:
    claim_of(player)

    assert withdraw(client, player).status_code == 201


def test_not_while_a_lock_runs(client: Client, player: Player) -> None:
    now = timezone.now()
    claim = claim_of(player, now=now, lock_withdraw_on_claim_hours=24, bonus_multiplier=0)
    # A bonus of nothing is complete at once; the lock of its credit stays.
    deposit_by(player, 100, now=now)
    assert UserPromo.objects.get(pk=claim.pk).status == "COMPLETED"

    response = withdraw(client, player)

    assert is_refused(response, 409, "WITHDRAWALS_BLOCKED", player, held=200)
    until = (now + timedelta(hours=24)).isoformat().replace("+00:00", "Z")
    assert response.json()["until"] == until


@pytest.mark.parametrize(("seconds", "code"), [(-1, "WITHDRAWALS_BLOCKED"), (0, None), (1, None)])
def test_a_lock_ends_at_its_instant(
    seconds: int, code: str | None, player: Player, now: Any
) -> None:
    claim_of(player, now=now, lock_withdraw_on_claim_hours=24, bonus_multiplier=0)
    deposit_by(player, 100, now=now)

    at = now + timedelta(hours=24, seconds=seconds)
    outcome = None
    try:
        outflows.withdraw_money(
            operator=player.operator,
            player_reference="ada",
            amount=Decimal(1),
            currency="EUR",
            reference=None,
            actor=ACTOR,
            now=at,
        )
    except DomainError as refusal:
        outcome = refusal.code

    assert outcome == code
    assert held_by(player) == (200 if code else 199)


def test_a_promo_whose_time_is_up_gives_its_bonus_back_first(
    player: Player, now: Any, client: Client
) -> None:
    claim = claim_of(player, now=now, time_seconds_to_complete=60)
    deposit_by(player, 100, now=now)

    # Long after the deadline, and nobody has swept.
    response = withdraw(client, player, "200.00")

    assert response.status_code == 201
    assert held_by(player) == 0
    assert UserPromo.objects.get(pk=claim.pk).status == "EXPIRED"
    assert moved(player)[-2:] == [("PROMO", -100), ("WITHDRAWAL", -200)]


# Who may


def test_self_excluded_players_may_withdraw(client: Client, player: Player) -> None:
    Player.objects.filter(pk=player.pk).update(
        self_excluded_until=timezone.now() + timedelta(days=1)
    )

    assert withdraw(client, player).status_code == 201


def test_blocked_players_may_not(client: Client, player: Player) -> None:
    Player.objects.filter(pk=player.pk).update(is_blocked=True)

    assert is_refused(withdraw(client, player), 409, "PLAYER_BLOCKED", player)


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"amount": "0"}, "/amount"),
        ({"amount": "0.001"}, "/amount"),
        ({"currency": "USD"}, "/currency"),
        ({"reference": " \n"}, "/reference"),
    ],
)
def test_a_malformed_withdrawal_is_refused(
    members: dict[str, Any], pointer: str, client: Client, player: Player
) -> None:
    response = withdraw(client, player, **members)

    assert is_refused(response, 400, "INVALID_REQUEST", player)
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_locks_the_promo_before_the_money(player: Player, record_locks: Any) -> None:
    claim_of(player)

    with record_locks() as tables:
        outflows.withdraw_money(
            operator=player.operator,
            player_reference="ada",
            amount=Decimal(1),
            currency="EUR",
            reference=None,
            actor=ACTOR,
            now=timezone.now(),
        )

    assert tables == ["promos_userpromo"]
