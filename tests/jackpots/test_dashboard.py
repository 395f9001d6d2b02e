"""The figures of jackpots on the home page, worked out by hand, over operators and currencies."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.actors import Actor
from jackpots import dashboard
from jackpots.dashboard import (
    FailingLink,
    RunningJackpot,
    read_jackpot_troubles,
    read_running_jackpots,
)
from jackpots.enums import InstanceStatus, WinStatus
from jackpots.models import Instance, LinkTraffic, MeterHour, Pot
from jackpots.services.folding import fold_instance
from operators.models import Operator
from tests.admin.world import lose_to_a_rollback
from tests.factories.jackpots import InstanceFactory, WinFactory
from tests.factories.operators import LONG_AGO, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import let_the_horizon_pass, link

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MIDNIGHT = datetime(2026, 3, 28, tzinfo=UTC)


def hour(pot: Pot, number: int, value: str, contributed: str = "0") -> None:
    """Say where the pot's meter stood at the end of an hour after (or before) midnight."""
    MeterHour.objects.create(
        pot=pot,
        hour=MIDNIGHT + number * HOUR,
        value=Decimal(value),
        contributed=Decimal(contributed),
    )


def decimals(*texts: str | None) -> tuple[Decimal | None, ...]:
    return tuple(None if text is None else Decimal(text) for text in texts)


# What runs, and how it grows


def test_a_meter_stands_where_the_hour_before_left_it(operator: Operator) -> None:
    two_pots = InstanceFactory.create(
        operator=operator, progressive=True, pots=[{"share": "0.5"}, {"share": "0.5"}]
    )
    first, second = two_pots.pots.order_by("position")
    hour(first, -30, "100")
    hour(first, 0, "110.5", "10.5")
    hour(first, 2, "5", "4")
    hour(second, 1, "1.25", "1.25")

    read = read_running_jackpots(since=MIDNIGHT, now=MIDNIGHT + 3.5 * HOUR, limit=5)

    assert read.instants == tuple(MIDNIGHT + number * HOUR for number in range(4))
    [jackpot] = read.jackpots
    # The second pot is known from its first hour on; at the third hour the first had been won.
    assert jackpot.values == decimals("100", "110.5", "111.75", "6.25")
    assert jackpot.gained == decimals("0", "10.5", "11.75", "15.75")
    assert jackpot.contributed == Decimal("15.75")


def test_hours_before_the_period_are_not_contributed_in_it(operator: Operator) -> None:
    pot = InstanceFactory.create(operator=operator).pots.get()
    hour(pot, -1, "7", "7")

    [jackpot] = read_running_jackpots(since=MIDNIGHT, now=MIDNIGHT + HOUR, limit=5).jackpots

    assert (jackpot.values, jackpot.gained, jackpot.contributed) == (decimals("7"), (0,), 0)


def test_what_was_contributed_grows_by_the_steps_of_the_period(operator: Operator) -> None:
    pot = InstanceFactory.create(operator=operator).pots.get()
    since = MIDNIGHT - timedelta(days=6)
    for number, contributed in ((-2, "1"), (-1, "2"), (0, "4"), (3, "8")):
        hour(pot, number, "50", contributed)

    read = read_running_jackpots(since=since, now=MIDNIGHT + 3 * HOUR, limit=5)

    # Steps of two hours: the one that ends at midnight has both hours before it.
    at_midnight = read.instants.index(MIDNIGHT)
    [jackpot] = read.jackpots
    assert jackpot.gained[at_midnight - 1 :] == decimals("0", "3", "7")
    assert jackpot.contributed == 15


def test_of_an_instance_without_hours_nothing_is_known(operator: Operator) -> None:
    daily = InstanceFactory.create(operator=operator, name="Daily", currency="JPY", paused=True)

    read = read_running_jackpots(since=MIDNIGHT, now=MIDNIGHT + 2 * HOUR, limit=5)

    assert read.jackpots == (
        RunningJackpot(
            daily.pk,
            "Daily",
            "raffle",
            "JPY",
            operator.name,
            True,
            "Under review",
            Decimal(0),
            (0, 0),
            (None, None),
        ),
    )


def test_the_newest_that_take_contributions_are_told(operator: Operator) -> None:
    for name, days in (("Old", 0), ("Newest", 2), ("Newer", 1)):
        InstanceFactory.create(
            operator=OperatorFactory.create(),
            name=name,
            activated_at=LONG_AGO + timedelta(days=days),
        )
    for status in set(InstanceStatus) - {InstanceStatus.ACTIVE}:
        InstanceFactory.create(operator=operator, status=status)

    read = read_running_jackpots(since=MIDNIGHT, now=MIDNIGHT + HOUR, limit=2)

    assert [each.name for each in read.jackpots] == ["Newest", "Newer"]


def test_those_of_each_currency_that_gained_most_come_first(operator: Operator) -> None:
    for name, currency, contributed in (
        ("Euro", "EUR", "5"),
        ("Large euro", "EUR", "6"),
        ("Yen", "JPY", "900"),
        ("Large yen", "JPY", "1000"),
        ("Idle", "EUR", "0"),
    ):
        instance = InstanceFactory.create(operator=operator, name=name, currency=currency)
        hour(instance.pots.get(), 0, contributed, contributed)

    read = read_running_jackpots(since=MIDNIGHT, now=MIDNIGHT + HOUR, limit=4)

    assert [each.name for each in read.jackpots] == ["Large euro", "Large yen", "Euro", "Yen"]


@pytest.mark.parametrize(
    ("days", "step"), [(1, HOUR), (7, 2 * HOUR), (30, 6 * HOUR), (400, 24 * HOUR)]
)
def test_a_long_period_has_longer_steps(days: int, step: timedelta, db: Any) -> None:
    since = MIDNIGHT - timedelta(days=days)

    instants = read_running_jackpots(since=since, now=MIDNIGHT, limit=5).instants

    assert (instants[0], instants[1] - instants[0]) == (since, step)
    assert instants[-1] == MIDNIGHT - step


def test_at_the_first_instant_of_a_period_there_is_no_step(db: Any) -> None:
    InstanceFactory.create()

    read = read_running_jackpots(since=MIDNIGHT, now=MIDNIGHT, limit=5)

    assert (read.instants, read.jackpots[0].values) == ((), ())
    assert read.jackpots[0].gained == ()


# What may need somebody


def fail(source: Instance, target: Instance, at: datetime, error_code: str, count: int) -> None:
    LinkTraffic.objects.create(
        source=source, target=target, hour=at, error_code=error_code, count=count
    )


def test_failures_of_links_are_those_of_the_last_24_hours(
    operator: Operator, now: datetime
) -> None:
    daily, weekly, monthly = (
        InstanceFactory.create(operator=operator, name=name) for name in ("D", "W", "M")
    )
    elsewhere = [InstanceFactory.create(operator=OperatorFactory.create()) for _ in range(2)]
    # It is 00:59: the hour from 00:00 a day ago still counts, the one before does not.
    first = MIDNIGHT
    fail(daily, weekly, first, "INSTANCE_NOT_ACTIVE", 2)
    fail(daily, weekly, first + HOUR, "INSTANCE_NOT_ACTIVE", 1)
    fail(daily, weekly, first + HOUR, "PLAYER_BLOCKED", 2)
    fail(daily, monthly, first + 24 * HOUR, "OPT_IN_REQUIRED", 40)
    fail(daily, monthly, first + 24 * HOUR, "", 1000)
    fail(*elsewhere, first, "PLAYER_BLOCKED", 7)
    fail(daily, monthly, first - HOUR, "OPT_IN_REQUIRED", 999)

    troubles = read_jackpot_troubles(now=now, links_max=2)

    assert (troubles.failed_count, troubles.failing_link_count) == (52, 3)
    assert troubles.failing_links == (
        FailingLink(daily.pk, "D", monthly.pk, "M", 40, "OPT_IN_REQUIRED"),
        FailingLink(
            elsewhere[0].pk,
            elsewhere[0].name,
            elsewhere[1].pk,
            elsewhere[1].name,
            7,
            "PLAYER_BLOCKED",
        ),
    )
    worst = read_jackpot_troubles(now=now, links_max=9).failing_links[2]
    assert (worst.target, worst.failed_count, worst.top_error_code) == (
        "W",
        5,
        "INSTANCE_NOT_ACTIVE",
    )


@pytest.mark.django_db(transaction=True)
def test_a_refusal_is_counted_once_it_is_folded(
    operator: Operator, contribute: Callable[..., Any], actor: Actor
) -> None:
    daily = InstanceFactory.create(operator=operator)
    weekly = InstanceFactory.create(operator=operator, opt_in_required=True)
    link(daily, weekly)
    answer = contribute(daily)
    let_the_horizon_pass()
    at = datetime.now(UTC)

    before = read_jackpot_troubles(now=at, links_max=5)
    fold_instance(instance_id=weekly.pk, actor=actor, now=at)
    after = read_jackpot_troubles(now=at, links_max=5)

    assert answer.status_code == 201
    assert (before.failed_count, after.failed_count) == (0, 1)
    assert after.failing_links[0].top_error_code == "OPT_IN_REQUIRED"


def test_wins_that_could_not_be_paid_and_losses_to_explain_are_counted(
    operator: Operator, now: datetime
) -> None:
    instance = InstanceFactory.create(operator=operator, progressive=True)
    pot = instance.pots.get()
    for cycle, status in enumerate(WinStatus, start=1):
        WinFactory.create(pot=pot, cycle=cycle, status=status)
    WinFactory.create(pot=pot, cycle=9, last_error="ADAPTER_UNAVAILABLE")
    WinFactory.create(pot=pot, cycle=10, status=WinStatus.PAID, last_error="It took two attempts")
    player = PlayerFactory.create(operator=operator)
    lose_to_a_rollback(instance, player, now)
    explained = lose_to_a_rollback(instance, player, now)
    explained.explained_at, explained.explained_by, explained.explanation = now, "7", "Known"
    explained.save(update_fields=["explained_at", "explained_by", "explanation"])

    troubles = read_jackpot_troubles(now=now, links_max=5)

    assert (troubles.unpaid_win_count, troubles.loss_count) == (1, 1)
    assert troubles.active_count == 1


def test_nobody_counts_on_for_ever(
    operator: Operator, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "COUNTED_MAX", 2)
    instance = InstanceFactory.create(operator=operator, progressive=True)
    for cycle in range(1, 6):
        WinFactory.create(pot=instance.pots.get(), cycle=cycle, last_error="No answer")

    assert read_jackpot_troubles(now=now, links_max=5).unpaid_win_count == 3
