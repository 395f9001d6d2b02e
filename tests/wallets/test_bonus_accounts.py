"""The accounts of bonuses: apart from a player's own money, locked together with it."""

from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection, transaction

from core.errors import ResourceBusy
from operators.models import Operator
from players.models import Player
from tests.concurrency.sabotage import at_once, execute
from tests.factories.players import PlayerFactory
from tests.factories.wallets import deposit, house, main_of, posting, vault_of
from tests.wallets.conftest import Post
from wallets.enums import AccountKind
from wallets.errors import InsufficientFunds
from wallets.selectors import Balance, get_balances, get_bonus_balances
from wallets.services.balances import LockedBalances, lock_balances
from wallets.services.transfers import AccountKey


def bonus_of(player: Player, owner: str) -> AccountKey:
    return AccountKey(AccountKind.PLAYER_BONUS, player.currency, player_id=player.pk, owner=owner)


def lock(player: Player, *owners: str, currency: str = "EUR") -> LockedBalances:
    return lock_balances(
        operator=player.operator, player_id=player.pk, currency=currency, owners=owners
    )


COST = house(AccountKind.BONUS_COST)


@pytest.mark.django_db
def test_the_money_of_a_bonus_is_in_no_balance(player: Player, post: Post) -> None:
    deposit(player, "7.00")
    post(posting(main_of(player), vault_of(player), "2.00"))
    post(
        posting(COST, bonus_of(player, "one"), "10.00"),
        posting(COST, bonus_of(player, "two"), "20.00"),
    )

    assert get_balances(player=player) == [Balance("EUR", main=Decimal(5), vault=Decimal(2))]
    assert get_bonus_balances(player=player) == {"one": 10, "two": 20}


@pytest.mark.django_db
def test_a_player_with_a_bonus_only_holds_nothing(player: Player, post: Post) -> None:
    post(posting(COST, bonus_of(player, "one"), "10.00"))

    assert get_balances(player=player) == [Balance("EUR", main=Decimal(0), vault=Decimal(0))]


@pytest.mark.django_db
def test_a_bonus_pays_no_more_than_it_holds(player: Player, post: Post) -> None:
    deposit(player, "100.00")
    post(posting(COST, bonus_of(player, "one"), "10.00"))

    with pytest.raises(InsufficientFunds), transaction.atomic():
        post(posting(bonus_of(player, "one"), house(), "10.01"))

    assert get_bonus_balances(player=player) == {"one": 10}


@pytest.mark.django_db
def test_locks_and_tells_what_is_asked_for(player: Player, post: Post, operator: Operator) -> None:
    other = PlayerFactory.create(operator=operator)
    deposit(player, "7.00")
    deposit(other, "8.00")
    post(
        posting(COST, bonus_of(player, "one"), "10.00"),
        posting(COST, bonus_of(player, "two"), "20.00"),
        posting(COST, bonus_of(other, "three"), "30.00"),
    )

    locked = lock(player, "one", "three", "none")

    assert locked.main == 7
    assert locked.bonus == {"one": 10, "three": 0, "none": 0}
    assert lock(player, currency="USD") == LockedBalances(main=Decimal(0), bonus={})


@pytest.mark.django_db(transaction=True)
def test_what_is_locked_stays_until_the_transaction_ends() -> None:
    player = PlayerFactory.create()
    deposit(player, "7.00")
    held, done = Barrier(2, timeout=60), Barrier(2, timeout=60)

    def hold() -> str:
        with transaction.atomic():
            lock(player, "one")
            held.wait()
            done.wait()
        return "held"

    def wait() -> str:
        held.wait()
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '100ms'")
                lock(player, "one")
        except ResourceBusy:
            return "busy"
        finally:
            done.wait()
        return "locked"

    assert at_once([hold, wait]) == ["held", "busy"]


@pytest.mark.django_db
def test_the_accounts_are_locked_in_the_order_of_their_ids(db: None) -> None:
    [(definition,)] = execute("SELECT pg_get_functiondef('wallets_lock_balances'::regproc)")

    assert "ORDER BY account.id\n    FOR NO KEY UPDATE" in definition
