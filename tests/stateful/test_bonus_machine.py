"""
Whatever a player does with bonuses, in whichever order: every cent is where it should be.

Hypothesis walks through grants, bets, settlements, rollbacks, cancels and time. After each
step every number is compared with a plain model (bonus_model.py), which knows nothing of
locks, ledgers or rows; every few steps the books are checked too.
"""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from activity.models import Bet
from activity.services import outflows
from bonuses.models import BonusGrant
from core.errors import DomainError
from tests.bonuses.playing import NOW, Play, differences
from tests.factories.activity import ACTOR
from tests.factories.games import GameFactory
from tests.stateful import bonus_model
from tests.stateful.bonus_model import BonusWorld
from wallets.enums import AccountKind
from wallets.selectors import get_bonus_balances

#: The books are read whole: after every step would be most of the time.
STEPS_BETWEEN_CHECKS = 8

# A maximum bet of 5.00, bonuses of 10.00: either side of both, and anywhere.
stakes = st.one_of(
    st.sampled_from([1, 499, 500, 501, 999, 1000, 1001]), st.integers(min_value=1, max_value=1500)
)
payouts = st.one_of(
    st.sampled_from([0, 0, 0, 1, 500, 1000]), st.integers(min_value=0, max_value=5000)
)
games = st.sampled_from(
    [bonus_model.SLOTS, bonus_model.SLOTS, bonus_model.TABLE, bonus_model.SPINS]
)


def euros(cents: int) -> Decimal:
    return Decimal(cents) / 100


class BonusMachine(RuleBasedStateMachine):
    """One player, and everything that can be done."""

    def __init__(self) -> None:
        super().__init__()
        self.world = BonusWorld(now=NOW)
        self.grant_ids: list[Any] = []
        self.bet_count = 0
        self.step_count = 0

    @initialize(
        start=st.sampled_from(["fresh", "late", "late"]),
        cap=st.sampled_from([None, 0, 300]),
        deposit=st.sampled_from([0, 300, 2000]),
    )
    def open_the_house(self, start: str, cap: int | None, deposit: int) -> None:
        self.play = Play()
        self.games = {
            bonus_model.SLOTS: self.play.slots,
            bonus_model.TABLE: self.play.table,
            bonus_model.SPINS: GameFactory.create(operator=self.play.operator, slug="spins"),
        }
        self.grant_now(1000, 1, cap, None, spins=False)
        # By itself chance would seldom leave bets on bonus money open when it is released.
        if start == "late":
            for stake, payout in ((200, None), (150, None), (50, 400)):
                self.bet_now(bonus_model.SLOTS, stake, payout)
        if deposit:
            self.deposit(deposit)
        if start == "late":
            self.bet_now(bonus_model.SLOTS, 1000, 0)

    def both(self, command: Callable[[], Any], expected: Callable[[BonusWorld], Any]) -> Any:
        """Do it here and there, and compare the answers; return ours, if it was taken."""
        attempt = deepcopy(self.world)
        refusal = expected(attempt)
        self.play.now = self.world.now
        result, code = None, None
        try:
            with transaction.atomic():
                result = command()
        except DomainError as error:
            code = error.code
        assert code == refusal
        if refusal is None:
            self.world = attempt
        return result

    @precondition(lambda self: len(self.world.grants) < 4)
    @rule(
        bonus=st.sampled_from([1, 500, 1000]),
        multiplier=st.integers(min_value=1, max_value=3),
        cap=st.sampled_from([None, None, 0, 300, 2000]),
        max_bet=st.sampled_from([None, None, 500]),
        spins=st.booleans(),
    )
    def grant(
        self, bonus: int, multiplier: int, cap: int | None, max_bet: int | None, spins: bool
    ) -> None:
        self.grant_now(bonus, multiplier, cap, max_bet, spins=spins)

    def grant_now(
        self, bonus: int, multiplier: int, cap: int | None, max_bet: int | None, *, spins: bool
    ) -> None:
        terms: dict[str, Any] = {"eligible_games": ["spins"]} if spins else {}
        granted = self.both(
            lambda: self.play.granted(
                euros(bonus),
                wagering_multiplier=Decimal(multiplier),
                max_win_cap=None if cap is None else euros(cap),
                max_bet=None if max_bet is None else euros(max_bet),
                game_contribution={"slots": 100, "table": 5},
                **terms,
            ),
            lambda world: world.grant(bonus, multiplier, cap, max_bet, spins=spins),
        )
        self.grant_ids.append(granted.pk)

    # Not always, so that some grants live to be wagered.
    @precondition(lambda self: self.step_count % 4 == 0)
    @rule(data=st.data(), how=st.sampled_from(["cancel", "forfeit"]))
    def end(self, data: st.DataObject, how: str) -> None:
        number = data.draw(st.integers(0, len(self.grant_ids) - 1), label="grant")
        grant = BonusGrant.objects.get(pk=self.grant_ids[number])
        status = {"cancel": "cancelled", "forfeit": "forfeited"}[how]
        self.both(lambda: self.play.end(grant, how), lambda world: world.end(number, status))

    @rule(amount=st.sampled_from([1, 300, 1000]))
    def deposit(self, amount: int) -> None:
        self.both(lambda: self.play.has(euros(amount)), lambda world: world.deposit(amount))

    @rule(amount=st.sampled_from([1, 300, 1000, 3000]))
    def withdraw(self, amount: int) -> None:
        self.both(
            lambda: outflows.withdraw_money(
                operator=self.play.operator,
                player_reference="ada",
                amount=euros(amount),
                currency="EUR",
                reference=None,
                actor=ACTOR,
                now=self.world.now,
            ),
            lambda world: world.withdraw(amount),
        )

    @rule(game=games, stake=stakes, payout=st.one_of(st.none(), payouts))
    def bet(self, game: str, stake: int, payout: int | None) -> None:
        self.bet_now(game, stake, payout)

    def bet_now(self, game: str, stake: int, payout: int | None) -> None:
        placed = self.both(
            lambda: self.place(f"r-{self.bet_count}", game, stake, payout),
            lambda world: world.bet(game, stake, payout),
        )
        if placed is not None:
            self.bet_count += 1

    @precondition(lambda self: self.bet_count)
    @rule(data=st.data())
    def bet_again(self, data: st.DataObject) -> None:
        number = self.any_bet(data)
        first = Bet.objects.get(operator=self.play.operator, bet_id=f"r-{number}")
        payout = None if first.placed_payout is None else int(first.placed_payout * 100)
        bet = self.world.bets[number]
        self.both(
            lambda: self.place(first.bet_id, bet.game, bet.stake, payout),
            lambda world: world.replay(),
        )

    @precondition(lambda self: self.bet_count)
    @rule(data=st.data(), payout=payouts)
    def settle(self, data: st.DataObject, payout: int) -> None:
        number = self.any_bet(data)
        self.both(
            lambda: self.play.settle(f"r-{number}", euros(payout)),
            lambda world: world.settle(number, payout),
        )

    @precondition(lambda self: self.bet_count)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        number = self.any_bet(data)
        self.both(lambda: self.play.roll_back(f"r-{number}"), lambda world: world.roll_back(number))

    @rule(hours=st.sampled_from([1, 24, 7 * 24 - 1, 7 * 24]))
    def wait(self, hours: int) -> None:
        self.world.now += timedelta(hours=hours)

    @rule()
    def sweep(self) -> None:
        # The sweep knows no operators: the grants of earlier examples are due, too.
        self.play.now = self.world.now
        self.play.sweep()
        self.world.sweep()

    # How it is said

    def place(self, bet_id: str, game: str, stake: int, payout: int | None) -> Any:
        return self.play.bet(
            euros(stake),
            None if payout is None else euros(payout),
            game=self.games[game],
            bet_id=bet_id,
        )

    def any_bet(self, data: st.DataObject) -> int:
        return data.draw(st.integers(min_value=0, max_value=self.bet_count - 1), label="bet")

    # What must hold after every step

    @invariant()
    def every_cent_is_where_it_should_be(self) -> None:
        if not hasattr(self, "play"):
            return
        world, play = self.world, self.play
        assert play.main == euros(world.main)
        assert play.house(AccountKind.BONUS_COST) == -euros(world.cost)
        assert play.house(AccountKind.BONUS_EXCESS) == euros(world.excess)
        held = get_bonus_balances(player=play.player)
        rows = {grant.pk: grant for grant in BonusGrant.objects.filter(player=play.player)}
        assert set(rows) == set(self.grant_ids)
        for grant_id, expected in zip(self.grant_ids, world.grants, strict=True):
            found = rows[grant_id]
            assert found.status == expected.status
            assert held[str(grant_id)] == euros(expected.money)
            assert found.wagering_progress == euros(expected.progress) / 100
            assert found.total_wagered == euros(expected.wagered)

    @invariant()
    def the_books_balance(self) -> None:
        self.step_count += 1
        if self.step_count % STEPS_BETWEEN_CHECKS == 0:
            assert differences() == []

    def teardown(self) -> None:
        assert differences() == []


@pytest.mark.django_db(transaction=True)
def test_whatever_a_player_does_every_cent_is_where_it_should_be() -> None:
    run_state_machine_as_test(
        BonusMachine,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
