"""What players lost with real money on bets that are decided: window after window, once."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from activity.selectors import sum_settled_losses
from activity.services.bets import roll_back_bet, settle_bet
from games.models import Game
from players.models import Player
from tests.factories.activity import ACTOR, BetFactory, bet_by, deposit_by
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.plans import conditions_by_index
from wallets.selectors import get_balances

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
BROUGHT = 100_000


@pytest.fixture
def player() -> Player:
    """A player who has money enough to bet with."""
    operator = OperatorFactory.create()
    ExchangeRateFactory.create(operator=operator)
    player = PlayerFactory.create(operator=operator, currency="EUR")
    with transaction.atomic():
        deposit_by(player, BROUGHT)
    return player


@pytest.fixture
def game(player: Player) -> Game:
    return GameFactory.create(operator=player.operator)


def lost(player: Player, since: datetime, until: datetime) -> Decimal:
    """Return the loss of one player."""
    losses = sum_settled_losses(
        operator=player.operator, since_of={(player.pk, player.currency): since}, until=until
    )
    return losses[player.pk]


def place(player: Player, game: Game, stake: Any, at: datetime, payout: Any = None) -> str:
    with transaction.atomic():
        given = None if payout is None else Decimal(payout)
        return bet_by(player, game, stake, payout=given, now=at).bet.bet_id


def settle(player: Player, bet_id: str, payout: Any, at: datetime) -> None:
    with transaction.atomic():
        settle_bet(
            operator=player.operator,
            player_reference=player.reference,
            bet_id=bet_id,
            payout=Decimal(payout),
            actor=ACTOR,
            now=at,
        )


def roll_back(player: Player, bet_id: str, at: datetime) -> None:
    with transaction.atomic():
        roll_back_bet(
            operator=player.operator,
            player_reference=player.reference,
            bet_id=bet_id,
            actor=ACTOR,
            now=at,
        )


def test_stakes_less_payouts(player: Player, game: Game, now: datetime) -> None:
    place(player, game, "30.00", now, payout="4.50")
    settle(player, place(player, game, "10.00", now), "0", now)

    assert lost(player, now, now + TICK) == Decimal("35.50")


def test_winners_lose_less_than_nothing(player: Player, game: Game, now: datetime) -> None:
    place(player, game, "30.00", now, payout="50.00")

    assert lost(player, now, now + TICK) == -20


def test_an_open_bet_is_no_loss_until_it_is_settled(
    player: Player, game: Game, now: datetime
) -> None:
    bet_id = place(player, game, "30.00", now)
    assert lost(player, now, now + DAY) == 0

    settle(player, bet_id, "10.00", now + DAY)

    assert lost(player, now, now + DAY) == 0
    assert lost(player, now + DAY, now + 2 * DAY) == 20


def test_an_open_bet_that_is_rolled_back_never_was(
    player: Player, game: Game, now: datetime
) -> None:
    roll_back(player, place(player, game, "30.00", now), now + DAY)

    assert lost(player, now, now + DAY) == 0
    assert lost(player, now, now + 2 * DAY) == 0
    assert lost(player, now + DAY, now + 2 * DAY) == 0


@pytest.mark.parametrize("at_once", [True, False])
def test_a_rollback_counts_against_when_it_happens(
    at_once: bool, player: Player, game: Game, now: datetime
) -> None:
    bet_id = place(player, game, "30.00", now, payout="10.00" if at_once else None)
    if not at_once:
        settle(player, bet_id, "10.00", now)
    roll_back(player, bet_id, now + DAY)

    assert lost(player, now, now + DAY) == 20
    assert lost(player, now + DAY, now + 2 * DAY) == -20
    assert lost(player, now, now + 2 * DAY) == 0


@pytest.mark.parametrize("at_once", [True, False])
def test_the_window_is_from_and_before(
    at_once: bool, player: Player, game: Game, now: datetime
) -> None:
    bet_id = place(player, game, "30.00", now, payout="0" if at_once else None)
    if not at_once:
        settle(player, bet_id, "0", now)

    assert lost(player, now, now) == 0
    assert lost(player, now, now + TICK) == 30
    assert lost(player, now + TICK, now + DAY) == 0


def test_a_window_that_ends_before_it_begins_is_empty(
    player: Player, game: Game, now: datetime
) -> None:
    place(player, game, "30.00", now, payout="0")
    roll_back(player, place(player, game, "5.00", now, payout="0"), now)
    settle(player, place(player, game, "7.00", now), "0", now)
    place(player, game, "9.00", now)

    assert lost(player, now + DAY, now - DAY) == 0


def test_what_bonuses_paid_and_got_is_not_the_players(player: Player, now: datetime) -> None:
    parts = {"bonus_stake": Decimal(6), "payout": Decimal(5), "bonus_payout": Decimal(3)}
    BetFactory.create(
        operator=player.operator, player=player, status="settled", settled_at=now, **parts
    )

    assert lost(player, now, now + TICK) == 4 - 2


def test_each_from_their_own_instant_on(player: Player, game: Game, now: datetime) -> None:
    other = PlayerFactory.create(operator=player.operator, currency="EUR")
    idle = PlayerFactory.create(operator=player.operator, currency="EUR")
    with transaction.atomic():
        deposit_by(other, 100)
    for who in (player, other):
        place(who, game, "30.00", now, payout="0")
        place(who, game, "4.00", now + DAY, payout="0")

    found = sum_settled_losses(
        operator=player.operator,
        since_of={
            (player.pk, "EUR"): now,
            (other.pk, "EUR"): now + TICK,
            (idle.pk, "EUR"): now,
        },
        until=now + 2 * DAY,
    )

    assert found == {player.pk: 34, other.pk: 4, idle.pk: 0}


# Whatever happens, and wherever the windows end


def _sentences(dice: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Yield how bets go: open, settled or not, undone or not."""
    ways = (["open"], ["open", "win"], ["open", "undo"], ["open", "win", "undo"], ["win"])
    for _number in range(8):
        way = dice.choice((*ways, ["win", "undo"]))
        yield dice.choice(("7.00", "11.50", "20.00")), way


@pytest.mark.parametrize("seed", range(12))
def test_windows_that_follow_each_other_add_up(
    seed: int, player: Player, game: Game, now: datetime
) -> None:
    dice = random.Random(seed)
    # Few instants, so that things often happen just where a window ends.
    instants = [now + number * TICK for number in range(7)]
    expected: dict[datetime, Decimal] = dict.fromkeys(instants, Decimal(0))
    acts: list[tuple[datetime, int, Callable[[datetime], None]]] = []
    open_stakes = Decimal(0)
    for stake, way in _sentences(dice):
        bet: dict[str, str] = {}
        when = sorted(dice.choices(instants, k=len(way)))
        payout = dice.choice(("0", "3.00", "40.00"))
        loss = Decimal(stake) - Decimal(payout)
        if way == ["open"]:
            open_stakes += Decimal(stake)
        for number, (step, at) in enumerate(zip(way, when, strict=True)):
            if step == "win":
                expected[at] += loss
            elif step == "undo" and "win" in way:
                expected[at] -= loss

            def act(
                at: datetime,
                step: str = step,
                number: int = number,
                bet: dict[str, str] = bet,
                stake: str = stake,
                payout: str = payout,
            ) -> None:
                if number == 0:
                    given = payout if step == "win" else None
                    bet["id"] = place(player, game, stake, at, payout=given)
                elif step == "win":
                    settle(player, bet["id"], payout, at)
                else:
                    roll_back(player, bet["id"], at)

            acts.append((at, len(acts), act))
    for at, _number, act in sorted(acts, key=lambda each: each[:2]):
        act(at)

    end = instants[-1] + TICK
    for cuts in ([now, end], [*instants, end], sorted({now, end, *dice.sample(instants, 3)})):
        windows = [lost(player, since, until) for since, until in pairwise(cuts)]

        assert windows == [
            sum(amount for at, amount in expected.items() if since <= at < until)
            for since, until in pairwise(cuts)
        ]
        # And the ledger agrees.
        assert get_balances(player=player)[0].main == BROUGHT - sum(windows) - open_stakes


# At what cost


def test_each_part_is_found_through_an_index_of_the_player(player: Player, now: datetime) -> None:
    with CaptureQueriesContext(connection) as queries:
        lost(player, now, now + DAY)

    [query] = queries
    names = ("bets_of_player", "bets_settled_later_of_player", "bets_undone_of_player")
    found = conditions_by_index(query["sql"], indexes=names)
    for name, instant in zip(names, ("placed_at", "settled_at", "rolled_back_at"), strict=True):
        [condition] = found[name]
        assert "player_id = " in condition
        assert f"{instant} >= " in condition
        assert f"{instant} < " in condition
