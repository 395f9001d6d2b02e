"""
A process may be killed between any two steps of a webhook, or of a reconciliation.

What was not answered is delivered again and has its one effect; a run that died is gone on
with. Real processes die by SIGKILL, against a real database.
"""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from adapters.models import WebhookMessage
from bonuses.enums import RunStatus
from bonuses.models import BonusGrant, PlatformEvent, ReconciliationRun, WagerEvent
from bonuses.ports import PlatformView
from bonuses.services import reconciliation, state_sync
from bonuses.services.reconciliation import Scope, reconcile_bonuses
from core.models import AuditEntry, OutboxMessage
from operators.models import Operator
from tests.adapters.platforms import CLOCK, event_about, platform_of
from tests.bonuses.conftest import ScriptedPlatform, scripted_registry
from tests.bonuses.platform_events import TS, stored
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.faults.forking import KILLED, half_committing, run_forked

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
#: Where the handling of a webhook can die, and what it has kept for good by then.
WEBHOOK_FAILPOINTS = {
    "inbox.after_store": False,
    "state_sync.after_dedupe": False,
    "state_sync.after_effect": False,
    "inbox.before_settle": True,
}
RUN_FAILPOINTS = ("reconciliation.after_answer", "reconciliation.before_note")
KILLS = 3


def test_every_failpoint_of_these_services_is_killed_at() -> None:
    services = ("adapters/services/inbox", "bonuses/services/state_sync")
    services = (*services, "bonuses/services/reconciliation")
    texts = [(ROOT / f"{service}.py").read_text() for service in services]
    found = {name for text in texts for name in re.findall(r'failpoint\("([^"]+)"\)', text)}

    assert found == {*WEBHOOK_FAILPOINTS, *RUN_FAILPOINTS}


@pytest.mark.parametrize(("failpoint", "is_done"), WEBHOOK_FAILPOINTS.items())
def test_a_webhook_whose_process_dies_is_delivered_again(failpoint: str, is_done: bool) -> None:
    grant = BonusGrantFactory.create(external=True)
    platform = platform_of(grant)
    event = event_about(grant, "wagered", wagered_amount_subunit=1000, weighted_progress_subunit=50)
    body = json.dumps(event).encode()
    headers = platform.sign(body)

    with time_machine.travel(CLOCK, tick=False):
        for _kill in range(KILLS):
            died = run_forked(lambda: platform.post(body, headers), failpoints=f"{failpoint}:kill")
            assert died == KILLED
            assert PlatformEvent.objects.exists() == is_done
            assert stored(grant).total_wagered == (10 if is_done else 0)
        answer = platform.post(body, headers).json()

    assert answer["reason"] == ("duplicate" if is_done else None)
    assert (stored(grant).total_wagered, WagerEvent.objects.count()) == (10, 1)
    message = WebhookMessage.objects.get()
    assert (bytes(message.body), message.delivery_count) == (body, KILLS + 1)
    assert message.outcome == ("duplicate" if is_done else "applied")


def test_control_an_event_that_is_noted_before_its_effect_can_be_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grant = BonusGrantFactory.create(external=True)
    platform = platform_of(grant)
    event = event_about(grant, "wagered", wagered_amount_subunit=1000, weighted_progress_subunit=50)
    body = json.dumps(event).encode()
    headers = platform.sign(body)

    with time_machine.travel(CLOCK, tick=False):
        with monkeypatch.context() as sabotage:
            sabotage.setattr(state_sync, "failpoint", half_committing("state_sync.after_dedupe"))
            assert run_forked(lambda: platform.post(body, headers)) == KILLED
        answer = platform.post(body, headers).json()

    assert (answer["applied"], answer["reason"]) == (False, "duplicate")
    assert stored(grant).total_wagered == 0


@pytest.fixture
def grants(operator: Operator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[BonusGrant]:
    """Ten grants that expired on their platform, which are walked two at a time."""
    monkeypatch.setattr(reconciliation, "CHUNK_SIZE", 2)
    settings.BONUS_ADAPTERS = "tests.bonuses.conftest.scripted_registry"
    made = BonusGrantFactory.create_batch(
        10, external=True, asked_template=BonusTemplateFactory.create(operator=operator)
    )
    platform = ScriptedPlatform(slug=made[0].adapter_slug)
    for grant in made:
        view = PlatformView(grant.platform_bonus_id, "expired", at=TS)
        platform.views[grant.platform_bonus_id] = view
    monkeypatch.setattr(scripted_registry, "platform", platform)
    return made


@pytest.mark.parametrize("failpoint", RUN_FAILPOINTS)
def test_a_reconciliation_that_is_killed_again_and_again_ends_each_grant_once(
    grants: list[BonusGrant], failpoint: str
) -> None:
    def run() -> None:
        reconcile_bonuses(scope=Scope(), clock=lambda: TS, idle_for=timedelta(0))

    for kill in range(KILLS):
        assert run_forked(run, failpoints=f"{failpoint}:kill") == KILLED
        ended = BonusGrant.objects.filter(status="expired").count()
        assert ended == (kill + 1) * (1 if failpoint == RUN_FAILPOINTS[0] else 2)
    assert run_forked(run) == 0

    assert {stored(grant).status for grant in grants} == {"expired"}
    assert ReconciliationRun.objects.get().status == RunStatus.FINISHED
    assert PlatformEvent.objects.filter(outcome="applied").count() == len(grants)
    assert PlatformEvent.objects.count() == len(grants)
    assert AuditEntry.objects.filter(action="bonus.grant.expired").count() == len(grants)
    assert OutboxMessage.objects.filter(topic="bonus.grant.expired").count() == len(grants)
