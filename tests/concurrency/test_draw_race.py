"""
A contribution at the instant of a draw is on one side of it, and a raffle is drawn once.

The controls take away the lock that waits for contributions under way.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from core import locks
from core.actors import Actor
from core.errors import ResourceBusy
from jackpots.enums import RollbackScope
from jackpots.errors import InstanceNotActive, InstanceWrongState
from jackpots.models import Contribution, Draw, Instance, InstanceLink, RollbackLoss, Win
from jackpots.services import folding, rollbacks, runs
from operators.models import Operator
from tests.concurrency.sabotage import at_once, execute, let_them_wait
from tests.jackpots.conftest import let_the_horizon_pass, link, meter
from tests.jackpots.raffles import Raffling, again, books_balance, draw_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Raffling:
    return Raffling(operator, actor, now)


def draw_under_a_contribution(world: Raffling, raffle: Instance, *, is_waited_for: bool) -> Draw:
    """Draw while a contribution of 2 is written but not committed, and return the draw."""
    written, drawn = threading.Event(), threading.Event()

    def contribute() -> None:
        with transaction.atomic():
            world.contribute(raffle, "ada", Decimal(2))
            written.set()
            if is_waited_for:
                let_them_wait()
            else:
                assert drawn.wait(timeout=60)

    def draw() -> None:
        assert written.wait(timeout=60)
        world.drawn(raffle)
        drawn.set()

    at_once([contribute, draw])
    return draw_of(raffle)


def test_a_contribution_under_way_is_waited_for_and_drawn_for(world: Raffling) -> None:
    raffle = world.opened()
    world.contributed(raffle, ada=3)

    draw = draw_under_a_contribution(world, raffle, is_waited_for=True)

    assert (draw.pot_amount, draw.tickets_total, meter(raffle)) == (5, 5, 0)
    with pytest.raises(InstanceNotActive):
        world.contribute(raffle, "ada", Decimal(1))
    books_balance()


def test_control_without_the_lock_it_is_drawn_without(
    world: Raffling, monkeypatch: pytest.MonkeyPatch
) -> None:
    raffle = world.opened()
    world.contributed(raffle, ada=3)
    monkeypatch.setattr(locks, "lock_exclusively", lambda _lock, _key: None)

    draw = draw_under_a_contribution(world, raffle, is_waited_for=False)

    assert (draw.pot_amount, draw.tickets_total, meter(raffle)) == (3, 3, 2)


def test_of_contributions_and_draws_at_once_each_contribution_is_on_one_side(
    world: Raffling,
) -> None:
    raffle = world.opened(prizes=[{"share": Decimal("0.1"), "count": 3}])
    world.contributed(raffle, ada=1, bob=1, cyd=1)
    begun = threading.Event()

    def contributing(player: str) -> Callable[[], int]:
        def contribute() -> int:
            for count in range(1000):
                try:
                    world.contribute(raffle, player, Decimal(1))
                except InstanceNotActive:
                    return count
                begun.set()
            raise AssertionError("it was never drawn")

        return contribute

    def draw() -> int:
        assert begun.wait(timeout=60)
        # Whoever comes last finds it drawn.
        with suppress(InstanceWrongState):
            world.drawn(raffle)
        return 0

    counts = at_once([*[contributing(player) for player in ("ada", "bob", "cyd")], draw, draw])

    made = draw_of(raffle)
    assert made.pot_amount == made.tickets_total == 3 + sum(counts)
    assert Win.objects.count() == 3
    books_balance()


def test_a_long_transaction_elsewhere_changes_nothing_and_late_rollbacks_are_losses(
    world: Raffling,
) -> None:
    raffle = world.opened()
    world.contributed(raffle, bob=1)
    [early] = Contribution.objects.all()
    begun, drawn, folded = threading.Event(), threading.Event(), threading.Event()

    def take_back_too_late() -> str:
        """Begin before the draw, and take back after it what no fold would see any more."""
        with transaction.atomic():
            execute("SELECT pg_current_xact_id()")
            begun.set()
            assert drawn.wait(timeout=60)
            outcome = "taken back"
            try:
                with transaction.atomic():
                    take_back(early)
            except ResourceBusy:
                outcome = "busy"
            assert folded.wait(timeout=60)
            return outcome

    def take_back(contribution: Contribution) -> None:
        rollbacks.reverse_contribution(
            operator=world.operator,
            contribution_id=contribution.pk,
            scope=RollbackScope.LEG,
            actor=world.actor,
            now=world.now,
        )

    def draw() -> str:
        assert begun.wait(timeout=60)
        # No fold can take this: the other transaction is older.
        world.contributed(raffle, ada=4)
        world.drawn(raffle)
        drawn.set()
        with transaction.atomic():
            take_back(Contribution.objects.exclude(pk=early.pk).get())
        folding.fold_instance(instance_id=raffle.pk, actor=world.actor, now=world.now)
        folded.set()
        return "drawn"

    assert at_once([take_back_too_late, draw]) == ["busy", "drawn"]

    assert draw_of(raffle).pot_amount == 5
    assert (meter(raffle), RollbackLoss.objects.count()) == (0, 0)
    let_the_horizon_pass()
    folding.fold_instance(instance_id=raffle.pk, actor=world.actor, now=world.now)
    assert [loss.amount for loss in RollbackLoss.objects.all()] == [4]
    assert meter(raffle) == 0
    books_balance()


def test_raffles_that_are_linked_both_ways_open_their_next_runs_at_once(world: Raffling) -> None:
    """No deadlock, and neither is left linked to a run that is over."""
    now = world.now + timedelta(days=2)
    for _round in range(2):
        one, other = world.opened(recurrence="daily"), world.opened(recurrence="daily")
        link(one, other)
        link(other, one)
        for raffle in (one, other):
            # Drawn, and killed before the next run was opened.
            Instance.objects.filter(pk=raffle.pk).update(recurrence="")
            world.drawn(raffle)
            Instance.objects.filter(pk=raffle.pk).update(recurrence="daily")

        def opening(raffle: Instance) -> Callable[[], Instance]:
            return lambda: runs.open_next_run(instance_id=raffle.pk, actor=world.actor, now=now)

        found = at_once([opening(one), opening(other), opening(one), opening(other)])

        assert found[:2] == found[2:]
        new_one, new_other = found[:2]
        pairs = InstanceLink.objects.filter(source__in=found[:2]).values_list("source", "target")
        assert set(pairs) == {(new_one.pk, new_other.pk), (new_other.pk, new_one.pk)}
        assert again(one).status == "drawn"
