"""A player in dollars and one in euros, and the life of a claim as activity drives it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from core import money
from core.actors import Actor
from core.writes import write_together
from games.models import Game
from operators.models import Operator
from operators.selectors import get_usd_rate
from players.models import Player
from promos import books as promo_books
from promos.models import Promo, UserPromo
from promos.services import claims, endings, open_promos, rollover
from promos.services.activation import apply_deposit
from promos.services.claims import ClaimTarget
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoGameFactory
from tests.factories.wallets import deposit
from wallets import books as wallet_books

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
#: The least amount of time there is in the database.
TICK = timedelta(microseconds=1)


@pytest.fixture
def player(operator: Operator) -> Player:
    """A player whose wallet is in US dollars, so that amounts are what they look like."""
    return PlayerFactory.create(operator=operator, reference="ada", currency="USD")


@pytest.fixture
def euro_player(operator: Operator) -> Player:
    """A player whose wallet is in euros, at 1.25 US dollars."""
    ExchangeRateFactory.create(operator=operator)
    return PlayerFactory.create(operator=operator, reference="eve", currency="EUR")


@pytest.fixture
def game(operator: Operator) -> Game:
    return GameFactory.create(operator=operator, slug="sums")


class Life:
    """What may happen to the claims of one player: each call is a transaction of its own."""

    def __init__(self, player: Player, actor: Actor, now: datetime) -> None:
        self.player, self.actor, self.now = player, actor, now
        self.operator = player.operator
        self.bets = 0

    @transaction.atomic
    def claim(self, promo: Promo | None = None, *, code: str | None = None) -> UserPromo:
        target = ClaimTarget(promo_id=promo and promo.pk, code=code)
        return claims.claim_promo(
            operator=self.operator,
            target=target,
            player_reference=self.player.reference,
            actor=self.actor,
            now=self.now,
        )

    def open(self) -> UserPromo | None:
        return open_promos.lock_live_promo(
            operator=self.operator, player=self.player, actor=self.actor, now=self.now
        )

    @transaction.atomic
    def deposit(self, amount: Any) -> UserPromo | None:
        """Deposit; return the open claim as the deposit left it."""
        currency, amount = self.player.currency, Decimal(amount)
        rate = get_usd_rate(operator=self.operator, currency=currency, now=self.now)
        user_promo = self.open()
        if amount:
            deposit(self.player, amount, now=self.now)
        if user_promo is None:
            return None
        return apply_deposit(
            user_promo=user_promo,
            amount=amount,
            currency=currency,
            usd_amount=money.convert(amount, rate.rate),
            usd_rate=rate,
            actor=self.actor,
            now=self.now,
        )

    @transaction.atomic
    def bet(
        self, game: Game, stake_usd: Any, *, placed_at: datetime | None = None, ref: str = ""
    ) -> UserPromo | None:
        """Settle a bet; return the open claim as it left it. No money moves: that is activity's."""
        self.bets += 1
        user_promo = self.open()
        if user_promo is None:
            return None
        with write_together() as writes:
            return rollover.record_settled_bet(
                user_promo=user_promo,
                game=game,
                bet_ref=ref or f"bet-{self.bets}",
                stake_usd=Decimal(stake_usd),
                placed_at=placed_at or self.now,
                writes=writes,
                actor=self.actor,
                now=self.now,
            )

    @transaction.atomic
    def roll_back(self, ref: str) -> UserPromo | None:
        user_promo = self.open()
        if user_promo is None:
            return None
        return rollover.take_back_bet(
            user_promo=user_promo, bet_ref=ref, actor=self.actor, now=self.now
        )

    @transaction.atomic
    def cancel(self, user_promo: UserPromo, *, custom: Any = None) -> UserPromo:
        return endings.cancel_user_promo(
            operator=self.operator,
            user_promo_id=user_promo.pk,
            reason="asked to",
            custom_decrease_amount=None if custom is None else Decimal(custom),
            actor=self.actor,
            now=self.now,
        )

    def sweep(self) -> int:
        return endings.expire_due_user_promos(now=self.now, limit=100, actor=self.actor)


@pytest.fixture
def life(player: Player, actor: Actor, now: datetime) -> Iterator[Life]:
    """The claims of ``player``; at the end of the test the books balance."""
    yield Life(player, actor, now)
    assert differences() == []


@pytest.fixture
def active(life: Life, game: Game) -> Callable[..., UserPromo]:
    """Return a function that claims a promo and activates it with a deposit of 100."""

    def make(promo: Promo, amount: Any = "100.00") -> UserPromo:
        PromoGameFactory.create(promo=promo, game=game)
        life.claim(promo)
        user_promo = life.deposit(amount)
        assert user_promo is not None
        return user_promo

    return make


def stored(user_promo: UserPromo) -> UserPromo:
    return UserPromo.objects.select_related("player").get(pk=user_promo.pk)


def differences() -> list[str]:
    """Return what the books of promos and wallets find, inside the test's transaction."""
    checks = [
        promo_books.check_bonuses,
        promo_books.check_clawbacks,
        promo_books.check_progress,
        promo_books.check_claims,
        promo_books.check_codes,
        wallet_books.check_balances,
        wallet_books.check_balance_chains,
    ]
    return [str(difference) for check in checks for difference in check()]
