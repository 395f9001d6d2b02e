"""
One player opted in by many requests at one instant: one opt-in, and the same answer to all.

All of them look before any of them inserts, so the race is certain. The control takes
away the index that knows one opt-in at a time.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from core.actors import Actor, ActorKind
from core.models import AuditEntry
from jackpots.models import Instance, OptIn
from jackpots.services import opt_ins
from players.models import Player
from tests.concurrency.sabotage import at_once, execute
from tests.factories.jackpots import InstanceFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 16


@pytest.fixture
def instance() -> Instance:
    instance = InstanceFactory.create()
    PlayerFactory.create(operator=instance.operator, reference="ada")
    return instance


@pytest.fixture
def look_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every request wait, once it has looked, until all of them have."""
    all_have_looked = threading.Barrier(COUNT)

    def wait(player: Player, *, now: datetime) -> bool:
        all_have_looked.wait(timeout=60)
        return False

    monkeypatch.setattr(Player, "is_self_excluded", wait)


def calling(service: Callable[..., Any], instance: Instance) -> Callable[[], Any]:
    def call() -> Any:
        return service(
            operator=instance.operator,
            instance_id=instance.pk,
            player_reference="ada",
            actor=Actor(kind=ActorKind.TASK, ref="race"),
            now=timezone.now(),
        )

    return call


def test_control_without_the_index_a_player_is_opted_in_many_times(
    instance: Instance, look_together: None
) -> None:
    definition = execute(
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'opt_in_once_at_a_time'"
    )[0][0]
    execute("DROP INDEX opt_in_once_at_a_time")
    try:
        at_once([calling(opt_ins.opt_in_player, instance)] * COUNT)

        assert OptIn.objects.count() == COUNT
    finally:
        execute("TRUNCATE jackpots_optin")
        execute(definition)


def test_16_requests_opt_a_player_in_once(instance: Instance, look_together: None) -> None:
    given = at_once([calling(opt_ins.opt_in_player, instance)] * COUNT)

    opt_in = OptIn.objects.get()
    assert sorted(each.is_new for each in given) == [False] * (COUNT - 1) + [True]
    assert {each.opt_in.pk for each in given} == {opt_in.pk}
    assert {each.opt_in.opted_in_at for each in given} == {opt_in.opted_in_at}
    assert AuditEntry.objects.count() == 1


def test_opting_in_and_out_at_once_leaves_at_most_one_opt_in_standing(
    instance: Instance,
) -> None:
    for _round in range(5):
        at_once(
            [calling(opt_ins.opt_in_player, instance)] * 8
            + [calling(opt_ins.opt_out_player, instance)] * 8
        )

        assert OptIn.objects.filter(opted_out_at=None).count() <= 1

    # Each opt-in that came to be was written down, and each end of one.
    ended = OptIn.objects.exclude(opted_out_at=None).count()
    actions = list(AuditEntry.objects.values_list("action", flat=True))
    assert actions.count("jackpot.opt_in.given") == OptIn.objects.count()
    assert actions.count("jackpot.opt_in.withdrawn") == ended
