"""POST /v1/players/{player_id}/deposits"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from activity.models import Deposit
from core.books import find_differences
from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from promos.models import UserPromo
from tests.conftest import Client
from tests.factories.activity import claim_of, deposit_by, moved
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import held_by
from wallets.models import Transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def player(operator: Operator) -> Player:
    ExchangeRateFactory.create(operator=operator, usd_rate=Decimal("1.25"))
    return PlayerFactory.create(operator=operator, reference="ada")


def deposit(client: Client, player: Player, amount: Any = "10.00", **members: Any) -> Any:
    key = members.pop("key", None)
    body = {"amount": amount, "currency": "EUR", **members}
    return client.post(f"/v1/players/{player.reference}/deposits", body, key=key)


def nothing_moved(player: Player) -> bool:
    stored = Player.objects.get(pk=player.pk)
    return (
        not Transfer.objects.filter(tag="DEPOSIT").exists()
        and not Deposit.objects.exists()
        and (stored.total_deposit_usd, stored.deposit_count) == (0, 0)
        and not AuditEntry.objects.filter(action="activity.deposit.made").exists()
    )


def test_credits_the_main_balance(client: Client, player: Player) -> None:
    response = deposit(client, player, reference="cash-1")

    made = Deposit.objects.get()
    body = response.json()
    assert response.status_code == 201
    assert body == {
        "transaction": {
            "id": str(Transfer.objects.get().public_id),
            "type": "DEPOSIT",
            "tag": "DEPOSIT",
            "amount": "10.00",
            "currency": "EUR",
            "balance_after": "10.00",
            "reference": "cash-1",
            "created_at": body["transaction"]["created_at"],
        },
        "promo": None,
        "bonuses": [],
    }
    assert (made.amount, made.usd_rate, made.usd_amount) == (10, Decimal("1.25"), Decimal("12.5"))
    assert held_by(player) == 10


def test_the_answer_is_the_row_that_the_list_shows(client: Client, player: Player) -> None:
    transaction = deposit(client, player).json()["transaction"]

    listed = client.get("/v1/players/ada/transactions").json()["results"]
    assert listed == [transaction]


def test_counts_towards_the_totals_at_the_rate_of_the_instant(
    client: Client, player: Player, operator: Operator
) -> None:
    deposit(client, player, "10.00")
    ExchangeRateFactory.create(
        operator=operator, usd_rate=Decimal(2), valid_from=timezone.now() - timedelta(seconds=1)
    )
    deposit(client, player, "1.00")

    stored = Player.objects.get(pk=player.pk)
    assert (stored.total_deposit_usd, stored.deposit_count) == (Decimal("14.5"), 2)


def test_leaves_a_trail(client: Client, player: Player) -> None:
    deposit(client, player, reference="cash-1")

    entry = AuditEntry.objects.get(action="activity.deposit.made")
    assert entry.actor_kind == "api_key"
    assert entry.subject_id == str(Deposit.objects.get().pk)
    assert entry.after == {
        "player_id": "ada",
        "amount": "10.00",
        "currency": "EUR",
        "reference": "cash-1",
    }


# Promos


def test_activates_a_claimed_promo(client: Client, player: Player) -> None:
    claim_of(player)

    body = deposit(client, player, "100.00").json()

    assert body["promo"]["status"] == "ACTIVE"
    assert body["promo"]["bonus_amount"] == "100.00"
    assert body["promo"]["progress"]["bonus_usd_amount"] == "125.00"
    assert body["promo"]["progress"]["wager_usd_amount_to_complete"] == "1250.00"
    # The deposit first: its balance is not the bonus's.
    assert body["transaction"]["balance_after"] == "100.00"
    assert moved(player) == [("DEPOSIT", 100), ("PROMO", 100)]


# The floor is 20 US dollars: 16 euros.
@pytest.mark.parametrize(
    ("amount", "status"), [("15.99", "CANCELLED"), ("16.00", "ACTIVE"), ("16.01", "ACTIVE")]
)
def test_below_the_floor_cancels(amount: str, status: str, client: Client, player: Player) -> None:
    claim = claim_of(player)

    assert deposit(client, player, amount).json()["promo"]["status"] == status
    assert UserPromo.objects.get(pk=claim.pk).status == status
    assert held_by(player) == Decimal(amount) * (2 if status == "ACTIVE" else 1)


def test_a_later_deposit_leaves_an_active_promo_alone(client: Client, player: Player) -> None:
    claim_of(player)
    deposit(client, player, "100.00")

    again = deposit(client, player, "1.00").json()

    assert again["promo"]["status"] == "ACTIVE"
    assert again["promo"]["progress"]["bonus_usd_amount"] == "125.00"
    assert moved(player) == [("DEPOSIT", 100), ("PROMO", 100), ("DEPOSIT", 1)]


def test_a_claim_whose_window_is_over_has_expired(client: Client, player: Player) -> None:
    claim = claim_of(player, now=timezone.now() - timedelta(days=30))

    body = deposit(client, player, "100.00").json()

    assert body["promo"] is None
    assert UserPromo.objects.get(pk=claim.pk).status == "EXPIRED"
    assert moved(player) == [("DEPOSIT", 100)]


# Repeats


def test_the_same_key_moves_money_once(client: Client, player: Player) -> None:
    first = deposit(client, player, key="one")
    again = deposit(client, player, key="one")

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert moved(player) == [("DEPOSIT", 10)]
    assert Player.objects.get(pk=player.pk).deposit_count == 1


def test_a_key_is_required(client: Client, player: Player) -> None:
    body = {"amount": "10.00", "currency": "EUR"}

    response = super(Client, client).post("/v1/players/ada/deposits", body, format="json")

    assert response.status_code == 400
    assert response.json()["code"] == "IDEMPOTENCY_KEY_REQUIRED"
    assert nothing_moved(player)


@pytest.mark.parametrize("amount", ["10.00", "20.00"])
def test_a_reference_is_used_once(amount: str, client: Client, player: Player) -> None:
    deposit(client, player, reference="cash-1")

    response = deposit(client, player, amount, reference="cash-1")

    assert response.status_code == 409
    assert response.json()["code"] == "CASHIER_REFERENCE_TAKEN"
    assert moved(player) == [("DEPOSIT", 10)]
    assert Player.objects.get(pk=player.pk).deposit_count == 1


def test_another_operator_may_use_the_same_reference(
    client: Client, player: Player, client_of: Any
) -> None:
    other = OperatorFactory.create()
    ExchangeRateFactory.create(operator=other)
    PlayerFactory.create(operator=other, reference="ada")
    deposit(client, player, reference="cash-1")

    assert deposit(client_of(other), player, reference="cash-1").status_code == 201


# Refusals


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"amount": "0"}, "/amount"),
        ({"amount": "-1"}, "/amount"),
        ({"amount": 10}, "/amount"),
        ({"amount": "NaN"}, "/amount"),
        ({"amount": "10.001"}, "/amount"),
        ({"currency": "USD"}, "/currency"),
        ({"reference": "a/b"}, "/reference"),
        ({"reference": ""}, "/reference"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_a_malformed_deposit_is_refused(
    members: dict[str, Any], pointer: str, client: Client, player: Player
) -> None:
    response = deposit(client, player, **members)

    assert response.status_code == 400
    assert response.json()["code"] == "INVALID_REQUEST"
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert nothing_moved(player)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"is_blocked": True}, "PLAYER_BLOCKED"),
        ({"self_excluded_until": timezone.now() + timedelta(days=1)}, "PLAYER_SELF_EXCLUDED"),
    ],
)
def test_blocked_and_excluded_players_do_not_deposit(
    state: dict[str, Any], code: str, client: Client, player: Player
) -> None:
    claim = claim_of(player)
    Player.objects.filter(pk=player.pk).update(**state)

    response = deposit(client, player, "100.00")

    assert (response.status_code, response.json()["code"]) == (409, code)
    assert nothing_moved(player)
    assert UserPromo.objects.get(pk=claim.pk).status == "CLAIMED"


def test_without_a_rate_nothing_is_deposited(client: Client, operator: Operator) -> None:
    player = PlayerFactory.create(operator=operator)

    response = deposit(client, player)

    assert (response.status_code, response.json()["code"]) == (409, "EXCHANGE_RATE_MISSING")
    assert nothing_moved(player)


@pytest.mark.parametrize("amount", ["99999999999999999999", "80000000000000000000"])
def test_more_than_can_be_stored_is_refused(amount: str, client: Client, player: Player) -> None:
    response = deposit(client, player, amount)

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert nothing_moved(player)


def test_a_total_beyond_what_can_be_stored_is_refused(client: Client, player: Player) -> None:
    Player.objects.filter(pk=player.pk).update(total_deposit_usd=Decimal(10**20 - 1))

    response = deposit(client, player)

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert not Transfer.objects.exists()


def test_an_unknown_player_cannot_deposit(client: Client, player: Player) -> None:
    response = client.post("/v1/players/nobody/deposits", {"amount": "10.00", "currency": "EUR"})

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    assert nothing_moved(player)


# Cost and order


def test_takes_few_statements(client: Client, player: Player) -> None:
    deposit(client, player)

    with CaptureQueriesContext(connection) as queries:
        assert deposit(client, player).status_code == 201

    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= 10, "\n".join(statements)


def test_locks_downwards(player: Player, record_locks: Any) -> None:
    claim_of(player)

    with record_locks() as tables:
        deposit_by(player, 100)

    assert tables == ["promos_userpromo", "bonuses_bonusissuance"]


def test_the_books_balance(client: Client, player: Player, transactional_db: Any) -> None:
    claim_of(player)
    deposit(client, player, "100.00")

    assert find_differences() == []
