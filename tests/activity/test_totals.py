"""What players have deposited and wagered, and the checks that rebuild it from rows."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from core.books import Difference, check_names, find_differences
from core.errors import InvalidRequest, NotFound
from core.writes import write_together
from games.models import Game
from players.models import Player
from players.services import totals
from tests.concurrency.sabotage import execute
from tests.factories.activity import (
    BetFactory,
    DepositFactory,
    WithdrawalFactory,
    bet_by,
    deposit_by,
)
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db(transaction=True)

CHECKS = ["activity.rollbacks", "activity.totals", "activity.transfers"]


@pytest.fixture
def player() -> Player:
    operator = OperatorFactory.create()
    ExchangeRateFactory.create(operator=operator)
    return PlayerFactory.create(operator=operator)


@pytest.fixture
def game(player: Player) -> Game:
    return GameFactory.create(operator=player.operator)


def stored(player: Player) -> tuple[Decimal, int, Decimal]:
    found = Player.objects.get(pk=player.pk)
    return found.total_deposit_usd, found.deposit_count, found.total_wager_usd


def differences() -> list[tuple[str, str, Decimal, Decimal]]:
    found: list[Difference] = find_differences(names=CHECKS)
    return [(each.check, each.subject, each.recorded, each.computed) for each in found]


def disable_triggers(table: str) -> Callable[[], Any]:
    execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return lambda: execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


# The services


def test_a_deposit_counts(player: Player) -> None:
    totals.add_deposit(
        operator=player.operator, player_id=player.pk, usd_amount=Decimal("0.00000001")
    )

    assert stored(player) == (Decimal("0.00000001"), 1, 0)


def add_wager(**wager: Any) -> None:
    with write_together() as writes:
        totals.add_wager(**wager, writes=writes)


def test_a_wager_counts_and_is_taken_back(player: Player) -> None:
    for change, expected in (
        (add_wager, Decimal("12.5")),
        (add_wager, Decimal(25)),
        (totals.take_back_wager, Decimal("12.5")),
    ):
        change(operator=player.operator, player_id=player.pk, usd_amount=Decimal("12.5"))
        assert stored(player) == (0, 0, expected)


@pytest.mark.parametrize("change", [totals.add_deposit, add_wager, totals.take_back_wager])
def test_a_player_of_another_operator_is_not_found(change: Any, player: Player) -> None:
    with pytest.raises(NotFound):
        change(operator=OperatorFactory.create(), player_id=player.pk, usd_amount=Decimal(1))

    assert stored(player) == (0, 0, 0)


@pytest.mark.parametrize("change", [totals.add_deposit, add_wager])
def test_more_than_can_be_stored_is_refused(change: Any, player: Player) -> None:
    most = Decimal("99999999999999999999.99999999")
    Player.objects.filter(pk=player.pk).update(total_deposit_usd=most, total_wager_usd=most)

    with pytest.raises(InvalidRequest):
        change(operator=player.operator, player_id=player.pk, usd_amount=Decimal("0.00000001"))

    assert stored(player) == (most, 0, most)


# The books


def test_the_checks_are_registered() -> None:
    assert set(CHECKS) <= set(check_names())


def test_what_was_really_done_balances(player: Player, game: Game) -> None:
    deposit_by(player, 100)
    bet_by(player, game, 10)
    bet_by(player, game, 10, payout=Decimal(0))
    bet_by(player, game, 10, payout=Decimal(5))

    assert find_differences() == []
    assert stored(player) == (125, 1, 25)


@pytest.mark.parametrize(
    ("field", "recorded", "computed"),
    [
        ("total_deposit_usd", Decimal("125.00000001"), Decimal(125)),
        ("deposit_count", Decimal(2), Decimal(1)),
        ("total_wager_usd", Decimal("12.49999999"), Decimal("12.5")),
    ],
)
def test_a_total_that_is_off_is_found(
    field: str, recorded: Decimal, computed: Decimal, player: Player, game: Game
) -> None:
    deposit_by(player, 100)
    bet_by(player, game, 10, payout=Decimal(0))
    Player.objects.filter(pk=player.pk).update(**{field: recorded})

    assert differences() == [
        ("activity.totals", f"{field} of player {player.pk}", recorded, computed)
    ]


def test_a_bet_that_is_only_placed_is_no_wager(player: Player, game: Game) -> None:
    deposit_by(player, 100)
    bet_by(player, game, 10)
    Player.objects.filter(pk=player.pk).update(total_wager_usd=Decimal("12.5"))

    assert [(check, computed) for check, _subject, _recorded, computed in differences()] == [
        ("activity.totals", 0)
    ]


def test_rows_that_moved_no_money_are_found(player: Player, game: Game) -> None:
    operator = player.operator
    DepositFactory.create(operator=operator, player=player, reference="d")
    WithdrawalFactory.create(operator=operator, player=player, reference="w")
    BetFactory.create(operator=operator, player=player, game=game, bet_id="b")
    Player.objects.filter(pk=player.pk).update(total_deposit_usd=Decimal("12.5"), deposit_count=1)

    subjects = [
        f"transfer {reference} of operator {operator.pk}"
        for reference in (f"bet:{player.pk}:b", "deposit:d", "withdrawal:w")
    ]
    assert differences() == [
        ("activity.transfers", subjects[0], 0, -10),
        ("activity.transfers", subjects[1], 0, 10),
        ("activity.transfers", subjects[2], 0, -10),
    ]


def test_a_stake_that_is_not_what_moved_is_found(player: Player, game: Game) -> None:
    deposit_by(player, 100)
    bet = bet_by(player, game, 10, bet_id="b").bet
    enable = disable_triggers("activity_bet")
    execute("UPDATE activity_bet SET stake = 10.01 WHERE id = %s", [bet.pk])
    enable()

    [(check, _subject, *numbers)] = differences()
    assert (check, numbers) == ("activity.transfers", [-10, Decimal("-10.01")])


def test_a_rollback_without_a_reversal_is_found(player: Player, game: Game) -> None:
    deposit_by(player, 100)
    bet = bet_by(player, game, 10, payout=Decimal(4)).bet
    execute(
        "UPDATE activity_bet SET status = 'rolled_back', rolled_back_at = now() WHERE id = %s",
        [bet.pk],
    )
    totals.take_back_wager(operator=player.operator, player_id=player.pk, usd_amount=bet.stake_usd)

    found = [(check, *numbers) for check, _subject, *numbers in differences()]
    assert found == [("activity.rollbacks", 0, 10), ("activity.rollbacks", 0, 4)]
