"""Hot accounts while transfers, folds and readers run at once: always the sum of the rows."""

import threading
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from core import books
from players.models import Player
from tests.concurrency.sabotage import at_once, let_them_read
from tests.factories.players import PlayerFactory
from tests.factories.wallets import deposit, house, main_of, posting
from tests.wallets.test_hot_balances import let_the_horizon_pass, open_transaction
from wallets.enums import AccountKind, Tag
from wallets.models import Account, AccountSnapshot, Transfer
from wallets.selectors import get_hot_balance
from wallets.services import snapshots, transfers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def player() -> Player:
    return PlayerFactory.create()


def fold() -> int:
    return snapshots.snapshot_hot_accounts(now=timezone.now(), limit=10)


def sum_of_rows(account: Account) -> Decimal:
    def total(side: str) -> Decimal:
        rows = Transfer.objects.filter(**{side: account})
        return rows.aggregate(total=Sum("amount"))["total"] or Decimal(0)

    return total("credit_account") - total("debit_account")


def fold_around_an_open_transaction(player: Player) -> Decimal:
    """Fold while one transfer is posted and not committed; return the balance afterwards."""
    other = PlayerFactory.create(operator=player.operator)
    deposit(player, 1)
    with open_transaction(other, "10.00"):
        deposit(player, 5)
        fold()
    let_the_horizon_pass()
    fold()
    return get_hot_balance(account=Account.objects.get(kind=AccountKind.HOUSE_CASH))


def test_control_a_fold_of_all_it_sees_loses_what_is_under_way(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    for query in ("_FOLD", "_DUE"):
        naive = getattr(snapshots, query).replace("pg_snapshot_xmin", "pg_snapshot_xmax")
        monkeypatch.setattr(snapshots, query, naive)

    assert fold_around_an_open_transaction(player) == Decimal(-6)
    assert [difference.check for difference in books.find_differences()] == ["wallets.snapshots"]


def test_a_fold_leaves_what_is_under_way_to_the_next(player: Player) -> None:
    assert fold_around_an_open_transaction(player) == Decimal(-16)
    assert books.find_differences() == []


def read_in_two_statements(account: Account, between: Callable[[], Any]) -> Decimal:
    """Read the rows, and then the snapshot that was folded in between."""
    stored = AccountSnapshot.objects.filter(account=account)
    newer = sum_of_rows(account) - sum((row.balance for row in stored.all()), Decimal(0))
    between()
    return newer + sum((row.balance for row in stored.all()), Decimal(0))


def test_control_a_balance_read_in_two_statements_counts_twice(player: Player) -> None:
    deposit(player, 4)
    let_the_horizon_pass()
    cash = Account.objects.get(kind=AccountKind.HOUSE_CASH)

    assert read_in_two_statements(cash, fold) == Decimal(-8)
    assert get_hot_balance(account=cash) == Decimal(-4)


def test_a_hot_balance_is_the_sum_of_the_rows_at_every_instant(player: Player) -> None:
    players = [player, *PlayerFactory.create_batch(3, operator=player.operator)]
    for each in players:
        deposit(each, 1000)
    games_key, per_thread = house(), 40
    transfers.post_transfers(
        operator=player.operator,
        postings=[posting(main_of(player), games_key, "1.00")],
        now=timezone.now(),
    )
    games = Account.objects.get(kind=AccountKind.HOUSE_GAMES)
    writers_left = threading.Semaphore(0)

    seen: list[tuple[Decimal, Decimal]] = []

    def write(who: Player) -> int:
        for number in range(per_thread):
            if number and number % 5 == 0:
                let_them_read(seen)
            bet = posting(main_of(who), games_key, "1.01")
            win = posting(games_key, main_of(who), "0.51", tag=Tag.WIN)
            transfers.post_transfers(operator=who.operator, postings=[bet, win], now=timezone.now())
        writers_left.release()
        return 0

    is_over = threading.Event()

    def fold_on() -> int:
        return sum(iter(lambda: -1 if is_over.is_set() else fold(), -1))

    def read_on() -> int:
        while not is_over.is_set():
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                seen.append((get_hot_balance(account=games), sum_of_rows(games)))
        return 0

    def wait() -> int:
        for _ in players:
            assert writers_left.acquire(timeout=60)
        is_over.set()
        return 0

    # There is something to fold from the start, whatever other processes keep open meanwhile.
    let_the_horizon_pass()
    counts = at_once([*[partial(write, who) for who in players], fold_on, fold_on, read_on, wait])

    assert [pair for pair in seen if pair[0] != pair[1]] == []
    # It proves nothing unless balances moved while it was read, and something was folded.
    assert len({balance for balance, _sum in seen}) > 5
    assert sum(counts) > 0
    assert get_hot_balance(account=games) == 1 + len(players) * per_thread * Decimal("0.50")
    let_the_horizon_pass()
    fold()
    assert AccountSnapshot.objects.get(account=games).balance == sum_of_rows(games)
    assert books.find_differences() == []
