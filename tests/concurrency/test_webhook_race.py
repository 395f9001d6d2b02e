"""
Webhooks at one instant: one event many times, many events of one grant, and events that meet
the writing of their grant, or a reconciliation.

Each control takes away what decides: the constraint, or the lock.
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from bonuses.models import BonusGrant, BonusIssuance, PlatformEvent, WagerEvent
from bonuses.ports import PlatformView
from bonuses.services import state_sync
from bonuses.services.reconciliation import Scope, reconcile_bonuses
from core import locks
from core.models import AuditEntry, OutboxMessage
from tests.adapters.platforms import CLOCK, Platform, event_about, platform_of
from tests.bonuses.conftest import ScriptedPlatform, scripted_registry
from tests.bonuses.platform_events import TS, apply, event_of, stored
from tests.concurrency.sabotage import at_once, execute, let_them_wait, select_only
from tests.factories.bonuses import BonusGrantFactory, BonusIssuanceFactory

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 64


@pytest.fixture
def grant() -> BonusGrant:
    return BonusGrantFactory.create(external=True)


# One event, many times


def deliver(platform: Platform, body: bytes, headers: dict[str, str], times: int) -> Counter[Any]:
    answers: Counter[Any] = Counter()
    client = APIClient()
    for _delivery in range(times):
        response = client.generic("POST", platform.path, body, headers=headers)
        answers[response.status_code, response.json().get("reason")] += 1
    return answers


def deliver_at_once(grant: BonusGrant, *, threads: int, times: int) -> Counter[Any]:
    platform = platform_of(grant)
    event = event_about(
        grant, "wagered", wagered_amount_subunit=1000, weighted_progress_subunit=1000
    )
    body = json.dumps(event).encode()
    headers = platform.sign(body)
    with time_machine.travel(CLOCK, tick=False):
        work = [lambda: deliver(platform, body, headers, times)] * threads
        return sum(at_once(work), Counter())


@pytest.fixture
def without_constraints() -> Iterator[None]:
    """Take away what makes an event, and its wagering, happen once."""
    index = "wager_event_advances_once"
    [(definition,)] = execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [index])
    table, constraint = "bonuses_platformevent", "platform_event_answered_once"
    execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    execute(f"DROP INDEX {index}")
    yield
    execute(f"TRUNCATE {table}, bonuses_wagerevent CASCADE")
    execute(definition)
    execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} UNIQUE (adapter_slug, event_id)")


def test_control_without_the_constraint_one_event_has_several_effects(
    grant: BonusGrant, without_constraints: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_are_new = threading.Barrier(8)

    def meet(name: str) -> None:
        if name == "state_sync.after_dedupe":
            all_are_new.wait(timeout=60)

    monkeypatch.setattr(state_sync, "failpoint", meet)

    answers = deliver_at_once(grant, threads=8, times=1)

    assert answers == {(200, None): 8}
    assert stored(grant).total_wagered == 80


def test_an_event_delivered_a_thousand_times_has_one_effect(grant: BonusGrant) -> None:
    answers = deliver_at_once(grant, threads=THREADS, times=16)

    assert answers == {(200, None): 1, (200, "duplicate"): THREADS * 16 - 1}
    assert stored(grant).total_wagered == 10
    assert (PlatformEvent.objects.count(), WagerEvent.objects.count()) == (1, 1)


# Many events of one grant


def wager_and_end_at_once(grant: BonusGrant) -> Counter[Any]:
    events = [event_of(grant.pk, "wagered") for _number in range(31)]
    events.insert(15, event_of(grant.pk, "cancelled"))
    results = at_once([lambda event=event: apply(grant, event) for event in events])
    return Counter(result.reason for result in results)


def test_control_without_the_lock_wagering_meets_the_end(
    grant: BonusGrant, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_read, has_ended = threading.Event(), threading.Event()

    def read_before_the_end(*args: Any, **kwargs: Any) -> list[Any]:
        rows = select_only(*args, **kwargs)
        if not has_read.is_set():
            has_read.set()
            assert has_ended.wait(timeout=60)
        return rows

    def end() -> None:
        assert has_read.wait(timeout=60)
        apply(grant, event_of(grant.pk, "cancelled"))
        has_ended.set()

    monkeypatch.setattr(locks, "lock_rows", read_before_the_end)

    with pytest.raises(IntegrityError, match="is not active"):
        at_once([lambda: apply(grant, event_of(grant.pk, "wagered")), end])


def test_wagering_counts_until_the_end_and_not_after(grant: BonusGrant) -> None:
    reasons = wager_and_end_at_once(grant)

    assert sum(reasons.values()) == 32
    assert set(reasons) <= {None, "terminal_immutable"}
    assert stored(grant).status == "cancelled"
    assert stored(grant).total_wagered == 10 * (reasons[None] - 1)


# An event that meets the writing of its grant


def write_grant(issuance_id: Any) -> None:
    """Write the grant as issuing does: under the issuance's lock, with what was parked."""
    with transaction.atomic():
        held = BonusIssuance.objects.select_related("template", "player").filter(pk=issuance_id)
        issuance = locks.lock_one(held)
        issuance.succeed(now=TS)
        issuance.save(update_fields=["status", "settled_at", "leased_until"])
        grant = BonusGrantFactory.create(issuance=issuance, asked_template=issuance.template)
        state_sync.apply_parked_events(grant=grant, now=TS)


def meet(monkeypatch: pytest.MonkeyPatch, *, after: str, is_locked: bool) -> BonusGrant:
    """
    Let the grant be written just when an event has looked for it, or for its issuance.

    By lock_rows it looks for the grant, by lock_many for the issuance.
    """
    issuance = BonusIssuanceFactory.create(external=True)
    has_looked, is_written = threading.Event(), threading.Event()
    lock = getattr(locks, after)

    def look(*args: Any, **kwargs: Any) -> list[Any]:
        if threading.current_thread() is not sender or has_looked.is_set():
            return lock(*args, **kwargs)
        rows = lock(*args, **kwargs) if is_locked else list(*args)
        has_looked.set()
        if is_locked and rows:
            # Whoever writes the grant is waiting for this row.
            let_them_wait()
        else:
            assert is_written.wait(timeout=60)
        return rows

    def send() -> None:
        try:
            apply(issuance, event_of(issuance.grant_id, "wagered"))
        finally:
            execute("SELECT 1")
            state_sync.transaction.get_connection().close()

    sender = threading.Thread(target=send)
    monkeypatch.setattr(locks, after, look)
    sender.start()
    assert has_looked.wait(timeout=60)
    write_grant(issuance.pk)
    is_written.set()
    sender.join()
    return BonusGrant.objects.get(pk=issuance.grant_id)


def test_control_without_the_lock_an_event_stays_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    grant = meet(monkeypatch, after="lock_many", is_locked=False)

    assert grant.total_wagered == 0
    assert PlatformEvent.objects.get().outcome == "parked"


@pytest.mark.parametrize("after", ["lock_rows", "lock_many"])
def test_an_event_that_meets_its_grant_is_applied_once(
    after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = meet(monkeypatch, after=after, is_locked=True)

    assert grant.total_wagered == 10
    assert PlatformEvent.objects.get().outcome == "applied"


# An end that comes by webhook and by reconciliation


def test_a_reconciliation_while_webhooks_arrive_ends_each_grant_once(settings: Any) -> None:
    first = BonusGrantFactory.create(external=True)
    grants = [
        first,
        *BonusGrantFactory.create_batch(23, external=True, asked_template=first.template),
    ]
    platform = ScriptedPlatform(slug=first.adapter_slug)
    for grant in grants:
        platform.views[grant.platform_bonus_id] = PlatformView(
            grant.platform_bonus_id, "completed", at=TS
        )
    settings.BONUS_ADAPTERS = "tests.bonuses.conftest.scripted_registry"
    scripted_registry.platform = platform

    def send(some: list[BonusGrant]) -> None:
        for grant in some:
            apply(grant, event_of(grant.pk, "completed"))

    try:
        at_once(
            [
                lambda: reconcile_bonuses(scope=Scope(), clock=lambda: TS),
                *[lambda part=part: send(grants[part::3]) for part in range(3)],
            ]
        )
    finally:
        scripted_registry.platform = None

    assert {stored(grant).status for grant in grants} == {"completed"}
    applied = PlatformEvent.objects.filter(outcome="applied")
    assert Counter(applied.values_list("grant", flat=True)) == {grant.pk: 1 for grant in grants}
    assert AuditEntry.objects.filter(action="bonus.grant.completed").count() == len(grants)
    assert OutboxMessage.objects.filter(topic="bonus.grant.completed").count() == len(grants)
