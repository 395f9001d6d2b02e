"""A platform's word changes a grant once, forward only, and is answered with what came of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from bonuses.enums import CLOSED_GRANT_STATUSES, EventOutcome, GrantStatus
from bonuses.errors import EventIdReused, InvalidEvent
from bonuses.models import BonusGrant, PlatformEvent, WagerEvent
from bonuses.services import state_sync
from bonuses.services.state_sync import SUBUNITS_MAX, SyncResult
from core.errors import NotFound
from core.failpoints import FailpointHit
from core.instants import format_instant
from core.models import AuditEntry, OutboxMessage
from tests.bonuses.platform_events import TS, apply, event_of, row_of, stored
from tests.factories.bonuses import (
    BonusGrantFactory,
    BonusTemplateFactory,
)
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def grant() -> BonusGrant:
    return BonusGrantFactory.create(external=True)


# The seed's table of events


def test_credited_sets_the_instant_and_leaves_the_status(grant: BonusGrant, now: datetime) -> None:
    event = event_of(grant.pk)

    result = apply(grant, event, now=now)

    assert result == SyncResult(applied=True, new_status="active", reason=None)
    assert stored(grant).activated_at == now
    row = row_of(event)
    assert (row.outcome, row.grant_id, row.applied_at) == (EventOutcome.APPLIED, grant.pk, now)


def test_credited_again_keeps_the_first_instant(grant: BonusGrant, now: datetime) -> None:
    apply(grant, event_of(grant.pk), now=now)

    result = apply(grant, event_of(grant.pk, ts=now - HOUR), now=now + HOUR)

    assert result == SyncResult(applied=True, new_status="active", reason=None)
    assert stored(grant).activated_at == now


def test_credited_completes_a_bonus_that_needs_no_wagering(now: datetime) -> None:
    template = BonusTemplateFactory.create(wagering_multiplier=Decimal(0))
    grant = BonusGrantFactory.create(asked_template=template, external=True)

    result = apply(grant, event_of(grant.pk), now=now)

    assert result == SyncResult(applied=True, new_status="completed", reason=None)
    assert (stored(grant).activated_at, stored(grant).completed_at) == (now, now)


def test_wagered_adds_both_amounts(grant: BonusGrant) -> None:
    apply(grant, event_of(grant.pk, "wagered"))
    event = event_of(grant.pk, "wagered", wagered_amount_subunit=1, weighted_progress_subunit=0)

    result = apply(grant, event)

    assert result == SyncResult(applied=True, new_status="active", reason=None)
    assert stored(grant).total_wagered == Decimal("10.01")
    assert stored(grant).wagering_progress == Decimal("0.50")
    assert WagerEvent.objects.get(source=f"event:{event.event_id}").grant_id == grant.pk


def test_wagered_up_to_the_requirement_ends_nothing(grant: BonusGrant) -> None:
    event = event_of(grant.pk, "wagered", weighted_progress_subunit=30_000)

    assert apply(grant, event).new_status == "active"
    assert stored(grant).is_wagered


@pytest.mark.parametrize(
    ("currency", "expected"),
    [("EUR", Decimal("12.34")), ("JPY", Decimal(1234)), ("BTC", Decimal("0.00001234"))],
)
def test_amounts_are_in_the_minor_unit_of_the_bonus(currency: str, expected: Decimal) -> None:
    grant = BonusGrantFactory.create(
        external=True, asked_template__currency=currency, asked_player__currency=currency
    )

    apply(grant, event_of(grant.pk, "wagered", wagered_amount_subunit=1234))

    assert stored(grant).total_wagered == expected


@pytest.mark.parametrize(
    ("kind", "instant", "reason"),
    [
        ("completed", "completed_at", ""),
        ("expired", "expired_at", ""),
        ("cancelled", "cancelled_at", "Chargeback."),
        ("forfeited", "forfeited_at", "Chargeback."),
    ],
)
def test_an_end_has_its_instant_and_reason(
    grant: BonusGrant, now: datetime, kind: str, instant: str, reason: str
) -> None:
    event = event_of(grant.pk, kind, reason="Chargeback.")

    result = apply(grant, event, now=now)

    assert result == SyncResult(applied=True, new_status=kind, reason=None)
    assert getattr(stored(grant), instant) == now
    assert stored(grant).outcome_reason == reason
    entry = AuditEntry.objects.get(action=f"bonus.grant.{kind}")
    assert (entry.actor_kind, entry.actor_ref) == ("platform", grant.adapter_slug)
    assert (entry.before["status"], entry.after["status"]) == ("active", kind)
    assert entry.reason == reason
    assert OutboxMessage.objects.get().topic == f"bonus.grant.{kind}"


def test_a_bonus_may_be_named_by_the_platforms_id(grant: BonusGrant) -> None:
    event = event_of(None, platform_bonus_id=grant.platform_bonus_id)

    assert apply(grant, event).applied


@pytest.mark.parametrize("year", [1970, 2099])
@pytest.mark.parametrize("kind", ["completed", "expired", "cancelled", "forfeited"])
def test_the_platforms_clock_is_kept_beside_ours(
    grant: BonusGrant, now: datetime, kind: str, year: int
) -> None:
    ts = datetime(year, 1, 1, tzinfo=UTC)
    end = event_of(grant.pk, kind, ts=ts)

    apply(grant, event_of(grant.pk, ts=ts), now=now)
    apply(grant, end, now=now + HOUR)

    ended = stored(grant)
    assert (ended.activated_at, getattr(ended, f"{kind}_at")) == (now, now + HOUR)
    trail = AuditEntry.objects.order_by("pk").values_list(
        "action", "created_at", "after__platform_at"
    )
    assert list(trail) == [
        ("bonus.grant.activated", now, f"{year}-01-01T00:00:00Z"),
        (f"bonus.grant.{kind}", now + HOUR, f"{year}-01-01T00:00:00Z"),
    ]
    assert row_of(end).payload["ts"] == f"{year}-01-01T00:00:00Z"
    assert OutboxMessage.objects.get().payload[f"{kind}_at"] == format_instant(now + HOUR)


# What has no effect


@pytest.mark.parametrize("status", CLOSED_GRANT_STATUSES)
@pytest.mark.parametrize("kind", ["credited", "wagered", "completed", "cancelled"])
def test_an_ended_grant_does_not_change(status: GrantStatus, kind: str) -> None:
    grant = BonusGrantFactory.create(external=True, status=status)
    before = BonusGrant.objects.filter(pk=grant.pk).values().get()
    event = event_of(grant.pk, kind)

    result = apply(grant, event)

    assert result == SyncResult(applied=False, new_status=status, reason="terminal_immutable")
    assert BonusGrant.objects.filter(pk=grant.pk).values().get() == before
    assert row_of(event).outcome == EventOutcome.TERMINAL_IMMUTABLE


def test_a_repeat_has_no_effect_and_says_how_the_grant_is_now(grant: BonusGrant) -> None:
    event = event_of(grant.pk, "wagered")
    apply(grant, event)
    apply(grant, event_of(grant.pk, "completed"))

    result = apply(grant, event)

    assert result == SyncResult(applied=False, new_status="completed", reason="duplicate")
    assert stored(grant).total_wagered == 10


def test_an_event_id_with_another_body_is_refused(grant: BonusGrant) -> None:
    event = event_of(grant.pk, "wagered")
    apply(grant, event)

    with pytest.raises(EventIdReused):
        apply(grant, replace(event, digest="e" * 64))

    assert stored(grant).total_wagered == 10


def test_two_adapters_may_use_one_event_id(grant: BonusGrant) -> None:
    other = BonusGrantFactory.create(external=True)
    assert other.adapter_slug != grant.adapter_slug

    assert apply(grant, event_of(grant.pk, event_id="evt-1")).applied
    assert apply(other, event_of(other.pk, event_id="evt-1", digest="e" * 64)).applied


def test_a_type_that_we_do_not_know_is_recorded(grant: BonusGrant) -> None:
    event = event_of(grant.pk, "teleported")

    result = apply(grant, event)

    assert result == SyncResult(applied=False, new_status="active", reason="unsupported_event")
    assert row_of(event).grant_id == grant.pk


def test_a_type_that_we_do_not_know_needs_no_bonus(grant: BonusGrant) -> None:
    event = event_of(None, "teleported")

    result = apply(grant, event)

    assert result == SyncResult(applied=False, new_status=None, reason="unsupported_event")


# What is refused, and not remembered


def test_an_unknown_grant_is_refused_and_not_remembered(grant: BonusGrant) -> None:
    event = event_of(uuid4(), event_id="evt-1")

    with pytest.raises(NotFound):
        apply(grant, event)

    assert not PlatformEvent.objects.exists()
    assert apply(grant, replace(event, grant_id=grant.pk, digest="e" * 64)).applied


def test_both_ids_must_name_the_same_bonus(grant: BonusGrant) -> None:
    other = BonusGrantFactory.create(
        external=True, asked_template__operator=grant.operator, adapter_slug=grant.adapter_slug
    )

    with pytest.raises(NotFound):
        apply(grant, event_of(grant.pk, platform_bonus_id=other.platform_bonus_id))


def test_another_adapters_grant_is_as_good_as_unknown(grant: BonusGrant) -> None:
    event = event_of(grant.pk, "completed")

    with pytest.raises(NotFound):
        state_sync.apply_platform_event(
            operator=grant.operator, adapter_slug="elsewhere", event=event, now=TS
        )
    with pytest.raises(NotFound):
        state_sync.apply_platform_event(
            operator=OperatorFactory.create(),
            adapter_slug=grant.adapter_slug,
            event=event,
            now=TS,
        )

    assert stored(grant).is_active


def test_our_own_grants_are_not_a_platforms_to_end() -> None:
    grant = BonusGrantFactory.create()

    with pytest.raises(NotFound):
        apply(grant, event_of(grant.pk, "completed"))


@pytest.mark.parametrize("value", [None, -1, SUBUNITS_MAX + 1])
@pytest.mark.parametrize("name", ["wagered_amount_subunit", "weighted_progress_subunit"])
def test_an_amount_that_cannot_be_is_refused(
    grant: BonusGrant, name: str, value: int | None
) -> None:
    with pytest.raises(InvalidEvent):
        apply(grant, event_of(grant.pk, "wagered", **{name: value}))

    assert not PlatformEvent.objects.exists()
    assert stored(grant).total_wagered == 0


def test_wagering_that_could_not_be_stored_is_refused() -> None:
    grant = BonusGrantFactory.create(
        external=True, asked_template__currency="JPY", asked_player__currency="JPY"
    )
    most = event_of(grant.pk, "wagered", wagered_amount_subunit=SUBUNITS_MAX)
    for number in range(99):
        apply(grant, replace(most, event_id=f"evt-{number}"))

    with pytest.raises(InvalidEvent):
        apply(grant, most)

    assert stored(grant).total_wagered == 99 * SUBUNITS_MAX


# Dying half-way


def test_dying_between_row_and_effect_leaves_neither(
    grant: BonusGrant, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = event_of(grant.pk, "wagered")
    monkeypatch.setenv("FAILPOINTS", "state_sync.after_dedupe:raise")
    with pytest.raises(FailpointHit):
        apply(grant, event)
    monkeypatch.delenv("FAILPOINTS")
    assert not PlatformEvent.objects.exists()

    assert apply(grant, event).applied
    assert stored(grant).total_wagered == 10


# Locks


def test_the_event_comes_first_then_the_grant(grant: BonusGrant, record_locks: Any) -> None:
    with record_locks() as tables:
        apply(grant, event_of(grant.pk, "completed"))

    assert tables == ["bonuses_bonusgrant"]
