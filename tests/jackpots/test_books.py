"""check_books: quiet on books that balance, and loud on each number that is not its rows."""

from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from core import books
from core.actors import Actor, ActorKind
from core.models import BooksCheck
from jackpots.models import Instance
from jackpots.services import folding, payouts
from operators.models import Operator
from players.models import Player
from tests.concurrency.sabotage import execute, triggers_off
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import ExchangeRateFactory
from tests.jackpots.conftest import let_the_horizon_pass
from tests.jackpots.ledger import Ledger
from wallets.enums import AccountKind, Tag
from wallets.services import transfers
from wallets.services.transfers import AccountKey, Posting

pytestmark = pytest.mark.django_db(transaction=True)

TASK = Actor(kind=ActorKind.TASK, ref="test")


@pytest.fixture
def instance(operator: Operator, player: Player, contribute: Callable[..., Any]) -> Instance:
    """A player-funded raffle with a folded and an unfolded contribution."""
    transfers.post_transfers(
        operator=operator,
        postings=[
            Posting(
                debit=AccountKey(AccountKind.HOUSE_CASH, "EUR"),
                credit=AccountKey(AccountKind.PLAYER_MAIN, "EUR", player_id=player.pk),
                amount=Decimal(100),
                tag=Tag.DEPOSIT,
                reference="deposit:1",
            )
        ],
        now=timezone.now(),
    )
    instance = InstanceFactory.create(operator=operator, funding="player")
    contribute(instance, base_wager="150.00")
    let_the_horizon_pass()
    folding.fold_instance(instance_id=instance.pk, actor=TASK, now=timezone.now())
    contribute(instance, base_wager="250.00")
    return instance


def tamper(sql: str) -> None:
    """Change what the triggers protect."""
    with triggers_off():
        execute(sql)


def test_books_that_balance_are_said_to(instance: Instance) -> None:
    out = StringIO()

    call_command("check_books", stdout=out)

    assert out.getvalue().startswith("The books balance")
    assert BooksCheck.objects.get().is_balanced


@pytest.mark.parametrize(
    ("sql", "check"),
    [
        ("UPDATE jackpots_pot SET folded = folded + 0.01", "jackpots.meters"),
        ("UPDATE jackpots_pot SET folded = folded + 0.01", "jackpots.conservation"),
        ("UPDATE jackpots_pot SET reserve = reserve + 0.01", "jackpots.conservation"),
        ("UPDATE jackpots_pot SET cycle_from_xid = '9999999'", "jackpots.meters"),
        ("UPDATE jackpots_instance SET folded_to = '0'", "jackpots.meters"),
        ("UPDATE jackpots_meterhour SET contributed = contributed + 0.00000001", "jackpots.hours"),
        ("DELETE FROM jackpots_meterhour", "jackpots.hours"),
        ("UPDATE jackpots_contribution SET pot_amounts = '{1.49}' WHERE amount = 1.5",
         "jackpots.parts"),
        ("UPDATE jackpots_contribution SET tickets_earned = tickets_earned + 1 WHERE amount = 2.5",
         "jackpots.tickets"),
        ("UPDATE jackpots_contribution SET accumulated = 3.99 WHERE amount = 2.5",
         "jackpots.tickets"),
        ("UPDATE jackpots_contribution SET debit_amount = 2.49 WHERE amount = 2.5",
         "jackpots.player_funds"),
        ("DELETE FROM jackpots_contribution WHERE amount = 2.5", "jackpots.player_funds"),
        ("DELETE FROM wallets_transfer WHERE amount = 2.5", "jackpots.player_funds"),
        ("UPDATE jackpots_contribution SET operator_id = operator_id + 1 WHERE amount = 2.5",
         "jackpots.orphans"),
        ("UPDATE jackpots_contribution SET instance_id = gen_random_uuid() WHERE amount = 2.5",
         "jackpots.orphans"),
    ],
)  # fmt: skip
def test_each_altered_number_is_found(sql: str, check: str, instance: Instance) -> None:
    tamper(sql)

    found = {difference.check for difference in books.find_differences()}

    assert check in found


def test_a_difference_of_one_unit_is_printed_and_exits_1(instance: Instance) -> None:
    tamper("UPDATE jackpots_pot SET folded = folded + 0.00000001")
    out, err = StringIO(), StringIO()

    with pytest.raises(SystemExit) as exit_status:
        call_command("check_books", stdout=out, stderr=err)

    assert exit_status.value.code == 1
    assert out.getvalue() == "".join(
        f"{check}: pot main of instance {instance.pk} is 1.50000001, its rows say 1.50000000\n"
        for check in ("jackpots.conservation", "jackpots.meters")
    )
    assert err.getvalue() == "2 differences.\n"


def test_what_a_player_paid_is_in_the_ledger(instance: Instance, player: Player) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT balance FROM wallets_account WHERE player_id = %s", [player.pk])
        assert cursor.fetchone() == (Decimal("96.00000000"),)
        cursor.execute(
            "SELECT sum(amount), array_agg(DISTINCT tag) FROM wallets_transfer"
            " WHERE reference LIKE 'contribution:%'"
        )
        assert cursor.fetchone() == (Decimal("4.00000000"), ["JACKPOT"])


def test_each_altered_number_of_a_win_is_found(operator: Operator, player: Player) -> None:
    ExchangeRateFactory.create(operator=operator)
    pot = {"seed": Decimal(5), "drop_type": "hit_rate", "drop_probability": Decimal(1)}
    instance = InstanceFactory.create(operator=operator, progressive=True, pots=[pot])
    ledger = Ledger(operator, TASK)
    won = ledger.add(instance, "bob", "2.505", hits=[0])
    ledger.fold(instance)
    ledger.take_back(instance, won)
    ledger.fold(instance)
    payouts.pay_due_wins(clock=timezone.now, limit=10)
    assert books.find_differences() == []

    for sql, undo, check in [
        ("UPDATE jackpots_win SET amount = 7.51", "UPDATE jackpots_win SET amount = 7.5",
         "jackpots.conservation"),
        ("UPDATE jackpots_win SET payout_amount = 7.49",
         "UPDATE jackpots_win SET payout_amount = 7.5", "jackpots.wins"),
        ("UPDATE jackpots_win SET currency = 'USD'", "UPDATE jackpots_win SET currency = 'EUR'",
         "jackpots.wins"),
        ("UPDATE wallets_transfer SET reference = 'lost' WHERE starts_with(reference, 'jackpot:')",
         "UPDATE wallets_transfer SET reference = (SELECT 'jackpot:' || id FROM jackpots_win)",
         "jackpots.wins"),
        ("UPDATE jackpots_rollbackloss SET amount = 2.5",
         "UPDATE jackpots_rollbackloss SET amount = 2.505", "jackpots.losses"),
        ("UPDATE jackpots_potentry SET amount = amount + 1 WHERE kind = 'reserve'",
         "UPDATE jackpots_potentry SET amount = amount - 1 WHERE kind = 'reserve'",
         "jackpots.openings"),
        ("UPDATE jackpots_contribution SET amount = 2 WHERE status = 'reversal'",
         "UPDATE jackpots_contribution SET amount = 2.505 WHERE status = 'reversal'",
         "jackpots.parts"),
    ]:  # fmt: skip
        tamper(sql)
        assert check in {difference.check for difference in books.find_differences()}, sql
        tamper(undo)
    assert books.find_differences() == []
