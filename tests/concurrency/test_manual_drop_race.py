"""
Manual drops while others contribute, boost and drop: each amount is won once, or still there.

The control lets two drops read a pot together, without its instance's row.
"""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from core import books
from core.actors import Actor, ActorKind
from core.idempotency import IdempotencyKey
from jackpots.models import Contribution, Instance, Pot, Win
from jackpots.selectors import get_pot
from jackpots.services import boosts, drops
from jackpots.services.contributions import Wager, contribute
from tests.concurrency.sabotage import at_once
from tests.factories.jackpots import BoostFactory, InstanceFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db(transaction=True)

STAFF = Actor(kind=ActorKind.STAFF, ref="8")
POT = {"seed": Decimal(10), "ceiling": Decimal(12)}


@pytest.fixture
def instance() -> Instance:
    player = PlayerFactory.create(reference="ada")
    return InstanceFactory.create(operator=player.operator, progressive=True, pots=[POT])


def dropping(instance: Instance, times: int = 1) -> Callable[[], str]:
    """Return a call that drops the pot, and says what became of it."""

    def call() -> str:
        try:
            for _time in range(times):
                drops.drop_pot(
                    operator=instance.operator,
                    instance_id=instance.pk,
                    pot_name="main",
                    player_reference="ada",
                    reason="",
                    actor=STAFF,
                    now=timezone.now(),
                )
        except IntegrityError:
            return "fell"
        return "won"

    return call


def contributing(instance: Instance, name: str, times: int) -> Callable[[], str]:
    def call() -> str:
        for time in range(times):
            contribute(
                operator=instance.operator,
                instance_id=instance.pk,
                wager=Wager("ada", Decimal("77.77"), "EUR"),
                follow_links=True,
                key=IdempotencyKey(f"{name}-{time}", "f" * 64),
                now=timezone.now(),
            )
        return "contributed"

    return call


def boosting(instance: Instance) -> Callable[[], str]:
    boost = BoostFactory.create(
        pot=instance.pots.get(), expires_at=timezone.now() + timedelta(days=1)
    )

    def call() -> str:
        boosts.apply_boost(
            operator=instance.operator,
            boost_id=boost.pk,
            reason="",
            actor=STAFF,
            now=timezone.now(),
        )
        return "boosted"

    return call


def test_control_without_the_instances_row_two_drops_win_one_cycle(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_read = threading.Barrier(2)

    def read(**lookup: Any) -> Pot:
        pot = get_pot(**lookup)
        both_have_read.wait(timeout=60)
        return pot

    monkeypatch.setattr(drops, "locks", SimpleNamespace(lock_one=lambda rows: rows.get()))
    monkeypatch.setattr(drops, "fold_locked", lambda **kwargs: 0)
    monkeypatch.setattr(drops, "get_pot", read)

    outcomes = at_once([dropping(instance), dropping(instance)])

    # The database lets a cycle be won once.
    assert sorted(outcomes) == ["fell", "won"]


def test_whatever_comes_at_once_is_won_once_or_still_there(instance: Instance) -> None:
    work = [dropping(instance, 3) for _thread in range(3)]
    work += [contributing(instance, f"thread-{number}", 8) for number in range(4)]
    work += [boosting(instance) for _thread in range(2)]

    outcomes = at_once(work)

    assert sorted(outcomes) == ["boosted"] * 2 + ["contributed"] * 4 + ["won"] * 3
    wins = Win.objects.order_by("cycle")
    assert [win.cycle for win in wins] == list(range(1, 10))
    assert max(win.amount for win in wins) <= 12
    assert (Pot.objects.get().cycle, Contribution.objects.count()) == (10, 32)
    assert books.find_differences() == []
