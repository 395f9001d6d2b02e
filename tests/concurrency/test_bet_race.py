"""
Bets of one player at one instant: one bet twice, many bets, a settlement and a rollback.

Each race has its control: the guard is taken away, and the race is seen.
"""

import threading
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from django_fsm import ConcurrentTransition

from activity.models import Bet
from activity.services import placing
from activity.services.bets import roll_back_bet, settle_bet
from core import locks
from core.books import find_differences
from core.errors import DomainError
from games.models import Game
from players.models import Player
from promos.models import UserPromo
from tests.concurrency.sabotage import at_once
from tests.factories.activity import ACTOR, bet_by, claim_of, deposit_by
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import held_by

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def player() -> Player:
    """A player with a hundred euros at 1.25 US dollars."""
    operator = OperatorFactory.create()
    ExchangeRateFactory.create(operator=operator)
    player = PlayerFactory.create(operator=operator, reference="ada")
    deposit_by(player, 100)
    return player


@pytest.fixture
def game(player: Player) -> Game:
    return GameFactory.create(operator=player.operator, slug="sums")


def outcome(command: Callable[[], Any]) -> str:
    """Run a command in a transaction of its own, as the doors do, and name what came of it."""
    try:
        with transaction.atomic(durable=True):
            command()
    except DomainError as refusal:
        return refusal.code
    except (ConcurrentTransition, DatabaseError):
        return "fell"
    return "done"


def settle(player: Player, payout: Any, bet_id: str = "r-1") -> str:
    return outcome(
        lambda: settle_bet(
            operator=player.operator,
            player_reference=player.reference,
            bet_id=bet_id,
            payout=Decimal(payout),
            actor=ACTOR,
            now=timezone.now(),
        )
    )


def roll_back(player: Player, bet_id: str = "r-1") -> str:
    return outcome(
        lambda: roll_back_bet(
            operator=player.operator,
            player_reference=player.reference,
            bet_id=bet_id,
            actor=ACTOR,
            now=timezone.now(),
        )
    )


# One bet, sent many times under many keys


def test_control_without_the_conflict_clause_the_losers_fall(
    player: Player, game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    clause = "ON CONFLICT (operator_id, player_id, bet_id) DO NOTHING"
    assert clause in placing._SQL
    monkeypatch.setattr(placing, "_SQL", placing._SQL.replace(clause, ""))

    outcomes = at_once(
        [lambda: outcome(lambda: bet_by(player, game, 10, bet_id="r-1")) for _ in range(4)]
    )

    assert Counter(outcomes) == {"done": 1, "fell": 3}


def test_one_bet_sent_sixteen_times_is_one_bet(player: Player, game: Game) -> None:
    outcomes = at_once(
        [
            lambda: outcome(lambda: bet_by(player, game, 10, bet_id="r-1", payout=Decimal(25)))
            for _ in range(16)
        ]
    )

    assert Counter(outcomes) == {"done": 16}
    assert Bet.objects.count() == 1
    assert held_by(player) == 115
    assert Player.objects.get(pk=player.pk).total_wager_usd == Decimal("12.5")
    assert find_differences() == []


def test_of_two_contents_of_one_id_the_first_stands(player: Player, game: Game) -> None:
    outcomes = at_once(
        [
            lambda stake=stake: outcome(lambda: bet_by(player, game, stake, bet_id="r-1"))
            for stake in [10, 20] * 4
        ]
    )

    assert Counter(outcomes) == {"done": 4, "BET_ALREADY_EXISTS": 4}
    assert held_by(player) == 100 - Bet.objects.get().stake


# A balance that is good for one


def test_a_balance_good_for_one_takes_one_of_twenty_bets(player: Player, game: Game) -> None:
    outcomes = at_once([lambda: outcome(lambda: bet_by(player, game, 100, payout=Decimal(0)))] * 20)

    assert Counter(outcomes) == {"done": 1, "INSUFFICIENT_FUNDS": 19}
    assert held_by(player) == 0
    assert Bet.objects.count() == 1
    assert Player.objects.get(pk=player.pk).total_wager_usd == 125
    assert find_differences() == []


# Bets that advance one promo


def test_every_bet_counts_towards_the_rollover(player: Player, game: Game) -> None:
    claim = claim_of(player, game)
    deposit_by(player, 100)

    outcomes = at_once([lambda: outcome(lambda: bet_by(player, game, 1, payout=Decimal(0)))] * 20)

    assert Counter(outcomes) == {"done": 20}
    assert UserPromo.objects.get(pk=claim.pk).wagered_usd_amount == 25
    assert Player.objects.get(pk=player.pk).total_wager_usd == 25
    assert find_differences() == []


# Settled and rolled back at once


def test_control_without_the_lock_a_bet_is_settled_and_rolled_back(
    player: Player, game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    bet_by(player, game, 10, bet_id="r-1")
    both_have_read = threading.Barrier(2)

    def read_without_lock(queryset: Any) -> Any:
        row = queryset.get()
        both_have_read.wait(timeout=60)
        return row

    monkeypatch.setattr(locks, "lock_one", read_without_lock)

    outcomes = at_once([lambda: settle(player, 25), lambda: roll_back(player)])

    # Both found it placed; the second falls over what the first has written.
    assert Counter(outcomes) == {"done": 1, "fell": 1}


def test_a_settlement_and_a_rollback_end_rolled_back_with_nothing_moved(
    player: Player, game: Game
) -> None:
    claim = claim_of(player, game)
    deposit_by(player, 100)

    for number in range(12):
        bet_id = f"r-{number}"
        bet_by(player, game, 10, bet_id=bet_id)
        settled, rolled_back = at_once(
            [
                lambda bet_id=bet_id: settle(player, 25, bet_id),
                lambda bet_id=bet_id: roll_back(player, bet_id),
            ]
        )
        assert rolled_back == "done"
        assert settled in ("done", "BET_ROLLED_BACK")

    assert set(Bet.objects.values_list("status", flat=True)) == {"rolled_back"}
    assert held_by(player) == 300
    assert Player.objects.get(pk=player.pk).total_wager_usd == 0
    assert UserPromo.objects.get(pk=claim.pk).wagered_usd_amount == 0
    assert find_differences() == []


def test_two_settlements_at_once_pay_once(player: Player, game: Game) -> None:
    bet_by(player, game, 10, bet_id="r-1")

    outcomes = at_once([lambda payout=payout: settle(player, payout) for payout in [25, 30] * 4])

    assert Counter(outcomes) == {"done": 4, "BET_ALREADY_SETTLED": 4}
    assert held_by(player) == 90 + Bet.objects.get().payout
    assert Player.objects.get(pk=player.pk).total_wager_usd == Decimal("12.5")
    assert find_differences() == []
