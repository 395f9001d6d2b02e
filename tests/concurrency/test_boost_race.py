"""
Boosts applied at one instant: each once, and none is lost.

The control reads the pot without holding its instance's row.
"""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from core.actors import Actor, ActorKind
from jackpots.errors import BoostWrongState
from jackpots.models import Boost, Instance, Pot, PotEntry
from jackpots.services import boosts
from tests.concurrency.sabotage import at_once
from tests.factories.jackpots import BoostFactory, InstanceFactory

pytestmark = pytest.mark.django_db(transaction=True)


def boosts_of(instance: Instance, count: int) -> list[Boost]:
    return BoostFactory.create_batch(
        count,
        pot=instance.pots.get(),
        amount=Decimal(3),
        expires_at=timezone.now() + timedelta(days=1),
    )


def applying(boost: Boost, person: str) -> Callable[[], str]:
    """Return a call with which ``person`` applies the boost, and says what became of it."""

    def call() -> str:
        try:
            boosts.apply_boost(
                operator=boost.operator,
                boost_id=boost.pk,
                reason="",
                actor=Actor(kind=ActorKind.STAFF, ref=person),
                now=timezone.now(),
            )
        except BoostWrongState:
            return "decided already"
        return "applied"

    return call


def test_control_without_the_instances_row_one_boost_undoes_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance = InstanceFactory.create(progressive=True)
    first, second = boosts_of(instance, 2)
    both_have_read = threading.Barrier(2)

    def read(**lookup: Any) -> Pot:
        pot = Pot.objects.get(**lookup)
        both_have_read.wait(timeout=60)
        return pot

    monkeypatch.setattr(boosts, "fold_locked", lambda **kwargs: 0)
    monkeypatch.setattr(boosts, "locks", SimpleNamespace(lock_one=lambda rows: rows.get()))
    monkeypatch.setattr(boosts, "Pot", SimpleNamespace(objects=SimpleNamespace(get=read)))

    outcomes = at_once([applying(first, "8"), applying(second, "8")])

    assert outcomes == ["applied", "applied"]
    assert (Pot.objects.get().opening, PotEntry.objects.count()) == (3, 2)


def test_of_two_people_one_applies_each_boost_and_the_pot_has_them_all() -> None:
    instance = InstanceFactory.create(progressive=True)
    asked = boosts_of(instance, 6)

    outcomes = at_once([applying(boost, person) for boost in asked for person in ("8", "9")])

    assert sorted(outcomes) == ["applied"] * 6 + ["decided already"] * 6
    assert (Pot.objects.get().opening, PotEntry.objects.count()) == (18, 6)
