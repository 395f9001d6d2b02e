"""folding.fold_contributions, and what it counts besides the meters."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import Actor
from core.models import AuditEntry
from jackpots.enums import InstanceStatus
from jackpots.models import Instance, LinkTraffic, Pot
from jackpots.selectors import link_health, read_meters
from jackpots.services import folding
from jackpots.tasks import fold_contributions
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.jackpots.conftest import let_the_horizon_pass, link, meter

pytestmark = pytest.mark.django_db(transaction=True)

Contribute = Callable[..., Any]


@pytest.fixture
def instance(operator: Operator) -> Instance:
    return InstanceFactory.create(
        operator=operator,
        progressive=True,
        pots=[
            {"name": "Mini", "share": Decimal("0.25"), "seed": Decimal(5)},
            {"name": "Grand", "share": Decimal("0.75"), "seed": Decimal(1000)},
        ],
    )


def test_moves_contributions_from_the_tail_into_the_meters(
    instance: Instance, contribute: Contribute, actor: Actor, now: datetime
) -> None:
    for _ in range(3):
        contribute(instance)
    let_the_horizon_pass()
    before = read_meters(instance_ids=[instance.pk])

    folded_count = folding.fold_contributions(actor=actor, now=now, limit=10)

    assert folded_count == 3
    assert read_meters(instance_ids=[instance.pk]) == before
    assert list(Pot.objects.values_list("name", "folded")) == [
        ("Mini", Decimal("0.075")),
        ("Grand", Decimal("0.225")),
    ]


def test_a_second_run_finds_nothing_to_do(
    instance: Instance, contribute: Contribute, actor: Actor, now: datetime
) -> None:
    contribute(instance)
    let_the_horizon_pass()
    folding.fold_contributions(actor=actor, now=now, limit=10)

    with CaptureQueriesContext(connection) as queries:
        folded_count = folding.fold_contributions(actor=actor, now=now, limit=10)

    assert folded_count == 0
    # Nothing is due, so nothing but the question is asked.
    assert len(queries) == 1


def test_the_longest_waiting_go_first_within_the_limit(
    operator: Operator, contribute: Contribute, actor: Actor, now: datetime
) -> None:
    instances = InstanceFactory.create_batch(3, operator=operator)
    for each in instances:
        contribute(each)
    let_the_horizon_pass()

    counts = [folding.fold_contributions(actor=actor, now=now, limit=2) for _ in range(3)]

    assert counts == [2, 1, 0]


def test_one_broken_instance_does_not_hold_up_the_others(
    operator: Operator,
    contribute: Contribute,
    actor: Actor,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, sound = InstanceFactory.create_batch(2, operator=operator)
    contribute(broken)
    contribute(sound)
    let_the_horizon_pass()
    # A meter at the edge of its column cannot take another contribution.
    Pot.objects.filter(instance=broken).update(folded=Decimal("9" * 30 + "." + "9" * 8))

    folded_count = folding.fold_contributions(actor=actor, now=now, limit=10)

    assert folded_count == 1
    assert f"instance {broken.pk} could not be folded" in caplog.text


@pytest.mark.parametrize(
    ("kind", "status"),
    [("progressive", InstanceStatus.CLOSED), ("raffle", InstanceStatus.CLOSING)],
)
def test_settles_a_closing_progressive_but_not_a_raffle_that_waits_for_its_draw(
    kind: str,
    status: InstanceStatus,
    operator: Operator,
    actor: Actor,
    now: datetime,
) -> None:
    instance = InstanceFactory.create(
        operator=operator, kind=kind, ticket_cost=None, status=InstanceStatus.CLOSING
    )

    folding.fold_contributions(actor=actor, now=now, limit=10)

    assert Instance.objects.get(pk=instance.pk).status == status
    settled = AuditEntry.objects.filter(action="jackpot.instance.settled", actor_ref=actor.ref)
    assert settled.count() == (1 if status == InstanceStatus.CLOSED else 0)


def test_the_task_runs_the_service_and_swallows_newer_arguments(
    instance: Instance, contribute: Contribute
) -> None:
    contribute(instance)
    let_the_horizon_pass()

    result = fold_contributions.apply(kwargs={"sent_by_a_newer_release": True})

    assert result.get() == 1
    assert Instance.objects.get(pk=instance.pk).folded_to > 0


# Link health


def test_link_health_counts_the_last_24_hours_folded_or_not(
    operator: Operator, instance: Instance, contribute: Contribute, actor: Actor, now: datetime
) -> None:
    good = InstanceFactory.create(operator=operator)
    shy = InstanceFactory.create(operator=operator, opt_in_required=True)
    link(instance, shy, good)
    contribute(instance)
    let_the_horizon_pass()
    folding.fold_contributions(actor=actor, now=now, limit=10)
    contribute(instance)
    # Long ago does not count.
    LinkTraffic.objects.create(
        source=instance, target=good, hour=timezone.now() - timedelta(hours=26), count=100
    )

    health = link_health(instance=instance, now=timezone.now())

    assert [
        (each.target, each.accepted_count, each.failed_count, each.top_error_code)
        for each in health
    ] == [(shy, 0, 2, "OPT_IN_REQUIRED"), (good, 2, 0, None)]


def test_a_link_without_traffic_is_shown_with_zeros(operator: Operator, instance: Instance) -> None:
    link(instance, InstanceFactory.create(operator=operator))

    [health] = link_health(instance=instance, now=timezone.now())

    assert (health.accepted_count, health.failed_count, health.top_error_code) == (0, 0, None)


def test_traffic_of_another_source_is_not_counted(
    operator: Operator, instance: Instance, contribute: Contribute
) -> None:
    other, target = InstanceFactory.create_batch(2, operator=operator)
    link(instance, target)
    link(other, target)
    contribute(other)

    [health] = link_health(instance=instance, now=timezone.now())

    assert health.accepted_count == 0
    assert meter(target) == Decimal("0.1")
