"""A fold may be killed between any two steps: all of it is there, or nothing, and it goes on."""

from decimal import Decimal

import pytest
from django.utils import timezone

from core import books
from core.actors import Actor
from jackpots.models import Instance, Pot, Win
from jackpots.selectors import read_meters
from jackpots.services import crossings, folding
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.faults.forking import KILLED, half_committing, run_forked
from tests.jackpots.conftest import let_the_horizon_pass
from tests.jackpots.ledger import Ledger

pytestmark = pytest.mark.django_db(transaction=True)

FAILPOINTS = ("folding.after_add", "folding.after_win", "folding.before_commit")


def test_a_fold_that_is_killed_has_done_nothing_and_the_next_does_it_once(
    operator: Operator, actor: Actor
) -> None:
    half = {"share": Decimal("0.5"), "drop_type": "hit_rate", "drop_probability": Decimal("0.1")}
    instance: Instance = InstanceFactory.create(
        operator=operator, progressive=True, pots=[{"seed": Decimal(1), **half}, half]
    )
    ledger = Ledger(operator, actor)
    taken = ledger.add(instance, "ada", "2", hits=[0, 1])
    ledger.take_back(instance, taken)
    ledger.add(instance, "bob", "4", hits=[1, 0])
    ledger.add(instance, "cyd", "6")
    let_the_horizon_pass()
    rows = list(Pot.objects.values())
    meters = read_meters(instance_ids=[instance.pk])

    for failpoint in FAILPOINTS:
        died = run_forked(lambda: fold(instance, actor), failpoints=f"{failpoint}:kill")

        assert died == KILLED
        assert list(Pot.objects.values()) == rows
        assert read_meters(instance_ids=[instance.pk]) == meters
        assert not Win.objects.exists()
        assert books.find_differences() == []

    assert run_forked(lambda: fold(instance, actor)) == 0
    assert [fold(instance, actor) for _ in range(2)] == [0, 0]
    won = Win.objects.order_by("pot__position", "cycle").values_list("amount", flat=True)
    assert list(won) == [2, 3, 1, 2]
    assert books.find_differences() == []


def test_control_a_fold_that_commits_half_way_has_done_something(
    operator: Operator, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sure = {"drop_type": "hit_rate", "drop_probability": Decimal("0.1")}
    instance: Instance = InstanceFactory.create(
        operator=operator, progressive=True, pots=[{"seed": Decimal(1), **sure}]
    )
    Ledger(operator, actor).add(instance, "ada", "2", hits=[0])
    let_the_horizon_pass()
    monkeypatch.setattr(crossings, "failpoint", half_committing("folding.after_win"))

    assert run_forked(lambda: fold(instance, actor)) == KILLED

    assert Win.objects.count() == 1


def fold(instance: Instance, actor: Actor) -> int:
    return folding.fold_instance(instance_id=instance.pk, actor=actor, now=timezone.now())
