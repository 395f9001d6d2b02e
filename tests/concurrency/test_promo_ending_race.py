"""
A bet that meets the target, the sweep, and a cancel, at one instant: one ending, one clawback.

The control takes the claim's lock away: then two of them decide, and the state machine of
the database is all that stops the second.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError
from django_fsm import ConcurrentTransition

from core import locks
from core.actors import Actor, ActorKind
from core.errors import DomainError
from games.models import Game
from promos.models import UserPromo
from promos.services import endings
from tests.concurrency.sabotage import at_once, reading_together
from tests.factories.games import GameFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory, PromoGameFactory
from tests.factories.wallets import held_by
from tests.promos.conftest import Life, differences
from wallets.models import Transfer

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
DEADLINE = NOW + timedelta(days=7)
ACTOR = Actor(kind=ActorKind.TASK, ref="race")


def begin() -> tuple[Life, UserPromo, Game]:
    """Return a life with an active claim of 100 on a balance of 200, a bet from its target."""
    player = PlayerFactory.create(currency="USD")
    promo = PromoFactory.create(operator=player.operator)
    game = GameFactory.create(operator=player.operator)
    PromoGameFactory.create(promo=promo, game=game)
    life = Life(player, ACTOR, NOW)
    life.claim(promo)
    user_promo = life.deposit("100.00")
    assert user_promo is not None
    life.bet(game, Decimal("2990.00"))
    return life, user_promo, game


def at(life: Life, now: datetime) -> Life:
    """Return the same player's life at another instant."""
    return Life(life.player, life.actor, now)


def outcome(work: Callable[[], Any]) -> Callable[[], str]:
    def run() -> str:
        try:
            work()
        except DomainError as refusal:
            return refusal.code
        except (ConcurrentTransition, DatabaseError) as error:
            return type(error).__name__
        return "done"

    return run


def endings_of(user_promo: UserPromo) -> tuple[str, int]:
    claim = UserPromo.objects.get(pk=user_promo.pk)
    reference = f"promo:{user_promo.pk}:clawback"
    return str(claim.status), Transfer.objects.filter(reference=reference).count()


def test_control_without_the_lock_several_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    life, user_promo, _game = begin()
    monkeypatch.setattr(locks, "lock_many", reading_together(3))
    decided: list[str] = []
    by_rule = endings._due_by_rule

    def decide(claim: UserPromo) -> Any:
        decided.append(str(claim.status))
        return by_rule(claim)

    monkeypatch.setattr(endings, "_due_by_rule", decide)

    outcomes = at_once([outcome(lambda: life.cancel(user_promo))] * 3)

    assert decided == ["ACTIVE"] * 3
    # The later ones find their row changed under them: no refusal, but a crash.
    assert Counter(outcomes)["USER_PROMO_CLOSED"] == 0
    assert Counter(outcomes)["done"] == 1


@pytest.mark.parametrize("number", range(8))
def test_a_bet_the_sweep_and_a_cancel_end_a_claim_once(number: int) -> None:
    life, user_promo, game = begin()
    late, early = at(life, DEADLINE), at(life, DEADLINE - timedelta(microseconds=1))
    work = [
        outcome(lambda: early.bet(game, Decimal("10.00"), placed_at=NOW, ref="last")),
        outcome(late.sweep),
        outcome(lambda: early.cancel(user_promo)),
        outcome(lambda: late.bet(game, Decimal("10.00"), placed_at=NOW, ref="late")),
    ]

    outcomes = at_once(work[number % 4 :] + work[: number % 4])

    status, clawbacks = endings_of(user_promo)
    assert set(outcomes) <= {"done", "USER_PROMO_CLOSED"}
    assert status in ("COMPLETED", "EXPIRED", "CANCELLED")
    assert clawbacks == (0 if status == "COMPLETED" else 1)
    assert held_by(life.player) == (200 if status == "COMPLETED" else 100)
    assert differences() == []


def test_a_claim_is_cancelled_once_by_many() -> None:
    life, user_promo, _game = begin()

    outcomes = Counter(at_once([outcome(lambda: life.cancel(user_promo))] * 16))

    assert outcomes == {"done": 1, "USER_PROMO_CLOSED": 15}
    assert endings_of(user_promo) == ("CANCELLED", 1)
    assert held_by(life.player) == 100


def test_sweeps_at_once_share_the_work() -> None:
    lives = [begin() for _ in range(6)]

    swept = at_once([at(life, DEADLINE).sweep for life, _claim, _game in lives])

    assert sum(swept) == 6
    assert {endings_of(claim) for _life, claim, _game in lives} == {("EXPIRED", 1)}
    assert differences() == []


def test_of_two_deposits_at_once_the_first_decides() -> None:
    player = PlayerFactory.create(currency="USD")
    promo = PromoFactory.create(operator=player.operator)
    life = Life(player, ACTOR, NOW)
    user_promo = life.claim(promo)

    at_once([lambda: life.deposit("19.99"), lambda: life.deposit("100.00")])

    claim = UserPromo.objects.get(pk=user_promo.pk)
    balance = held_by(player)
    assert (claim.status, balance) in [
        ("CANCELLED", Decimal("119.99")),
        ("ACTIVE", Decimal("219.99")),
    ]
    assert differences() == []


def test_bets_at_once_lose_no_progress() -> None:
    life, user_promo, game = begin()

    at_once(
        [
            lambda number=number: at(life, NOW).bet(game, Decimal("0.10"), ref=f"b{number}")
            for number in range(32)
        ]
    )

    assert UserPromo.objects.get(pk=user_promo.pk).wagered_usd_amount == Decimal("2993.20")
    assert differences() == []
