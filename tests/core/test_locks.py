"""core.locks: the only place that locks, and what it refuses."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from core import locks
from core.errors import NotFound, ResourceBusy
from core.locks import AdvisoryLock
from players.models import Player
from tests.concurrency.sabotage import impatient
from tests.factories.players import PlayerFactory

in_transactions = pytest.mark.django_db(transaction=True)


def elsewhere(work: Any) -> Any:
    """Do ``work`` in another thread, on a connection of its own."""

    def do() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(do).result(timeout=30)


@in_transactions
def test_a_lock_outside_a_transaction_is_refused() -> None:
    player = PlayerFactory.create()
    rows = Player.objects.filter(pk=player.pk)

    for take in (
        lambda: locks.lock_many(rows),
        lambda: locks.lock_one(rows),
        lambda: locks.lock_rows("SELECT id FROM players_player", [], table="players_player"),
        lambda: locks.lock_exclusively(AdvisoryLock.RAFFLE_PLAYER, "all"),
    ):
        with pytest.raises(RuntimeError, match="locks nothing"):
            take()


@pytest.mark.django_db
def test_rows_are_locked_in_the_order_of_their_keys() -> None:
    first, second, third = PlayerFactory.create_batch(3)
    rows = Player.objects.filter(pk__in=[third.pk, first.pk, second.pk]).order_by("-pk")

    with CaptureQueriesContext(connection) as queries:
        locked = locks.lock_many(rows)

    assert locked == [first, second, third]
    (query,) = queries
    assert query["sql"].endswith(
        'ORDER BY "players_player"."id" ASC FOR NO KEY UPDATE OF "players_player"'
    )


@pytest.mark.django_db
def test_a_row_that_is_not_there_is_not_found() -> None:
    assert locks.lock_many(Player.objects.filter(pk=-1)) == []
    with pytest.raises(NotFound, match="There is no such player"):
        locks.lock_one(Player.objects.filter(pk=-1))


@pytest.mark.django_db
def test_two_rows_where_one_was_meant_are_the_programmers_mistake() -> None:
    PlayerFactory.create_batch(2)

    with pytest.raises(AssertionError):
        locks.lock_one(Player.objects.all())


def lock_by_sql(players: QuerySet[Player]) -> None:
    sql = "SELECT id FROM players_player WHERE id = %s"
    assert locks.lock_rows(sql, [players.get().pk], table="players_player") != []


@in_transactions
@pytest.mark.parametrize("lock", [locks.lock_one, lock_by_sql])
def test_a_row_in_use_is_busy_until_it_is_let_go(lock: Callable[[Any], Any]) -> None:
    player = PlayerFactory.create()
    rows = Player.objects.filter(pk=player.pk)

    def lock_impatiently() -> str:
        try:
            with impatient(), transaction.atomic():
                lock(rows)
        except ResourceBusy:
            return "busy"
        else:
            return "locked"

    with transaction.atomic():
        lock(rows)
        during = elsewhere(lock_impatiently)
    after = elsewhere(lock_impatiently)

    assert (during, after) == ("busy", "locked")


@in_transactions
def test_a_locked_row_may_still_be_pointed_at() -> None:
    player = PlayerFactory.create()

    with transaction.atomic():
        locks.lock_one(type(player.operator).objects.filter(pk=player.operator_id))
        # The new player's foreign key is checked against the locked operator.
        newcomer = elsewhere(lambda: PlayerFactory.create(operator=player.operator))

    assert newcomer.operator_id == player.operator_id


@in_transactions
@pytest.mark.parametrize(
    ("held", "wanted", "is_busy"),
    [
        ((AdvisoryLock.RAFFLE_PLAYER, "all"), (AdvisoryLock.RAFFLE_PLAYER, "all"), True),
        ((AdvisoryLock.RAFFLE_PLAYER, "all"), (AdvisoryLock.RAFFLE_PLAYER, "other"), False),
        ((AdvisoryLock.INSTANCE, "all"), (AdvisoryLock.RAFFLE_PLAYER, "all"), False),
    ],
)
def test_an_advisory_lock_is_one_kind_and_one_key(
    held: tuple[AdvisoryLock, str], wanted: tuple[AdvisoryLock, str], is_busy: bool
) -> None:
    def take() -> bool:
        try:
            with impatient(), transaction.atomic():
                locks.lock_exclusively(*wanted)
        except ResourceBusy:
            return True
        else:
            return False

    with transaction.atomic():
        locks.lock_exclusively(*held)
        assert elsewhere(take) is is_busy

    assert elsewhere(take) is False


def test_the_kinds_of_advisory_locks_keep_their_numbers() -> None:
    # They stand in database functions; a changed number would lock something else.
    numbers = {kind.name: kind.value for kind in AdvisoryLock}

    assert numbers.items() >= {
        "IDEMPOTENCY_KEY": 1, "RAFFLE_PLAYER": 2, "INSTANCE": 3
    }.items()  # fmt: skip
    assert len(set(numbers.values())) == len(numbers)
