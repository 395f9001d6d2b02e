"""
Links replaced at one instant: each set wins or loses whole, and nobody waits in a circle.

The control takes the lock of the instance away. What contributions make of links that
change under them stands at the end; its control leaves the revision where it was.
"""

import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError
from django.utils import timezone

from core.actors import Actor, ActorKind
from core.idempotency import IdempotencyKey
from core.models import AuditEntry
from jackpots import selectors
from jackpots.models import Instance
from jackpots.services import configuration, instances, links
from jackpots.services.contributions import Wager, contribute
from operators.models import Operator
from tests.concurrency.sabotage import at_once, execute
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import OperatorFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import link

pytestmark = pytest.mark.django_db(transaction=True)

STAFF = Actor(kind=ActorKind.STAFF, ref="7")


def replacing(source: Instance, targets: Sequence[Instance]) -> Callable[[], str]:
    """Return a call that replaces the links of ``source``, and says what became of it."""

    def call() -> str:
        try:
            links.replace_links(
                operator=source.operator,
                instance_id=source.pk,
                target_ids=[target.pk for target in targets],
                reason="",
                actor=STAFF,
                now=timezone.now(),
            )
        except IntegrityError:
            return "fell"
        return "replaced"

    return call


def targets_of(source: Instance) -> list[str]:
    return [str(link.target_id) for link in source.links.order_by("position")]


def trail(source: Instance) -> list[tuple[list[str], list[str]]]:
    """Return every change of the links of ``source``: before and after, oldest first."""
    entries = AuditEntry.objects.filter(subject_id=str(source.pk)).order_by("pk")
    return [
        (entry.before["linked_instances"], entry.after["linked_instances"]) for entry in entries
    ]


def lock_nothing(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let ``count`` replacements read the instance together, and leave it unlocked."""
    all_have_read = threading.Barrier(count)

    def read(*, operator: Operator, instance_id: UUID) -> Instance:
        instance = Instance.objects.for_operator(operator).get(pk=instance_id)
        all_have_read.wait(timeout=60)
        return instance

    monkeypatch.setattr(links, "lock_instance", read)


def test_control_without_the_lock_replacements_fall_over_or_undo_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = InstanceFactory.create()
    others = InstanceFactory.create_batch(8, operator=source.operator)
    lock_nothing(monkeypatch, 8)

    outcomes = at_once([replacing(source, [other]) for other in others])

    # Who did not fall has written the same next revision as everybody else.
    assert set(outcomes) <= {"fell", "replaced"}
    assert Instance.objects.get(pk=source.pk).revision == source.revision + 1


def test_of_16_replacements_each_is_whole_and_the_last_one_stands() -> None:
    source = InstanceFactory.create()
    others = InstanceFactory.create_batch(16, operator=source.operator)
    sets = [[*others[number:], *others[:number]][: number % 5 + 1] for number in range(16)]

    outcomes = at_once([replacing(source, targets) for targets in sets])

    changes = trail(source)
    befores, afters = [change[0] for change in changes], [change[1] for change in changes]
    assert outcomes == ["replaced"] * 16
    # One after the other: each began where the one before it had ended.
    assert befores == [[], *afters[:-1]]
    assert sorted(afters) == sorted([str(target.pk) for target in targets] for targets in sets)
    assert targets_of(source) == afters[-1]
    assert Instance.objects.get(pk=source.pk).revision == source.revision + 16


def test_16_threads_replace_links_in_both_directions_without_a_deadlock() -> None:
    operator = OperatorFactory.create()
    one, other, *rest = InstanceFactory.create_batch(10, operator=operator)

    # A deadlock would leave at_once as a DatabaseError.
    for _round in range(5):
        outcomes = at_once(
            [replacing(one, [other, target]) for target in rest]
            + [replacing(other, [target, one]) for target in rest]
        )
        assert outcomes == ["replaced"] * 16

    assert targets_of(one)[0] == str(other.pk)
    assert targets_of(other)[1] == str(one.pk)
    assert (len(targets_of(one)), len(targets_of(other))) == (2, 2)


# Contributions under which an instance changes


def in_between(monkeypatch: pytest.MonkeyPatch, change: Callable[[], Any]) -> None:
    """Let ``change`` be committed once, after a contribution has read and before it writes."""
    load = selectors.load_contribution_plan
    waiting = [change]

    def load_then_change(**kwargs: Any) -> selectors.ContributionPlan:
        plan = load(**kwargs)
        if waiting:
            at_once([waiting.pop()])
        return plan

    monkeypatch.setattr(configuration, "load_contribution_plan", load_then_change)


def reached(source: Instance) -> list[str]:
    """Contribute to ``source`` and return the ids of the linked instances that it reached."""
    contributed = contribute(
        operator=source.operator,
        instance_id=source.pk,
        wager=Wager("ada", Decimal(10), "EUR"),
        follow_links=True,
        key=IdempotencyKey("once", "f" * 64),
        now=timezone.now(),
    )
    return [leg["instance_id"] for leg in contributed.answer["results"][1:]]


@pytest.fixture
def linked() -> tuple[Instance, Instance, Instance]:
    """An instance, the one it is linked to, and one that it will be linked to."""
    source = InstanceFactory.create()
    PlayerFactory.create(operator=source.operator, reference="ada")
    old, new = InstanceFactory.create_batch(2, operator=source.operator)
    link(source, old)
    return source, old, new


def test_control_without_the_revision_replaced_links_are_followed(
    linked: tuple[Instance, Instance, Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, old, new = linked

    def replace_unnoticed() -> None:
        replacing(source, [new])()
        execute("UPDATE jackpots_instance SET revision = 1 WHERE id = %s", [source.pk])

    in_between(monkeypatch, replace_unnoticed)

    assert reached(source) == [str(old.pk)]


def test_replaced_links_are_obeyed_by_a_contribution_that_had_read_the_old_ones(
    linked: tuple[Instance, Instance, Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _old, new = linked
    in_between(monkeypatch, replacing(source, [new]))

    assert reached(source) == [str(new.pk)]


@pytest.mark.parametrize("change", [instances.pause_instance, instances.close_instance])
def test_a_linked_instance_that_stops_is_obeyed_by_a_contribution_that_had_read_it_open(
    change: Callable[..., Instance],
    linked: tuple[Instance, Instance, Instance],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, old, _new = linked

    def stop() -> Instance:
        return change(
            operator=old.operator,
            instance_id=old.pk,
            reason="Under review",
            actor=STAFF,
            now=timezone.now(),
        )

    in_between(monkeypatch, stop)

    contribute_ids = reached(source)

    assert contribute_ids == [str(old.pk)]
    assert old.contributions.get().error_code == "INSTANCE_NOT_ACTIVE"
    assert source.contributions.get().error_code == ""
