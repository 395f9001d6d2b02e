"""
Many transfers at one instant: a balance good for one, one reference, tips both ways.

The decisions are made in database functions, so each control takes a guard out of them and
shows the race that it stops.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from core import books
from core.errors import DomainError, ResourceBusy
from players.models import Player
from tests.concurrency.sabotage import at_once, execute, meeting, sabotaged
from tests.factories.players import PlayerFactory
from tests.factories.wallets import deposit, held_by, house, main_of, posting
from wallets.enums import AccountKind, Tag
from wallets.models import Account, Transfer
from wallets.services import transfers
from wallets.services.transfers import Posting

pytestmark = pytest.mark.django_db(transaction=True)

ONE, MANY = "wallets_post_transfer", "wallets_post_transfers"
LOCK_ALL = """PERFORM 1 FROM wallets_account WHERE id = ANY (v_player_account_ids)
    ORDER BY id FOR NO KEY UPDATE;"""
LOCK_LOWER = "PERFORM 1 FROM wallets_account WHERE id = p_credit FOR NO KEY UPDATE;"
GUARDED_DEBIT = "WHERE id = p_debit AND balance >= p_amount"
LOOK = """IF (SELECT balance FROM wallets_account WHERE id = p_debit) < p_amount THEN
        RETURN NULL;
    END IF;"""


# Open already: opening an account would let the threads in one after the other.
CASH = house(AccountKind.HOUSE_CASH)


@pytest.fixture
def player() -> Player:
    """A player with ten euros."""
    player = PlayerFactory.create()
    deposit(player, "10.00")
    return player


def post(player: Player, wanted: Posting) -> Transfer | str:
    """Post a transfer and return it, or the code of the refusal."""
    try:
        [transfer] = transfers.post_transfers(
            operator=player.operator, postings=[wanted], now=timezone.now()
        )
        return transfer
    except DomainError as error:
        return error.code


def outcomes(answers: list[Any]) -> Counter[str]:
    return Counter(
        answer if isinstance(answer, str) else type(answer).__name__ for answer in answers
    )


# A balance good for one


@contextmanager
def nothing_below_zero_refused() -> Iterator[None]:
    """Look first and take then, with no constraint behind it."""
    constraint = "account_balance_not_negative"
    after_check = "transfer_debit_balance_not_negative"
    execute(f"ALTER TABLE wallets_account DROP CONSTRAINT {constraint}")
    execute(f"ALTER TABLE wallets_transfer DROP CONSTRAINT {after_check}")
    try:
        with (
            meeting(4) as all_have_looked,
            sabotaged(MANY, (LOCK_ALL, "")),
            sabotaged(
                ONE,
                (GUARDED_DEBIT, "WHERE id = p_debit"),
                (
                    "IF NOT v_debit_is_hot THEN",
                    f"{LOOK} {all_have_looked} IF NOT v_debit_is_hot THEN",
                ),
            ),
        ):
            yield
    finally:
        execute("TRUNCATE wallets_transfer, wallets_account CASCADE")
        limit = "< 100000000000000000000"
        execute(
            f"ALTER TABLE wallets_account ADD CONSTRAINT {constraint}"
            f" CHECK (balance >= 0 AND balance {limit})"
        )
        execute(
            f"ALTER TABLE wallets_transfer ADD CONSTRAINT {after_check}"
            f" CHECK (debit_balance_after >= 0 AND debit_balance_after {limit})"
        )


def spend_all(player: Player) -> Callable[[], Transfer | str]:
    return lambda: post(player, posting(main_of(player), CASH, "10.00"))


def test_control_looking_before_taking_spends_the_balance_more_than_once(player: Player) -> None:
    with nothing_below_zero_refused():
        answers = at_once([spend_all(player)] * 4)
        balance = held_by(player)

    assert outcomes(answers) == {"Transfer": 4}
    assert balance == -30


def test_a_balance_good_for_one_is_spent_by_exactly_one_of_20(player: Player) -> None:
    answers = at_once([spend_all(player)] * 20)

    assert outcomes(answers) == {"Transfer": 1, "INSUFFICIENT_FUNDS": 19}
    assert held_by(player) == 0
    assert Transfer.objects.filter(tag=Tag.BET).count() == 1
    assert books.find_differences() == []


# One reference


def test_control_without_the_lock_a_twin_hears_a_rule_and_not_its_answer(player: Player) -> None:
    bet = posting(main_of(player), CASH, "10.00")

    with (
        meeting(2) as both_have_looked,
        sabotaged(
            MANY,
            (LOCK_ALL, ""),
            ("v_id := wallets_post", f"{both_have_looked} v_id := wallets_post"),
        ),
    ):
        answers = at_once([partial(post, player, bet)] * 2)

    assert outcomes(answers) == {"Transfer": 1, "INSUFFICIENT_FUNDS": 1}


def test_20_postings_of_one_reference_move_money_once(player: Player) -> None:
    bet = posting(main_of(player), CASH, "10.00")

    answers = at_once([partial(post, player, bet)] * 20)

    assert outcomes(answers) == {"Transfer": 20}
    assert len(set(answers)) == 1
    assert held_by(player) == 0


def test_between_hot_accounts_a_twin_is_told_to_come_again(player: Player) -> None:
    cost = posting(CASH, house(), "1.00")
    assert isinstance(post(player, posting(CASH, house(), "1.00")), Transfer)

    answers = at_once([partial(post, player, cost)] * 8)

    assert set(outcomes(answers)) <= {"Transfer", ResourceBusy.code}
    assert post(player, cost) == Transfer.objects.get(reference=cost.reference)


def test_who_waits_too_long_for_an_account_is_told_so(player: Player) -> None:
    other = PlayerFactory.create(operator=player.operator)
    gift = posting(CASH, main_of(player), "1.00", tag=Tag.WIN)

    def impatiently() -> Transfer | str:
        with transaction.atomic():
            execute("SET LOCAL lock_timeout = '50ms'")
            return post(player, gift)

    with transaction.atomic():
        transfers.post_transfers(
            operator=player.operator,
            postings=[posting(main_of(player), main_of(other), "1.00")],
            now=timezone.now(),
        )
        [answer] = at_once([impatiently])

    assert answer == ResourceBusy.code
    assert (held_by(player), held_by(other)) == (Decimal(9), Decimal(1))


# Tips both ways


def tip(giver: Player, taker: Player) -> str:
    """Tip a cent; return what became of it."""
    try:
        answer = post(giver, posting(main_of(giver), main_of(taker), "0.01", tag=Tag.TIP))
    except OperationalError as error:
        return type(error.__cause__).__name__
    return answer if isinstance(answer, str) else "posted"


def tip_by_function(giver: Player, taker: Player) -> str:
    """Tip a cent by the function that other apps call, which locks for itself."""
    accounts = {
        who.pk: Account.objects.get(player=who, kind=AccountKind.PLAYER_MAIN).pk
        for who in (giver, taker)
    }
    try:
        execute(
            "SELECT wallets_post_transfer(%s, %s, %s, %s, 0.01, 'EUR', 'TIP', %s,"
            " NULL, NULL, NULL, NULL, NULL, %s)",
            [
                giver.operator_id,
                uuid4(),
                accounts[giver.pk],
                accounts[taker.pk],
                f"tip-{uuid4()}",
                timezone.now(),
            ],
        )
    except OperationalError as error:
        return type(error.__cause__).__name__
    return "posted"


@pytest.fixture
def friends(player: Player) -> tuple[Player, Player]:
    """Two players with ten euros each."""
    other = PlayerFactory.create(operator=player.operator)
    deposit(other, "10.00")
    return player, other


@pytest.mark.parametrize("way", [tip, tip_by_function])
def test_control_without_an_order_of_locks_opposite_tips_deadlock(
    way: Callable[[Player, Player], str], friends: tuple[Player, Player]
) -> None:
    one, other = friends

    with (
        meeting(2) as both_hold_one,
        sabotaged(MANY, (LOCK_ALL, "")),
        sabotaged(
            ONE,
            (LOCK_LOWER, ""),
            ("IF NOT v_credit_is_hot THEN", f"{both_hold_one} IF NOT v_credit_is_hot THEN"),
        ),
    ):
        answers = at_once([partial(way, one, other), partial(way, other, one)])

    assert Counter(answers) == {"posted": 1, "DeadlockDetected": 1}


@pytest.mark.parametrize(
    ("way", "other_way"),
    [(tip, tip), (tip_by_function, tip_by_function), (tip, tip_by_function)],
)
def test_opposite_tips_in_16_threads_never_deadlock(
    way: Callable[[Player, Player], str],
    other_way: Callable[[Player, Player], str],
    friends: tuple[Player, Player],
) -> None:
    one, other = friends

    def tips(by: Callable[[Player, Player], str], giver: Player, taker: Player) -> list[str]:
        return [by(giver, taker) for _ in range(20)]

    answers = at_once([partial(tips, way, one, other), partial(tips, other_way, other, one)] * 8)

    assert Counter(answer for each in answers for answer in each) == {"posted": 320}
    assert (held_by(one), held_by(other)) == (Decimal(10), Decimal(10))
    assert books.find_differences() == []
