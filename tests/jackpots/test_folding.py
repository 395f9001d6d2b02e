"""folding.fold_contributions, and what it counts besides the meters."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import books
from core.actors import Actor
from core.models import AuditEntry
from jackpots.enums import InstanceStatus, RollbackScope
from jackpots.models import Instance, LinkTraffic, MeterHour, Pot, RollbackLoss, Win
from jackpots.selectors import link_health, read_meters
from jackpots.services import folding
from jackpots.services.rollbacks import reverse_contribution
from jackpots.tasks import fold_contributions
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.jackpots.conftest import let_the_horizon_pass, link, meter
from tests.jackpots.ledger import Ledger

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


# Rollbacks, hours


def test_a_rollback_takes_back_from_a_running_cycle_and_is_a_loss_after_the_win(
    operator: Operator, actor: Actor
) -> None:
    pots = [
        {"name": "Mini", "share": Decimal("0.5"), "drop_type": "hit_rate",
         "drop_probability": Decimal("0.1")},
        {"name": "Grand", "share": Decimal("0.5")},
    ]  # fmt: skip
    instance = InstanceFactory.create(operator=operator, progressive=True, pots=pots)
    ledger = Ledger(operator, actor)
    ledger.take_back(instance, ledger.add(instance, "ada", "2"))
    before, after = ledger.add(instance, "bob", "4"), ledger.add(instance, "bob", "6")
    ledger.fold(instance)
    ledger.take_back(instance, before)
    ledger.add(instance, "cyd", "8", hits=[0])
    # In the fold that finds the win, and after one.
    ledger.take_back(instance, after)
    last = ledger.add(instance, "dee", "10")
    ledger.fold(instance)
    ledger.take_back(instance, last)
    twice = ledger.add(instance, "eve", "12", hits=[0])
    ledger.fold(instance)
    reversal = ledger.take_back(instance, twice)
    assert [each.value for each in read_meters(instance_ids=[instance.pk])[instance.pk]] == [0, 4]

    ledger.fold(instance)

    assert [each.value for each in read_meters(instance_ids=[instance.pk])[instance.pk]] == [0, 4]
    wins = Win.objects.order_by("cycle").values_list("amount", flat=True)
    assert list(wins) == [7, 6]
    losses = RollbackLoss.objects.order_by("amount")
    assert [(loss.amount, loss.pot.name) for loss in losses] == [(3, "Mini"), (6, "Mini")]
    assert losses[1].reversal == reversal
    assert books.find_differences() == []


def test_a_closed_instance_is_folded_for_a_rollback_and_then_left_alone(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    instance = InstanceFactory.create(operator=operator, progressive=True, status="closed")
    ledger = Ledger(operator, actor)
    given = ledger.add(instance, "ada", "2")
    ledger.fold(instance)
    assert folding.fold_contributions(actor=actor, now=now, limit=10) == 0
    ledger.take_back(instance, given)
    let_the_horizon_pass()
    Instance.objects.filter(pk=instance.pk).update(needs_fold=True)

    folded = [folding.fold_contributions(actor=actor, now=now, limit=10) for _ in range(2)]

    assert folded == [1, 0]
    assert meter(instance) == 0
    assert not Instance.objects.get(pk=instance.pk).needs_fold


def test_hours_say_what_was_contributed_and_where_the_meter_stood(
    operator: Operator, actor: Actor
) -> None:
    pots = [{"seed": Decimal(1), "ceiling": Decimal(8)}]
    instance = InstanceFactory.create(operator=operator, progressive=True, pots=pots)
    ledger = Ledger(operator, actor)
    ten = datetime(2026, 3, 29, 10, tzinfo=UTC)
    first = ledger.add(instance, "ada", "2", at=ten)
    ledger.add(instance, "bob", "3", at=ten + timedelta(minutes=59))
    ledger.add(instance, "cyd", "4", at=ten + timedelta(minutes=60))
    ledger.fold(instance)
    ledger.take_back(instance, first, at=ten + timedelta(hours=3))
    ledger.add(instance, "dee", "1", at=ten + timedelta(minutes=61))
    ledger.fold(instance)

    hours = MeterHour.objects.order_by("hour").values_list("hour__hour", "contributed", "value")
    assert list(hours) == [(10, 5, 6), (11, 5, 8), (13, 0, 8)]


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


def test_a_rollback_is_no_traffic_of_a_link_folded_or_not(
    operator: Operator, instance: Instance, contribute: Contribute, actor: Actor, now: datetime
) -> None:
    target = InstanceFactory.create(operator=operator)
    link(instance, target)
    leg = contribute(instance).json()["results"][1]["contribution_id"]
    reverse_contribution(
        operator=operator,
        contribution_id=UUID(leg),
        scope=RollbackScope.LEG,
        actor=actor,
        now=timezone.now(),
    )

    [unfolded] = link_health(instance=instance, now=timezone.now())
    let_the_horizon_pass()
    folding.fold_contributions(actor=actor, now=now, limit=10)
    [folded] = link_health(instance=instance, now=timezone.now())

    assert (unfolded.accepted_count, folded.accepted_count) == (1, 1)


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
