"""The checks of the ledger: quiet while it is sound, and they find each planted difference."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from core import books
from core.books import Difference
from operators.models import Operator
from players.models import Player
from tests.factories.operators import OperatorFactory
from tests.factories.wallets import AccountFactory, deposit, house, main_of, posting, vault_of
from tests.wallets.conftest import Post
from tests.wallets.test_hot_balances import let_the_horizon_pass
from wallets.enums import Tag
from wallets.models import Account, AccountSnapshot, Transfer
from wallets.services import snapshots, transfers

# The checks look at one snapshot of their own transaction.
pytestmark = pytest.mark.django_db(transaction=True)

TABLES = ("wallets_account", "wallets_transfer")


@pytest.fixture
def bet(operator: Operator, player: Player, post: Post, now: Any) -> Transfer:
    """The bet of a ledger with some of everything in it, folded in the middle."""
    deposit(player, "10.00")
    [bet, *_more] = post(
        posting(main_of(player), house(), "4.00", reference="bet:1"),
        posting(main_of(player), vault_of(player), "1.00", tag=Tag.VAULT),
    )
    let_the_horizon_pass()
    assert snapshots.snapshot_hot_accounts(now=now, limit=10) == 2
    transfers.reverse_transfer(operator=operator, reference="bet:1", now=now)
    post(posting(main_of(player), house(), "0.50"))
    return bet


@pytest.fixture
def unguarded() -> Iterator[Any]:
    """Return a way to run SQL past the triggers, which stand again afterwards."""

    def execute(sql: str, *params: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(sql, params)
            assert cursor.rowcount == 1
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    return execute


def found(check: str, subject: str, recorded: Any, computed: Any) -> Difference:
    return Difference(check, subject, Decimal(recorded), Decimal(computed))


def test_a_sound_ledger_has_no_differences(bet: Transfer) -> None:
    assert books.find_differences() == []


def test_all_five_checks_are_registered() -> None:
    assert [name for name in books.check_names() if name.startswith("wallets.")] == [
        "wallets.accounts_of_transfers",
        "wallets.balance_chains",
        "wallets.balances",
        "wallets.reversals",
        "wallets.snapshots",
    ]


def test_finds_a_balance_off_by_the_least_amount(bet: Transfer, unguarded: Any) -> None:
    unguarded(
        "UPDATE wallets_account SET balance = balance + 0.00000001 WHERE id = %s",
        bet.debit_account_id,
    )

    assert books.find_differences() == [
        found("wallets.balances", f"account {bet.debit_account_id}", "8.50000001", "8.5")
    ]


def test_finds_a_balance_without_any_transfer(
    operator: Operator, player: Player, unguarded: Any
) -> None:
    account = AccountFactory.create(
        operator=operator, player=player, kind="PLAYER_VAULT", balance=Decimal(1)
    )

    assert books.find_differences() == [found("wallets.balances", f"account {account.pk}", 1, 0)]


def test_finds_a_transfer_that_vanished(bet: Transfer, player: Player, unguarded: Any) -> None:
    vault = Account.objects.get(player=player, kind="PLAYER_VAULT")
    later = Transfer.objects.get(tag=Tag.ROLLBACK)
    unguarded("DELETE FROM wallets_transfer WHERE tag = 'VAULT'")

    # The next step of the main account starts where no step ended.
    assert books.find_differences() == [
        found(
            "wallets.balance_chains",
            f"account {bet.debit_account_id} at transfer {later.pk}",
            9,
            10,
        ),
        found("wallets.balances", f"account {bet.debit_account_id}", "8.5", "9.5"),
        found("wallets.balances", f"account {vault.pk}", 1, 0),
    ]


def test_finds_a_step_that_does_not_add_up(bet: Transfer, unguarded: Any) -> None:
    newest = Transfer.objects.latest("pk")
    unguarded("UPDATE wallets_transfer SET debit_balance_after = 8.4 WHERE id = %s", newest.pk)

    assert books.find_differences() == [
        found(
            "wallets.balance_chains",
            f"account {bet.debit_account_id} at transfer {newest.pk}",
            "8.4",
            "8.5",
        )
    ]


def test_finds_a_snapshot_that_is_not_its_rows(bet: Transfer, unguarded: Any) -> None:
    unguarded(
        "UPDATE wallets_accountsnapshot SET balance = 5 WHERE account_id = %s",
        bet.credit_account_id,
    )

    assert books.find_differences() == [
        found("wallets.snapshots", f"account {bet.credit_account_id}", 5, 4)
    ]


def test_finds_a_snapshot_of_rows_that_never_were(operator: Operator, now: Any) -> None:
    account = AccountFactory.create(operator=operator)
    AccountSnapshot.objects.create(account=account, balance=1, watermark=1, taken_at=now)

    assert books.find_differences() == [found("wallets.snapshots", f"account {account.pk}", 1, 0)]


def test_finds_a_reversal_of_another_amount(bet: Transfer, unguarded: Any) -> None:
    reversal = Transfer.objects.get(reverses=bet)
    unguarded("UPDATE wallets_transfer SET amount = 3 WHERE id = %s", reversal.pk)

    assert (
        found(
            "wallets.reversals",
            f"account {reversal.debit_account_id} at transfer {reversal.pk}",
            3,
            4,
        )
        in books.find_differences()
    )


@pytest.mark.parametrize(
    "change",
    [
        "tag = 'WIN'",
        "credit_account_id = (SELECT id FROM wallets_account WHERE kind = 'PLAYER_VAULT')",
        "debit_account_id = (SELECT id FROM wallets_account WHERE kind = 'HOUSE_CASH')",
    ],
)
def test_finds_a_reversal_that_gave_nothing_back(
    change: str, bet: Transfer, unguarded: Any
) -> None:
    reversal = Transfer.objects.get(reverses=bet)
    unguarded(f"UPDATE wallets_transfer SET {change} WHERE id = %s", reversal.pk)

    reversals = [d for d in books.find_differences() if d.check == "wallets.reversals"]
    assert [(d.recorded, d.computed) for d in reversals] == [(4, 0)]


@pytest.mark.parametrize("side", ["debit", "credit"])
@pytest.mark.parametrize("foreign", ["currency", "operator", "nobody"])
def test_finds_a_transfer_to_or_from_a_foreign_account(
    side: str, foreign: str, operator: Operator, unguarded: Any
) -> None:
    cash = AccountFactory.create(operator=operator, kind="HOUSE_CASH")
    games = AccountFactory.create(operator=operator)
    ids = {
        "currency": lambda: AccountFactory.create(operator=operator, currency="USD").pk,
        "operator": lambda: AccountFactory.create(operator=OperatorFactory.create()).pk,
        "nobody": lambda: -1,
    }
    wrong = ids[foreign]()
    accounts = {"debit": cash.pk, "credit": games.pk, side: wrong}
    unguarded(
        "INSERT INTO wallets_transfer (public_id, operator_id, debit_account_id,"
        " credit_account_id, amount, currency, tag, reference, posted_at)"
        " VALUES (%s, %s, %s, %s, 2.5, 'EUR', 'BET', 'raw', now())",
        uuid4(),
        operator.pk,
        accounts["debit"],
        accounts["credit"],
    )

    assert books.find_differences() == [
        found(
            "wallets.accounts_of_transfers",
            f"account {wrong} at transfer {Transfer.objects.get().pk}",
            "2.5",
            0,
        )
    ]


def test_finds_a_side_that_neither_balance_counts(bet: Transfer, unguarded: Any) -> None:
    # With a balance after it, a hot account's row is in no index that its balance is read by.
    newest = Transfer.objects.latest("pk")
    unguarded("UPDATE wallets_transfer SET credit_balance_after = 0.5 WHERE id = %s", newest.pk)

    assert (
        found(
            "wallets.accounts_of_transfers",
            f"account {newest.credit_account_id} at transfer {newest.pk}",
            "0.5",
            0,
        )
        in books.find_differences()
    )


def test_the_command_prints_each_difference_and_exits_1(
    bet: Transfer, unguarded: Any, capsys: Any
) -> None:
    call_command("check_books")
    assert "The books balance" in capsys.readouterr().out

    unguarded(
        "UPDATE wallets_account SET balance = balance + 0.01 WHERE id = %s", bet.debit_account_id
    )
    with pytest.raises(SystemExit) as exit_code:
        call_command("check_books")

    assert exit_code.value.code == 1
    assert f"account {bet.debit_account_id} is 8.51" in capsys.readouterr().out
