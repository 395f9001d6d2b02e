"""The balance of a hot account: its snapshot and the newer rows, exact whenever it is read."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core import books, locks
from core.errors import ResourceBusy
from players.models import Player
from tests.factories.players import PlayerFactory
from tests.factories.wallets import AccountFactory, deposit, house, main_of, posting
from tests.wallets.conftest import Post
from wallets import tasks
from wallets.enums import AccountKind, Tag
from wallets.models import Account, AccountSnapshot
from wallets.selectors import get_hot_balance
from wallets.services import snapshots

# A fold takes only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

GAMES = house()


def let_the_horizon_pass() -> None:
    """Wait until every transfer is below the horizon: any transaction of the server holds it."""
    give_up_at = time.monotonic() + 60
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_snapshot_xmin(pg_current_snapshot()) > max(xid) FROM wallets_transfer"
            )
            if cursor.fetchone() != (False,):
                return
        assert time.monotonic() < give_up_at, "a transaction has been open for a minute"
        time.sleep(0.01)


def fold(now: datetime, *, limit: int = 100) -> int:
    return snapshots.snapshot_hot_accounts(now=now, limit=limit)


def balances() -> dict[str, Decimal]:
    """Return the balance of every hot account, by kind."""
    hot = Account.objects.filter(player=None)
    return {account.kind: get_hot_balance(account=account) for account in hot}


@contextmanager
def open_transaction(player: Player, amount: str) -> Iterator[None]:
    """Keep a posted, uncommitted transfer of another connection open during the block."""
    posted, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                deposit(player, amount)
                posted.set()
                go_on.wait(timeout=60)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert posted.wait(timeout=60)
        yield
    finally:
        go_on.set()
        thread.join(timeout=60)


def test_an_account_without_transfers_holds_nothing(player: Player) -> None:
    assert get_hot_balance(account=AccountFactory.create(operator=player.operator)) == 0


def test_is_credits_minus_debits_before_and_after_a_fold(
    player: Player, post: Post, now: datetime
) -> None:
    deposit(player, "10.00")
    post(posting(main_of(player), GAMES, "4.00"), posting(GAMES, main_of(player), "1.25"))
    expected = {"HOUSE_CASH": Decimal(-10), "HOUSE_GAMES": Decimal("2.75")}
    assert balances() == expected

    let_the_horizon_pass()
    assert fold(now) == 2
    assert balances() == expected

    post(posting(main_of(player), GAMES, "1.00"))
    assert balances() == {**expected, "HOUSE_GAMES": Decimal("3.75")}
    assert books.find_differences() == []


def test_takes_one_statement_to_read(player: Player) -> None:
    deposit(player, "10.00")
    cash = Account.objects.get(kind=AccountKind.HOUSE_CASH)

    with CaptureQueriesContext(connection) as queries:
        get_hot_balance(account=cash)

    assert len(queries) == 1


def test_the_balance_of_a_player_is_not_summed(player: Player) -> None:
    deposit(player, "10.00")

    with pytest.raises(AssertionError):
        get_hot_balance(account=Account.objects.get(player=player))


def test_a_fold_moves_the_rows_into_the_snapshot(player: Player, now: datetime) -> None:
    transfer = deposit(player, "10.00")
    let_the_horizon_pass()

    fold(now)

    stored = AccountSnapshot.objects.get()
    assert (stored.balance, stored.taken_at) == (Decimal(-10), now)
    assert stored.account_id == transfer.debit_account_id
    assert stored.watermark > transfer.xid


def test_a_row_at_the_watermark_is_not_in_the_snapshot(player: Player, now: datetime) -> None:
    transfer = deposit(player, "10.00")
    cash = transfer.debit_account
    AccountSnapshot.objects.create(
        account=cash, balance=0, watermark=transfer.xid, taken_at=transfer.posted_at
    )

    assert get_hot_balance(account=cash) == Decimal(-10)
    assert books.find_differences() == []
    let_the_horizon_pass()
    assert fold(now) == 1
    assert AccountSnapshot.objects.get().balance == Decimal(-10)


def test_only_accounts_with_something_new_are_folded(
    player: Player, post: Post, now: datetime
) -> None:
    deposit(player, "10.00")
    post(posting(main_of(player), GAMES, "1.00"))
    AccountFactory.create(operator=player.operator, kind=AccountKind.PROMO_COST)
    let_the_horizon_pass()
    assert fold(now) == 2
    before = list(AccountSnapshot.objects.order_by("pk").values())

    assert fold(now + timedelta(minutes=1)) == 0

    assert list(AccountSnapshot.objects.order_by("pk").values()) == before
    deposit(player, "5.00")
    let_the_horizon_pass()
    assert fold(now + timedelta(minutes=2)) == 1


def test_a_run_is_bounded_and_takes_the_longest_unfolded_first(
    player: Player, post: Post, now: datetime
) -> None:
    deposit(player, "10.00")
    let_the_horizon_pass()
    fold(now)
    deposit(player, "10.00")
    post(posting(main_of(player), GAMES, "1.00"))
    let_the_horizon_pass()

    # The games have never been folded, the cash has.
    assert fold(now + timedelta(minutes=1), limit=1) == 1
    assert [row.account.kind for row in AccountSnapshot.objects.order_by("taken_at")] == [
        "HOUSE_CASH",
        "HOUSE_GAMES",
    ]
    assert fold(now + timedelta(minutes=2), limit=1) == 1
    assert AccountSnapshot.objects.get(account__kind="HOUSE_CASH").balance == -20


def test_what_is_under_way_is_left_to_a_later_fold(player: Player, now: datetime) -> None:
    deposit(player, "1.00")
    let_the_horizon_pass()
    other = PlayerFactory.create(operator=player.operator)

    with open_transaction(other, "10.00"):
        deposit(player, "5.00")
        fold(now)
        # Written by a younger transaction than the one still open, so not folded either.
        assert AccountSnapshot.objects.get().balance == Decimal(-1)
        assert balances() == {"HOUSE_CASH": Decimal(-6)}

    assert balances() == {"HOUSE_CASH": Decimal(-16)}
    let_the_horizon_pass()
    fold(now)
    assert AccountSnapshot.objects.get().balance == Decimal(-16)
    assert books.find_differences() == []


def test_a_rolled_back_transfer_never_counts(player: Player, now: datetime) -> None:
    deposit(player, "1.00")
    with transaction.atomic():
        deposit(player, "10.00")
        assert balances() == {"HOUSE_CASH": Decimal(-11)}
        transaction.set_rollback(True)

    let_the_horizon_pass()
    fold(now)

    assert balances() == {"HOUSE_CASH": Decimal(-1)}


@pytest.mark.parametrize("failure", [ResourceBusy("in use"), ZeroDivisionError("a bug")])
def test_an_account_that_cannot_be_folded_holds_up_no_other(
    failure: Exception,
    player: Player,
    post: Post,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deposit(player, "10.00")
    post(posting(main_of(player), GAMES, "1.00"))
    let_the_horizon_pass()
    cash = Account.objects.get(kind=AccountKind.HOUSE_CASH)
    lock_one = locks.lock_one

    def fail_for_cash(queryset: object) -> object:
        row = lock_one(queryset)
        if row.account_id == cash.pk:
            raise failure
        return row

    monkeypatch.setattr(locks, "lock_one", fail_for_cash)

    assert fold(now) == 1
    assert [row.account.kind for row in AccountSnapshot.objects.all()] == ["HOUSE_GAMES"]
    assert balances() == {"HOUSE_CASH": Decimal(-10), "HOUSE_GAMES": Decimal(1)}


def test_the_task_folds_and_twice_is_harmless(player: Player, post: Post) -> None:
    deposit(player, "10.00")
    post(posting(main_of(player), GAMES, "1.00", tag=Tag.BET))
    let_the_horizon_pass()

    first = tasks.snapshot_hot_accounts.apply(kwargs={"from_the_future": 1})
    second = tasks.snapshot_hot_accounts.apply(kwargs={})

    assert (first.get(), second.get()) == (2, 0)
    assert balances() == {"HOUSE_CASH": Decimal(-10), "HOUSE_GAMES": Decimal(1)}
    assert books.find_differences() == []
