"""wallets_account_id and wallets_post_transfer, as other apps' functions call them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from operators.models import Operator
from players.models import Player
from tests.factories.players import PlayerFactory
from tests.factories.wallets import deposit, held_by
from wallets.enums import AccountKind
from wallets.models import Account, Transfer

pytestmark = pytest.mark.django_db


def select(sql: str, *params: Any) -> Any:
    """Return the one value of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0]


def account_id(
    operator: Operator,
    kind: AccountKind,
    now: datetime,
    *,
    player: Player | None = None,
    owner: str = "",
) -> int:
    return select(
        "SELECT wallets_account_id(%s, %s, 'EUR', %s, %s, %s)",
        operator.pk,
        kind,
        player and player.pk,
        owner,
        now,
    )


def post_one(operator: Operator, debit: int, credit: int, amount: str, now: datetime) -> int | None:
    return select(
        "SELECT wallets_post_transfer(%s, %s, %s, %s, %s::numeric, 'EUR', 'JACKPOT', %s,"
        " NULL, NULL, NULL, NULL, NULL, %s)",
        operator.pk,
        uuid4(),
        debit,
        credit,
        amount,
        f"reference-{uuid4()}",
        now,
    )


def test_an_account_is_opened_once(operator: Operator, player: Player, now: datetime) -> None:
    calls = [
        lambda: account_id(operator, AccountKind.PLAYER_MAIN, now, player=player),
        lambda: account_id(operator, AccountKind.PLAYER_VAULT, now, player=player),
        lambda: account_id(operator, AccountKind.JACKPOT_POOL, now, owner="a"),
        lambda: account_id(operator, AccountKind.JACKPOT_POOL, now, owner="b"),
        lambda: account_id(operator, AccountKind.HOUSE_CASH, now),
    ]

    first, second = [call() for call in calls], [call() for call in calls]

    assert first == second
    assert len(set(first)) == len(calls) == Account.objects.count()


def test_returns_the_id_of_the_transfer(operator: Operator, player: Player, now: datetime) -> None:
    deposit(player, "10.00")
    main = account_id(operator, AccountKind.PLAYER_MAIN, now, player=player)
    pool = account_id(operator, AccountKind.JACKPOT_POOL, now, owner="weekly")

    posted = post_one(operator, main, pool, "4", now)

    assert posted == Transfer.objects.get(credit_account_id=pool).pk
    assert held_by(player) == Decimal(6)


@pytest.mark.parametrize("lower", ["debit", "credit"])
def test_returns_null_and_changes_nothing_without_the_funds(
    lower: str, operator: Operator, player: Player, now: datetime
) -> None:
    # With the debit's row above and below the credit's: they are locked in another order.
    other = PlayerFactory.create(operator=operator)
    payer, payee = (player, other) if lower == "debit" else (other, player)
    deposit(player, "1.00")
    deposit(other, "1.00")
    debit = account_id(operator, AccountKind.PLAYER_MAIN, now, player=payer)
    credit = account_id(operator, AccountKind.PLAYER_MAIN, now, player=payee)
    assert (debit < credit) == (lower == "debit")

    refused = post_one(operator, debit, credit, "1.01", now)
    assert (refused, held_by(payer), held_by(payee)) == (None, 1, 1)

    posted = post_one(operator, debit, credit, "1.00", now)
    assert (posted is not None, held_by(payer), held_by(payee)) == (True, 0, 2)


@pytest.mark.parametrize(
    "amount", ["0", "-1", "0.000000001", "1.000000001", "1E+20", "NaN", "Infinity"]
)
def test_an_impossible_amount_moves_nothing(
    amount: str, operator: Operator, player: Player, now: datetime
) -> None:
    deposit(player, "10.00")
    main = account_id(operator, AccountKind.PLAYER_MAIN, now, player=player)
    games = account_id(operator, AccountKind.HOUSE_GAMES, now)
    count = Transfer.objects.count()

    posted = None
    try:
        with transaction.atomic():
            posted = post_one(operator, main, games, amount, now)
    except IntegrityError:
        pass

    assert (posted, held_by(player), Transfer.objects.count()) == (None, 10, count)


def test_an_unknown_account_is_an_error(operator: Operator, now: datetime) -> None:
    games = account_id(operator, AccountKind.HOUSE_GAMES, now)

    with pytest.raises(Exception, match="query returned no rows"):
        post_one(operator, games, -1, "1", now)
