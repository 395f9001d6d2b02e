"""What a platform says of a bonus that is still being issued waits, and counts once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from bonuses.enums import EventOutcome, IssuanceStatus
from bonuses.models import BonusGrant, PlatformEvent
from bonuses.services import state_sync
from core.errors import NotFound
from tests.bonuses.platform_events import TS, apply, event_of, row_of, stored
from tests.factories.bonuses import BonusGrantFactory, BonusIssuanceFactory

pytestmark = pytest.mark.django_db


def grant_of(issuance: Any) -> BonusGrant:
    """Write the grant of a pending issuance, as issuing does, with what was parked for it."""
    with transaction.atomic():
        issuance.succeed(now=TS)
        issuance.save(update_fields=["status", "settled_at", "leased_until"])
        grant = BonusGrantFactory.create(issuance=issuance, asked_template=issuance.template)
        grant.applied_count = state_sync.apply_parked_events(grant=grant, now=TS)
    return grant


def test_an_event_before_its_grant_is_parked_and_applied_once() -> None:
    issuance = BonusIssuanceFactory.create(external=True)
    credited = event_of(issuance.grant_id)
    wagered = event_of(issuance.grant_id, "wagered")

    parked = [apply(issuance, credited), apply(issuance, wagered), apply(issuance, wagered)]
    grant = grant_of(issuance)

    assert [(result.applied, result.new_status, result.reason) for result in parked] == [
        (False, None, "parked"),
        (False, None, "parked"),
        (False, None, "duplicate"),
    ]
    assert grant.applied_count == 2
    assert (grant.total_wagered, grant.activated_at) == (10, TS)
    assert (stored(grant).total_wagered, stored(grant).activated_at) == (10, TS)
    row = row_of(wagered)
    assert (row.outcome, row.grant_id, row.new_status) == ("applied", grant.pk, "active")
    assert row.issuance_id == issuance.pk
    assert state_sync.apply_parked_events(grant=grant, now=TS) == 0
    assert apply(issuance, wagered).reason == "duplicate"
    assert stored(grant).total_wagered == 10


def test_parked_events_are_applied_in_the_order_of_receipt() -> None:
    issuance = BonusIssuanceFactory.create(external=True)
    ended = event_of(issuance.grant_id, "cancelled", reason="Fraud.", ts=TS)
    late = event_of(issuance.grant_id, "completed", ts=TS - timedelta(hours=1))

    apply(issuance, ended)
    apply(issuance, late)
    grant = grant_of(issuance)

    assert grant.applied_count == 1
    assert (stored(grant).status, stored(grant).outcome_reason) == ("cancelled", "Fraud.")
    assert row_of(late).outcome == EventOutcome.TERMINAL_IMMUTABLE
    assert row_of(late).new_status == "cancelled"


def test_a_parked_event_of_another_bonus_stays_parked() -> None:
    issuance = BonusIssuanceFactory.create(external=True)
    event = event_of(issuance.grant_id, "completed", platform_bonus_id="somebody-elses")

    apply(issuance, event)
    grant = grant_of(issuance)

    assert stored(grant).is_active
    assert row_of(event).outcome == EventOutcome.PARKED


def test_the_platforms_own_id_cannot_tell_an_issuance() -> None:
    issuance = BonusIssuanceFactory.create(external=True)

    with pytest.raises(NotFound):
        apply(issuance, event_of(None, platform_bonus_id="b-1"))

    assert not PlatformEvent.objects.exists()


@pytest.mark.parametrize(
    "status",
    [IssuanceStatus.AWAITING_DEPOSIT, IssuanceStatus.REJECTED, IssuanceStatus.FAILED],
)
def test_nothing_is_parked_for_a_bonus_that_is_not_being_issued(status: IssuanceStatus) -> None:
    issuance = BonusIssuanceFactory.create(external=True, status=status)

    with pytest.raises(NotFound):
        apply(issuance, event_of(issuance.grant_id))


def test_the_issuance_is_held_while_an_event_is_parked(record_locks: Any) -> None:
    issuance = BonusIssuanceFactory.create(external=True)

    with record_locks() as tables:
        apply(issuance, event_of(issuance.grant_id))

    # No grant is there to be held.
    assert tables == ["bonuses_bonusgrant", "bonuses_bonusissuance"]
