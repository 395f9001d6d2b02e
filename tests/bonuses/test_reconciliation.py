"""What webhooks did not bring, reconciliation replays; what a platform forgot, it only notes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bonuses.enums import DiscrepancyKind, DiscrepancyStatus, RunStatus
from bonuses.errors import DiscrepancyClosed, ReconciliationUnderWay
from bonuses.models import BonusGrant, Discrepancy, PlatformEvent, ReconciliationRun
from bonuses.ports import (
    PlatformBonusUnknown,
    PlatformRejected,
    PlatformUnavailable,
    PlatformView,
)
from bonuses.services import discrepancies, reconciliation
from bonuses.services.reconciliation import Scope, reconcile_bonuses
from core.actors import Actor
from core.errors import InvalidRequest, NotFound
from core.instants import format_instant
from core.models import AuditEntry
from operators.models import Operator
from tests.bonuses.conftest import ScriptedPlatform
from tests.bonuses.platform_events import apply, event_of, stored
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory, DiscrepancyFactory
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db

THERE = datetime(2026, 3, 28, 10, 0, tzinfo=UTC)
ALL = Scope()
Grants = Callable[..., Any]


@pytest.fixture
def made(operator: Operator, platform: ScriptedPlatform) -> Grants:
    """Return a function that makes grants of the platform, which sees each as ``status``."""
    template = BonusTemplateFactory.create(operator=operator)

    def make(view: str | Exception = "pending", /, *, count: int = 1, **kwargs: Any) -> Any:
        grants = BonusGrantFactory.create_batch(
            count, external=True, asked_template=template, **kwargs
        )
        for grant in grants:
            see(platform, grant, view)
        return grants[0] if count == 1 else grants

    return make


def see(platform: ScriptedPlatform, grant: BonusGrant, status: str | Exception, **kwargs: Any):
    view = status
    if isinstance(status, str):
        view = PlatformView(grant.platform_bonus_id, status, **{"at": THERE, **kwargs})
    platform.views[grant.platform_bonus_id] = view


def reconcile(now: datetime, **kwargs: Any) -> ReconciliationRun:
    return reconcile_bonuses(**{"scope": ALL, "clock": lambda: now, **kwargs})


def counts(run: ReconciliationRun) -> tuple[int, int, int, int]:
    return run.asked_count, run.replayed_count, run.unknown_count, run.unanswered_count


# What is replayed


@pytest.mark.parametrize("status", ["completed", "forfeited", "expired", "cancelled"])
def test_an_end_that_was_not_heard_is_replayed(
    made: Grants, platform: ScriptedPlatform, now: datetime, status: str
) -> None:
    grant = made()
    see(platform, grant, status, reason="They said so.")

    run = reconcile(now)

    ended = stored(grant)
    assert ended.status == status
    assert getattr(ended, f"{status}_at") == now
    event = PlatformEvent.objects.get()
    assert (event.event_id, event.outcome) == (f"recon:{grant.pk}:{status}", "applied")
    assert (run.status, counts(run)) == (RunStatus.FINISHED, (1, 1, 0, 0))
    entry = AuditEntry.objects.get(action=f"bonus.grant.{status}")
    assert (entry.actor_kind, entry.actor_ref) == ("platform", grant.adapter_slug)
    assert entry.after["platform_at"] == format_instant(THERE)


def test_a_credit_that_was_not_heard_is_replayed_once(made: Grants, now: datetime) -> None:
    grant = made("credited")

    assert counts(reconcile(now)) == (1, 1, 0, 0)
    assert stored(grant).activated_at == now
    assert counts(reconcile(now)) == (1, 0, 0, 0)
    assert PlatformEvent.objects.get().event_id == f"recon:{grant.pk}:credited"


def test_nothing_is_claimed_for_a_platform_that_does_not_say_when(
    made: Grants, platform: ScriptedPlatform, now: datetime
) -> None:
    grant = made()
    see(platform, grant, "expired", at=None)

    reconcile(now)

    assert stored(grant).expired_at == now
    assert "platform_at" not in AuditEntry.objects.get(action="bonus.grant.expired").after
    assert "ts" not in PlatformEvent.objects.get().payload


def test_agreement_changes_nothing(made: Grants, now: datetime) -> None:
    grants = [made("active"), made("pending"), made("credited", activated_at=THERE)]

    assert counts(reconcile(now)) == (3, 0, 0, 0)
    assert not PlatformEvent.objects.exists()
    assert [stored(grant).reconciled_at for grant in grants] == [now, now, now]
    assert not Discrepancy.objects.exists()


def test_a_webhook_after_the_replay_finds_the_grant_ended(made: Grants, now: datetime) -> None:
    grant = made("completed")
    reconcile(now)

    result = apply(grant, event_of(grant.pk, "completed"))

    assert (result.applied, result.reason) == (False, "terminal_immutable")


def test_only_active_grants_of_platforms_are_asked_about(
    operator: Operator, made: Grants, now: datetime
) -> None:
    made(status="cancelled")
    BonusGrantFactory.create(asked_template__operator=operator)

    assert counts(reconcile(now)) == (0, 0, 0, 0)


# What is noted


def test_an_unknown_bonus_is_noted_and_goes_on(made: Grants, now: datetime) -> None:
    grant = made(PlatformBonusUnknown())

    run = reconcile(now)
    reconcile(now + timedelta(days=1))

    assert counts(run) == (1, 0, 1, 0)
    assert stored(grant).is_active
    [noted] = Discrepancy.objects.all()
    assert (noted.kind, noted.status, noted.seen_count) == ("unknown_bonus", "open", 2)
    assert grant.platform_bonus_id in noted.detail
    assert (noted.opened_at, noted.last_seen_at) == (now, now + timedelta(days=1))


@pytest.mark.parametrize(
    "answer", [PlatformRejected("FORBIDDEN", "Not yours."), "frozen"], ids=["refused", "no status"]
)
def test_an_answer_that_cannot_be_used_is_noted(made: Grants, now: datetime, answer: Any) -> None:
    grant = made(answer)

    assert counts(reconcile(now)) == (1, 0, 0, 1)
    assert Discrepancy.objects.get().kind == DiscrepancyKind.NOT_ANSWERED
    assert stored(grant).is_active


def test_an_answer_about_another_bonus_is_noted(
    made: Grants, platform: ScriptedPlatform, now: datetime
) -> None:
    grant, other = made(), made("completed")
    platform.views[grant.platform_bonus_id] = platform.views[other.platform_bonus_id]

    assert counts(reconcile(now)) == (2, 1, 0, 1)
    assert stored(grant).is_active
    assert Discrepancy.objects.get().grant_id == grant.pk


@pytest.mark.parametrize("error", [PlatformUnavailable("down"), RuntimeError("a bug")])
def test_one_that_cannot_be_asked_is_left_for_the_next_run(
    made: Grants, platform: ScriptedPlatform, now: datetime, error: Exception, caplog: Any
) -> None:
    grant, other = made(error), made("expired")

    assert counts(reconcile(now)) == (2, 1, 0, 1)
    assert stored(grant).reconciled_at is None
    assert not Discrepancy.objects.exists()
    see(platform, grant, "expired")
    assert counts(reconcile(now)) == (1, 1, 0, 0)
    assert {stored(grant).status, stored(other).status} == {"expired"}


def test_a_grant_whose_adapter_is_gone_is_left(made: Grants, now: datetime) -> None:
    BonusGrantFactory.create(external=True)

    assert counts(reconcile(now)) == (1, 0, 0, 1)


@pytest.mark.parametrize("status", ["pending", "completed"])
def test_agreeing_again_fixes_what_was_open(
    made: Grants, platform: ScriptedPlatform, now: datetime, status: str
) -> None:
    grant = made(PlatformBonusUnknown())
    terms = DiscrepancyFactory.create(grant=grant, kind=DiscrepancyKind.TERMS_DIFFER)
    reconcile(now)
    see(platform, grant, status)

    reconcile(now + timedelta(hours=1))

    fixed = Discrepancy.objects.get(kind=DiscrepancyKind.UNKNOWN_BONUS)
    assert fixed.status == DiscrepancyStatus.FIXED
    assert fixed.closed_at == now + timedelta(hours=1)
    # Its status says nothing about a bonus's terms.
    assert Discrepancy.objects.get(pk=terms.pk).status == DiscrepancyStatus.OPEN


def test_a_platform_that_forgot_everything_cancels_nothing_and_alarms(
    made: Grants, now: datetime
) -> None:
    forgotten = made(PlatformBonusUnknown(), count=20)
    made(count=10)

    run = reconcile(now)

    assert run.is_alarming
    assert counts(run) == (30, 0, 20, 0)
    assert BonusGrant.objects.active().count() == 30
    assert Discrepancy.objects.filter(grant__in=forgotten).count() == 20


@pytest.mark.parametrize(("unknown", "known"), [(19, 0), (20, 80)])
def test_a_few_forgotten_bonuses_are_no_alarm(
    made: Grants, now: datetime, unknown: int, known: int
) -> None:
    made(PlatformBonusUnknown(), count=unknown)
    if known:
        made(count=known)

    assert not reconcile(now).is_alarming


# Explaining


def test_an_explained_discrepancy_is_not_brought_up_again(
    made: Grants, operator: Operator, actor: Actor, now: datetime
) -> None:
    made(PlatformBonusUnknown())
    reconcile(now)
    noted = Discrepancy.objects.get()

    discrepancies.explain_discrepancy(
        operator=operator, discrepancy_id=noted.pk, reason="Migrated.", actor=actor, now=now
    )
    reconcile(now + timedelta(days=1))

    explained = Discrepancy.objects.get()
    assert (explained.status, explained.explanation) == ("explained", "Migrated.")
    assert (explained.closed_at, explained.seen_count) == (now, 2)
    entry = AuditEntry.objects.get(action="bonus.discrepancy.explained")
    assert (entry.actor_ref, entry.reason) == (actor.ref, "Migrated.")


def test_explaining_is_refused_without_reason_twice_and_to_others(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    noted = DiscrepancyFactory.create(grant__asked_template__operator=operator)

    def explain(reason: str, *, by: Operator = operator) -> None:
        discrepancies.explain_discrepancy(
            operator=by, discrepancy_id=noted.pk, reason=reason, actor=actor, now=now
        )

    with pytest.raises(InvalidRequest):
        explain("  ")
    with pytest.raises(NotFound):
        explain("Mine.", by=OperatorFactory.create())
    explain("Migrated.")
    with pytest.raises(DiscrepancyClosed):
        explain("Again.")
    assert Discrepancy.objects.get().explanation == "Migrated."


def test_another_run_is_refused_while_one_is_under_way(now: datetime) -> None:
    ReconciliationRun.objects.create(started_at=now, touched_at=now)

    with pytest.raises(ReconciliationUnderWay):
        reconcile(now + reconciliation.LEASE - timedelta(microseconds=1))
