"""A reconciliation keeps its place: it is interrupted, left, taken over, and asks nobody twice."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from bonuses import tasks
from bonuses.enums import RunStatus
from bonuses.errors import ReconciliationUnderWay
from bonuses.models import BonusGrant, ReconciliationRun
from bonuses.ports import PlatformBonusUnknown, PlatformView
from bonuses.services import reconciliation
from bonuses.services.reconciliation import LEASE, Scope, count_to_reconcile, reconcile_bonuses
from operators.models import Operator
from tests.bonuses.conftest import ScriptedPlatform
from tests.bonuses.platform_events import stored
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory

pytestmark = pytest.mark.django_db

ALL = Scope()


class Interrupted(BaseException):
    """Stands in for whatever ends a process: nothing catches it."""


@pytest.fixture
def grants(
    operator: Operator, platform: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> list[BonusGrant]:
    """Seven grants that expired on their platform, which are walked two at a time."""
    monkeypatch.setattr(reconciliation, "CHUNK_SIZE", 2)
    made = BonusGrantFactory.create_batch(
        7, external=True, asked_template=BonusTemplateFactory.create(operator=operator)
    )
    for grant in made:
        platform.views[grant.platform_bonus_id] = PlatformView(grant.platform_bonus_id, "expired")
    return sorted(made, key=lambda grant: grant.pk)


def expired(grants: list[BonusGrant]) -> int:
    return sum(stored(grant).status == "expired" for grant in grants)


def interrupt_after(count: int) -> Callable[[int], None]:
    chunks = []

    def on_progress(_count: int) -> None:
        chunks.append(_count)
        if len(chunks) == count:
            raise Interrupted

    return on_progress


def test_a_run_that_died_is_gone_on_with_where_it_was(
    grants: list[BonusGrant], now: datetime
) -> None:
    with pytest.raises(Interrupted):
        reconcile_bonuses(scope=ALL, clock=lambda: now, on_progress=interrupt_after(2))
    assert expired(grants) == 4
    assert count_to_reconcile(scope=ALL, now=now) == 3

    run = reconcile_bonuses(scope=ALL, clock=lambda: now + LEASE)

    assert expired(grants) == 7
    assert (run.status, run.asked_count, run.replayed_count) == (RunStatus.FINISHED, 7, 7)
    assert ReconciliationRun.objects.count() == 1


def test_what_is_asked_twice_has_one_effect(
    grants: list[BonusGrant], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: Any, **kwargs: Any) -> None:
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(reconciliation, "_note_progress", die)
        with pytest.raises(Interrupted):
            reconcile_bonuses(scope=ALL, clock=lambda: now)
    assert expired(grants) == 2

    run = reconcile_bonuses(scope=ALL, clock=lambda: now, idle_for=timedelta(0))

    assert expired(grants) == 7
    assert run.replayed_count == 5


def test_a_run_stops_in_time_and_is_resumed(grants: list[BonusGrant], now: datetime) -> None:
    instants = iter([now] * 5 + [now + timedelta(seconds=200)] * 100)

    left = reconcile_bonuses(
        scope=ALL, clock=lambda: next(instants), stop_at=now + timedelta(seconds=200)
    )

    assert (left.status, expired(grants)) == (RunStatus.RUNNING, 2)
    later = now + timedelta(seconds=200) + LEASE
    resumed = reconciliation.resume_reconciliation(
        fresh_for=timedelta(hours=1), clock=lambda: later, stop_at=later + LEASE
    )
    assert resumed is not None
    assert (resumed.pk, resumed.status, expired(grants)) == (left.pk, RunStatus.FINISHED, 7)


def test_with_nothing_left_nothing_is_resumed(grants: list[BonusGrant], now: datetime) -> None:
    resumed = reconciliation.resume_reconciliation(
        fresh_for=timedelta(hours=1), clock=lambda: now, stop_at=now + LEASE
    )

    assert resumed is None
    assert expired(grants) == 0


def test_whoever_is_taken_over_stops(grants: list[BonusGrant], now: datetime) -> None:
    def take_over(_count: int) -> None:
        if expired(grants) < 7:
            reconcile_bonuses(
                scope=ALL, clock=lambda: now + timedelta(seconds=1), idle_for=timedelta(0)
            )

    with pytest.raises(ReconciliationUnderWay):
        reconcile_bonuses(scope=ALL, clock=lambda: now, on_progress=take_over)

    run = ReconciliationRun.objects.get()
    assert (run.status, run.asked_count, expired(grants)) == (RunStatus.FINISHED, 7, 7)


def test_a_dead_run_of_other_grants_is_closed(grants: list[BonusGrant], now: datetime) -> None:
    dead = ReconciliationRun.objects.create(
        adapter_slug="elsewhere", started_at=now - LEASE, touched_at=now - LEASE
    )

    run = reconcile_bonuses(scope=ALL, clock=lambda: now)

    assert (run.asked_count, expired(grants)) == (7, 7)
    assert ReconciliationRun.objects.get(pk=dead.pk).status == RunStatus.FINISHED


# What needs asking


def test_one_adapter_alone(grants: list[BonusGrant], now: datetime) -> None:
    BonusGrantFactory.create(external=True)

    run = reconcile_bonuses(scope=Scope(grants[0].adapter_slug), clock=lambda: now)

    assert (run.asked_count, run.replayed_count) == (7, 7)


def test_what_was_asked_lately_is_passed_over_unless_its_time_is_up(
    grants: list[BonusGrant], now: datetime
) -> None:
    lately = Scope(fresh_for=timedelta(hours=1))
    hour = timedelta(hours=1)
    later = now + timedelta(days=1)
    set_times = BonusGrant.objects.filter
    set_times(pk=grants[0].pk).update(reconciled_at=now, expires_at=None)
    set_times(pk=grants[1].pk).update(reconciled_at=now - hour, expires_at=later)
    set_times(pk=grants[2].pk).update(reconciled_at=now, expires_at=now)
    set_times(pk=grants[3].pk).update(reconciled_at=now, expires_at=later)
    set_times(pk__in=[grant.pk for grant in grants[4:]]).update(expires_at=later)

    reconcile_bonuses(scope=lately, clock=lambda: now)

    asked = [stored(grant).status == "expired" for grant in grants]
    assert asked == [False, True, True, False, True, True, True]


# The doors

CLOCK = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)


def command(*args: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    with time_machine.travel(CLOCK, tick=False):
        call_command("reconcile_bonuses", *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_command_tells_how_far_it_is(grants: list[BonusGrant]) -> None:
    out, _err = command()

    assert out.splitlines() == [
        "2 of 7",
        "4 of 7",
        "6 of 7",
        "7 of 7",
        "Asked about 7 bonuses: 7 replayed, 0 unknown to their platform, 0 unanswered.",
    ]


def test_the_command_refuses_an_adapter_that_there_is_not(grants: list[BonusGrant]) -> None:
    with pytest.raises(CommandError) as refused:
        command("--adapter", "typo")

    held_by = grants[0].adapter_slug
    assert str(refused.value) == f"There is no adapter 'typo'. Active bonuses are with: {held_by}."
    assert refused.value.returncode == 1
    assert ReconciliationRun.objects.exists() is False


def test_the_command_says_if_no_platform_holds_a_bonus(platform: ScriptedPlatform) -> None:
    with pytest.raises(CommandError, match="No platform holds an active bonus"):
        command("--adapter", "typo")

    assert command("--adapter", platform.slug)[0].startswith("Asked about 0 bonuses")


def test_the_command_ends_with_one_json_object(grants: list[BonusGrant]) -> None:
    out, err = command("--json", "--adapter", grants[0].adapter_slug)

    assert err == ""
    assert json.loads(out) == {
        "id": str(ReconciliationRun.objects.get().pk),
        "adapter": grants[0].adapter_slug,
        "status": "finished",
        "asked": 7,
        "replayed": 7,
        "unknown": 0,
        "unanswered": 0,
        "alarming": False,
        "started_at": "2026-03-29T00:59:00Z",
        "finished_at": "2026-03-29T00:59:00Z",
    }


def test_the_command_goes_on_at_once_with_a_run_that_was_interrupted(
    grants: list[BonusGrant],
) -> None:
    with pytest.raises(Interrupted):
        reconcile_bonuses(scope=ALL, clock=lambda: CLOCK, on_progress=interrupt_after(1))

    out, _err = command("--json")

    assert (json.loads(out)["asked"], expired(grants)) == (7, 7)


def test_the_command_says_that_others_are_at_it(grants: list[BonusGrant]) -> None:
    ReconciliationRun.objects.create(adapter_slug="elsewhere", started_at=CLOCK, touched_at=CLOCK)

    with pytest.raises(CommandError) as refusal:
        command()

    assert refusal.value.returncode == 1
    assert expired(grants) == 0


def test_the_command_fails_on_an_alarm(
    grants: list[BonusGrant], platform: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "ALARM_UNKNOWN_MIN", 7)
    for grant in grants:
        platform.views[grant.platform_bonus_id] = PlatformBonusUnknown()

    with pytest.raises(SystemExit) as exit_:
        command()

    assert exit_.value.code == 2
    assert BonusGrant.objects.active().count() == 7


def test_the_tasks_reconcile_daily_and_resume(grants: list[BonusGrant]) -> None:
    with time_machine.travel(CLOCK, tick=False):
        assert tasks.resume_reconciliation.apply().get() == 0
        assert tasks.reconcile_bonuses.apply(kwargs={"newer": 1}).get() == 7
    assert expired(grants) == 7


def test_a_task_that_finds_another_at_it_leaves_it_alone(grants: list[BonusGrant]) -> None:
    ReconciliationRun.objects.create(started_at=CLOCK, touched_at=CLOCK)

    with time_machine.travel(CLOCK, tick=False):
        assert tasks.reconcile_bonuses.apply().get() == 0
        assert tasks.resume_reconciliation.apply().get() == 0
    assert expired(grants) == 0
