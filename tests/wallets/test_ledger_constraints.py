"""What the database itself refuses, whoever asks: raw SQL against every invariant."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from operators.models import Operator
from players.models import Player
from tests.factories.operators import OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import AccountFactory, deposit, house, main_of, posting
from tests.wallets.conftest import Post
from wallets.enums import AccountKind
from wallets.models import Account, Transfer

pytestmark = pytest.mark.django_db


def snapshot() -> list[Any]:
    """Return every row of the ledger."""
    return [list(model.objects.order_by("pk").values()) for model in (Account, Transfer)]


def assert_refused(sql: str, params: Any = (), *, because: str) -> None:
    before = snapshot()

    with (
        pytest.raises(DatabaseError, match=because),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, params)

    assert snapshot() == before


@pytest.fixture
def bet(player: Player, post: Post) -> Transfer:
    """A bet of 4 of the player's 10 euros."""
    deposit(player, "10.00")
    [bet] = post(posting(main_of(player), house(), "4.00", reference="bet:1"))
    return bet


def insert(like: Transfer, **changes: Any) -> tuple[str, list[Any]]:
    """Return the insert of a transfer like that one, with another reference and ``changes``."""
    row = Transfer.objects.filter(pk=like.pk).values().get()
    del row["id"], row["xid"]
    row |= {"public_id": uuid4(), "reference": "raw"} | changes
    columns, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    return f"INSERT INTO wallets_transfer ({columns}) VALUES ({marks})", list(row.values())


def test_control_a_transfer_that_agrees_with_everything_goes_in(bet: Transfer) -> None:
    sql, params = insert(bet)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)

    assert Transfer.objects.count() == 3


# A transfer stays


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE wallets_transfer SET amount = 1",
        "UPDATE wallets_transfer SET reference = reference",
        "UPDATE wallets_transfer SET posted_at = now() WHERE tag = 'BET'",
        "DELETE FROM wallets_transfer",
    ],
)
def test_a_transfer_is_never_changed_or_deleted(sql: str, bet: Transfer) -> None:
    assert_refused(sql, because="Cannot update or delete")


# A transfer is sound


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"amount": "0"}, "transfer_amount_positive"),
        ({"amount": "-1"}, "transfer_amount_positive"),
        ({"amount": "NaN"}, "transfer_amount_positive"),
        ({"amount": "Infinity"}, "infinite value"),
        ({"amount": "100000000000000000000"}, "numeric field overflow"),
        ({"reference": ""}, "transfer_has_a_reference"),
        ({"reference": "bet:1"}, "transfer_reference_is_unique"),
        ({"reference": "x" * 201}, "too long"),
        ({"original_amount": "1"}, "transfer_converted_wholly_or_not"),
        ({"rate": "1", "rate_at": "2026-03-01"}, "transfer_converted_wholly_or_not"),
        (
            {
                "original_amount": "NaN",
                "original_currency": "USD",
                "rate": "1",
                "rate_at": "2026-03-01",
            },
            "transfer_original_amount_positive",
        ),
        (
            {
                "original_amount": "1",
                "original_currency": "USD",
                "rate": "NaN",
                "rate_at": "2026-03-01",
            },
            "transfer_rate_positive",
        ),
    ],
)
def test_a_transfer_is_sound(changes: dict[str, Any], because: str, bet: Transfer) -> None:
    sql, params = insert(bet, **changes)

    assert_refused(sql, params, because=because)


def test_a_transfer_has_two_different_accounts(bet: Transfer) -> None:
    sql, params = insert(bet, debit_account_id=bet.credit_account_id, debit_balance_after=None)

    assert_refused(sql, params, because="transfer_between_two_accounts")


@pytest.mark.parametrize("side", ["debit", "credit"])
def test_a_transfer_cannot_leave_one_side_out(side: str, bet: Transfer) -> None:
    sql, params = insert(bet, **{f"{side}_account_id": None})

    assert_refused(sql, params, because="does not agree with its accounts")


def test_a_transfer_is_reversed_once(bet: Transfer) -> None:
    sql, params = insert(bet, reverses_id=bet.pk)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)

    sql, params = insert(bet, reverses_id=bet.pk, reference="again")
    assert_refused(sql, params, because="transfer_reversed_once")


# A transfer agrees with its accounts


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "USD"},
        {"debit_account_id": -1},
        {"credit_account_id": -1},
        # Not what the account holds: a posting without its change of the balance.
        {"debit_balance_after": "5"},
        {"debit_balance_after": None},
        {"credit_balance_after": "4"},
    ],
    ids=str,
)
def test_a_transfer_agrees_with_its_accounts(changes: dict[str, Any], bet: Transfer) -> None:
    sql, params = insert(bet, **changes)

    assert_refused(sql, params, because="does not agree with its accounts")


@pytest.mark.parametrize("side", ["debit", "credit"])
def test_a_transfer_stays_with_one_operator_and_currency(side: str, bet: Transfer) -> None:
    for foreign in (
        AccountFactory.create(operator=OperatorFactory.create()),
        AccountFactory.create(operator=bet.operator, currency="USD"),
    ):
        sql, params = insert(
            bet, **{f"{side}_account_id": foreign.pk, f"{side}_balance_after": None}
        )
        assert_refused(sql, params, because="does not agree with its accounts")

    sql, params = insert(bet, operator_id=OperatorFactory.create().pk)
    assert_refused(sql, params, because="does not agree with its accounts")


# An account stays what it is


@pytest.mark.parametrize("balance", ["-0.00000001", "NaN"])
def test_a_balance_is_a_number_from_zero(balance: str, bet: Transfer) -> None:
    assert_refused(
        "UPDATE wallets_account SET balance = %s WHERE id = %s",
        [balance, bet.debit_account_id],
        because="account_balance_not_negative",
    )


def test_players_accounts_and_no_others_have_a_balance(bet: Transfer) -> None:
    for sql, account_id in (
        ("UPDATE wallets_account SET balance = NULL WHERE id = %s", bet.debit_account_id),
        ("UPDATE wallets_account SET balance = 0 WHERE id = %s", bet.credit_account_id),
    ):
        assert_refused(sql, [account_id], because="account_of_a_player_iff_balance")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM wallets_account",
        "UPDATE wallets_account SET currency = 'USD'",
        "UPDATE wallets_account SET kind = 'PLAYER_VAULT' WHERE kind = 'PLAYER_MAIN'",
        "UPDATE wallets_account SET operator_id = operator_id",
        "UPDATE wallets_account SET player_id = NULL",
        "UPDATE wallets_account SET owner = 'x'",
    ],
)
def test_an_account_stays_what_it_is(sql: str, bet: Transfer) -> None:
    assert_refused(sql, because="Cannot delete or update of")


@pytest.mark.parametrize(
    ("row", "because"),
    [
        (("PLAYER_MAIN", "EUR", None, "", None), "account_of_a_player_iff_balance"),
        (("PLAYER_MAIN", "EUR", "player", "", None), "account_of_a_player_iff_balance"),
        (("PLAYER_MAIN", "EUR", "player", "x", "0"), "account_of_a_player_iff_balance"),
        (("PLAYER_VAULT", "EUR", "player", "x", "0"), "account_of_a_player_iff_balance"),
        (("PLAYER_BONUS", "EUR", "player", "", "0"), "account_of_a_player_iff_balance"),
        (("PLAYER_BONUS", "EUR", "player", "x", None), "account_of_a_player_iff_balance"),
        (("PLAYER_BONUS", "EUR", None, "x", "0"), "account_of_a_player_iff_balance"),
        (("PLAYER_BONUS", "EUR", "player", "grant", "0"), "account_opened_once"),
        (("HOUSE_CASH", "EUR", "player", "", None), "account_of_a_player_iff_balance"),
        (("HOUSE_CASH", "EUR", None, "", "0"), "account_of_a_player_iff_balance"),
        (("SLUSH", "EUR", None, "", None), "account_of_a_player_iff_balance"),
        (("JACKPOT_POOL", "EUR", None, "", None), "account_pool_has_an_owner"),
        (("HOUSE_GAMES", "EUR", None, "", None), "account_opened_once"),
        (("JACKPOT_POOL", "EUR", None, "weekly", None), "account_opened_once"),
        (("PLAYER_VAULT", "EUR", "player", "", "NaN"), "account_balance_not_negative"),
    ],
)
def test_an_account_that_cannot_be_is_not_opened(
    row: tuple[Any, ...], because: str, operator: Operator
) -> None:
    AccountFactory.create(operator=operator, kind=AccountKind.HOUSE_GAMES)
    AccountFactory.create(operator=operator, kind=AccountKind.JACKPOT_POOL, owner="weekly")
    player = PlayerFactory.create(operator=operator)
    AccountFactory.create(
        operator=operator, kind=AccountKind.PLAYER_BONUS, player=player, owner="grant"
    )
    kind, currency, of, owner, balance = row

    assert_refused(
        "INSERT INTO wallets_account (operator_id, kind, currency, player_id, owner, balance)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [operator.pk, kind, currency, of and player.pk, owner, balance],
        because=because,
    )


@pytest.mark.parametrize("balance", ["NaN", "Infinity"])
def test_a_snapshot_is_a_number(balance: str, operator: Operator) -> None:
    account = AccountFactory.create(operator=operator)

    assert_refused(
        "INSERT INTO wallets_accountsnapshot (account_id, balance, watermark, taken_at)"
        " VALUES (%s, %s, '0', now())",
        [account.pk, balance],
        because="account_snapshot_is_a_number|infinite value",
    )
