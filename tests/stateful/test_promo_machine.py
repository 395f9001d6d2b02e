"""
Whatever a player does, in whichever order: money, promos and totals are what they should be.

Hypothesis walks through deposits, claims, bets, rollbacks, the vault, withdrawals, cancels
and time. After each step every number is compared with a plain model (model.py), which
knows nothing of locks, ledgers or rows; every few steps the books are checked too.
"""

import itertools
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
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
from activity.services import bets, outflows
from core.books import find_differences
from core.errors import DomainError
from players.models import Player
from promos.models import UserPromo
from promos.services import claims, endings
from tests.factories.activity import ACTOR, bet_by, deposit_by
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory, PromoGameFactory
from tests.factories.wallets import held_by
from tests.stateful import model
from tests.stateful.model import World
from wallets.enums import AccountKind

START = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
#: The books are read whole: after every step would be most of the time.
STEPS_BETWEEN_CHECKS = 8

_numbers = itertools.count(1)


def _around(*euros: str) -> st.SearchStrategy[Decimal]:
    """Return boundaries, one cent either side of each, and amounts anywhere below a hundred."""
    cent = Decimal("0.01")
    boundaries = [Decimal(each) + step for each in euros for step in (-cent, Decimal(0), cent)]
    anywhere = st.integers(min_value=1, max_value=10_000).map(lambda cents: cents * cent)
    return st.one_of(st.sampled_from(boundaries), anywhere)


# 16 euros are the floor, 400 the cap, 40 the most that may be staked.
deposits = _around("16", "100", "400")
stakes = _around("10", "40")
moves = _around("1", "16", "100")
payouts = st.sampled_from(["0", "0", "5", "25", "80"]).map(Decimal)


class PromoMachine(RuleBasedStateMachine):
    """One player, and everything that can be done."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(now=START)
        self.claim_ids: list[Any] = []
        self.bet_ids: list[str] = []
        self.step_count = 0

    @initialize(
        start=st.sampled_from(["without", "claimed", "active", "active"]),
        multiplier=st.sampled_from(["0.5", "5"]).map(Decimal),
    )
    def open_the_house(self, start: str, multiplier: Decimal) -> None:
        self.operator = OperatorFactory.create()
        ExchangeRateFactory.create(operator=self.operator, usd_rate=model.RATE)
        self.player = PlayerFactory.create(operator=self.operator)
        self.games = {
            name: GameFactory.create(operator=self.operator, is_house=name == model.HOUSE)
            for name in (model.LISTED, model.UNLISTED, model.HOUSE)
        }
        self.deposit_now(Decimal(200))
        # By itself chance would seldom come as far as this.
        if start != "without":
            self.claim_now(2, multiplier)
        if start == "active":
            self.deposit_now(Decimal(100))

    # What is done, to the system and to the model

    def both(self, command: Callable[[], Any], expected: Callable[[World], str | None]) -> Any:
        """Do it here and there, and compare the answers; return ours, if it was taken."""
        attempt = deepcopy(self.world)
        refusal = expected(attempt)
        result, code = None, None
        try:
            with transaction.atomic(durable=True):
                result = command()
        except DomainError as error:
            code = error.code
        assert code == refusal
        if refusal is None:
            self.world = attempt
        return result

    # Some targets are met by the way, others hardly before the money is gone.
    @rule(
        lock_hours=st.sampled_from([None, 2, 48]),
        multiplier=st.sampled_from(["0.5", "1", "5"]).map(Decimal),
    )
    def claim(self, lock_hours: int | None, multiplier: Decimal) -> None:
        self.claim_now(lock_hours, multiplier)

    def claim_now(self, lock_hours: int | None, multiplier: Decimal) -> None:
        promo = PromoFactory.create(
            operator=self.operator,
            max_bonus_usd_amount=model.CAP_USD,
            min_deposit_usd_to_activate=model.FLOOR_USD,
            wager_multiplier_to_complete=multiplier,
            time_seconds_to_complete=int(model.ROLLOVER.total_seconds()),
            lock_withdraw_on_claim_hours=lock_hours,
        )
        PromoGameFactory.create(
            promo=promo,
            game=self.games[model.LISTED],
            wager_multiplier=model.WEIGHT,
            max_bet_amount=model.MAX_BET_USD,
        )
        claimed = self.both(
            lambda: claims.claim_promo(
                operator=self.operator,
                target=claims.ClaimTarget(promo_id=promo.pk),
                player_reference=self.player.reference,
                actor=ACTOR,
                now=self.world.now,
            ),
            lambda world: world.claim(lock_hours, multiplier),
        )
        if claimed is not None:
            self.claim_ids.append(claimed.pk)

    # Not always, so that some claims live to be wagered.
    @precondition(lambda self: self.claim_ids and self.step_count % 4 == 0)
    @rule(custom=st.one_of(st.none(), st.just(Decimal(0)), moves))
    def cancel(self, custom: Decimal | None) -> None:
        self.both(
            lambda: endings.cancel_user_promo(
                operator=self.operator,
                user_promo_id=self.claim_ids[-1],
                reason="The player asked for it.",
                custom_decrease_amount=custom,
                actor=ACTOR,
                now=self.world.now,
            ),
            lambda world: world.cancel(custom),
        )

    @rule(amount=deposits)
    def deposit(self, amount: Decimal) -> None:
        self.deposit_now(amount)

    def deposit_now(self, amount: Decimal) -> None:
        self.both(
            lambda: deposit_by(self.player, amount, now=self.world.now),
            lambda world: world.deposit(amount),
        )

    @rule(amount=moves)
    def withdraw(self, amount: Decimal) -> None:
        self.both(
            lambda: outflows.withdraw_money(**self.money(amount), reference=None),
            lambda world: world.withdraw(amount),
        )

    @rule(amount=moves)
    def fill_vault(self, amount: Decimal) -> None:
        self.both(
            lambda: outflows.fill_vault(**self.money(amount)),
            lambda world: world.fill_vault(amount),
        )

    @rule(amount=moves)
    def empty_vault(self, amount: Decimal) -> None:
        self.both(
            lambda: outflows.empty_vault(**self.money(amount)),
            lambda world: world.empty_vault(amount),
        )

    @rule(stake=stakes, payout=payouts)
    def wager(self, stake: Decimal, payout: Decimal) -> None:
        self.bet_on(model.LISTED, stake, payout)

    @rule(
        game=st.sampled_from([model.LISTED, model.UNLISTED, model.HOUSE]),
        stake=stakes,
        payout=st.one_of(st.none(), payouts),
    )
    def bet(self, game: str, stake: Decimal, payout: Decimal | None) -> None:
        self.bet_on(game, stake, payout)

    def bet_on(self, game: str, stake: Decimal, payout: Decimal | None) -> None:
        bet_id = f"r-{next(_numbers)}"
        placed = self.both(
            lambda: self.place(bet_id, game, stake, payout),
            lambda world: world.bet(game, stake, payout),
        )
        if placed is not None:
            self.bet_ids.append(bet_id)

    @precondition(lambda self: self.bet_ids)
    @rule(data=st.data())
    def bet_again(self, data: st.DataObject) -> None:
        number = self.any_bet(data)
        first = Bet.objects.select_related("game").get(
            operator=self.operator, bet_id=self.bet_ids[number]
        )
        game = self.world.bets[number].game
        # The same bet is the same bet; a claim whose time is up expires on the way.
        self.both(
            lambda: self.place(first.bet_id, game, first.stake, first.placed_payout),
            lambda world: world.sweep(),
        )

    @precondition(lambda self: self.bet_ids)
    @rule(data=st.data(), payout=payouts)
    def settle(self, data: st.DataObject, payout: Decimal) -> None:
        number = self.any_bet(data)
        self.both(
            lambda: bets.settle_bet(**self.bet_named(number), payout=payout),
            lambda world: world.settle(number, payout),
        )

    @precondition(lambda self: self.bet_ids)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        number = self.any_bet(data)
        self.both(
            lambda: bets.roll_back_bet(**self.bet_named(number)),
            lambda world: world.roll_back(number),
        )

    @rule(hours=st.sampled_from([1, 2, 47, 48, 7 * 24 - 1, 7 * 24, 30 * 24]))
    def wait(self, hours: int) -> None:
        self.world.now += timedelta(hours=hours)

    @rule()
    def sweep(self) -> None:
        # The sweep knows no operators: the claims of earlier examples are due, too.
        endings.expire_due_user_promos(now=self.world.now, limit=100_000, actor=ACTOR)
        self.world.sweep()

    # How it is said

    def money(self, amount: Decimal) -> dict[str, Any]:
        return {
            "operator": self.operator,
            "player_reference": self.player.reference,
            "amount": amount,
            "currency": "EUR",
            "actor": ACTOR,
            "now": self.world.now,
        }

    def place(self, bet_id: str, game: str, stake: Decimal, payout: Decimal | None) -> Any:
        return bet_by(
            self.player,
            self.games[game],
            stake,
            bet_id=bet_id,
            payout=payout,
            now=self.world.now,
        )

    def any_bet(self, data: st.DataObject) -> int:
        return data.draw(st.integers(min_value=0, max_value=len(self.bet_ids) - 1), label="bet")

    def bet_named(self, number: int) -> dict[str, Any]:
        return {
            "operator": self.operator,
            "player_reference": self.player.reference,
            "bet_id": self.bet_ids[number],
            "actor": ACTOR,
            "now": self.world.now,
        }

    # What must hold after every step

    @invariant()
    def everything_is_what_it_should_be(self) -> None:
        if not hasattr(self, "player"):
            return
        world = self.world
        assert (held_by(self.player) or 0) == world.main
        assert (held_by(self.player, AccountKind.PLAYER_VAULT) or 0) == world.vault
        stored = Player.objects.get(pk=self.player.pk)
        assert stored.total_deposit_usd == world.deposited_usd
        assert stored.deposit_count == world.deposit_count
        assert stored.total_wager_usd == world.wagered_usd
        assert self.claims_here() == [
            (
                claim.status,
                claim.bonus,
                claim.wagered_usd,
                claim.clawback,
                claim.shortfall,
                claim.due_at,
            )
            for claim in world.claims
        ]

    @invariant()
    def the_books_balance(self) -> None:
        self.step_count += 1
        if self.step_count % STEPS_BETWEEN_CHECKS == 0:
            assert find_differences() == []

    def teardown(self) -> None:
        assert find_differences() == []

    def claims_here(self) -> list[tuple[Any, ...]]:
        fields = (
            "status",
            "bonus_amount",
            "wagered_usd_amount",
            "clawback_amount",
            "clawback_shortfall",
            "due_at",
        )
        found = {
            row[0]: row[1:]
            for row in UserPromo.objects.filter(player=self.player).values_list("pk", *fields)
        }
        assert set(found) == set(self.claim_ids)
        return [found[claim_id] for claim_id in self.claim_ids]


@pytest.mark.django_db(transaction=True)
def test_whatever_a_player_does_money_and_promos_are_what_they_should_be() -> None:
    run_state_machine_as_test(
        PromoMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
