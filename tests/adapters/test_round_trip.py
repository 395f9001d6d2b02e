"""
A bonus goes out to a real platform in a process of its own, and what happens there comes back.

By webhook to our real server; by reconciliation if the webhooks were lost.
"""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from adapters.models import AdapterConfig, WebhookMessage
from bonuses.models import BonusGrant, BonusIssuance, Discrepancy, PlatformEvent
from bonuses.services.issuing import retry_due_issuances
from operators.models import Operator
from tests.adapters.sandbox import Sandbox, sandbox_process, sandbox_server  # noqa: F401
from tests.factories.adapters import AdapterConfigFactory
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.players import PlayerFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]


@pytest.fixture
def casino(
    sandbox_process: Sandbox,  # noqa: F811
    operator: Operator,
    live_server: Any,
    settings: Any,
) -> Sandbox:
    """A platform that the operator's bonuses go through, and that knows where we are."""
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    AdapterConfig.objects.filter(operator=operator).update(is_default=False)
    AdapterConfigFactory.create(
        operator=operator,
        slug="round-trip",
        base_url=sandbox_process.base_url,
        secret=sandbox_process.secret,
        is_default=True,
    )
    sandbox_process.configure(windfall_url=live_server.url, adapter_slug="round-trip")
    return sandbox_process


@pytest.fixture
def order(operator: Operator) -> dict[str, str]:
    """The body that asks for ten dollars, to be wagered thirty times."""
    template = BonusTemplateFactory.create(operator=operator, currency="USD")
    player = PlayerFactory.create(operator=operator, currency="USD")
    return {"template_id": str(template.pk), "player_id": player.reference}


def grant_to(client: Any, order: dict[str, str]) -> BonusGrant:
    response = client.post("/v1/bonus-grants", order)
    assert response.status_code == 201, response.content
    return BonusGrant.objects.get(pk=response.json()["id"])


def now_of(grant: BonusGrant) -> BonusGrant:
    return BonusGrant.objects.get(pk=grant.pk)


def statuses(answer: dict[str, Any]) -> list[int]:
    return [webhook["answer"]["status"] for webhook in answer["webhooks"]]


def reconcile() -> dict[str, Any]:
    out = StringIO()
    call_command("reconcile_bonuses", "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_bonus_goes_out_and_comes_back_completed(
    casino: Sandbox, client: Any, order: dict[str, str]
) -> None:
    grant = grant_to(client, order)

    answer = casino.play(str(grant.pk))

    assert set(statuses(answer)) == {200}
    completed = now_of(grant)
    assert completed.status == "completed"
    assert completed.total_wagered == completed.wagering_progress == 300
    assert completed.activated_at is not None
    assert WebhookMessage.objects.filter(outcome="applied").count() == len(answer["webhooks"])


def test_doubled_webhooks_count_once(casino: Sandbox, client: Any, order: dict[str, str]) -> None:
    grant = grant_to(client, order)
    casino.misbehave("duplicate_webhooks", times=100)

    casino.play(str(grant.pk))

    assert (now_of(grant).status, now_of(grant).total_wagered) == ("completed", 300)


def test_lost_webhooks_are_made_up_for(casino: Sandbox, client: Any, order: dict[str, str]) -> None:
    finished, credited = grant_to(client, order), grant_to(client, order)
    casino.misbehave("drop_webhooks", times=100)
    casino.play(str(finished.pk))
    casino.credit(str(credited.pk))
    assert now_of(finished).is_active

    report = reconcile()

    assert (report["asked"], report["replayed"], report["unanswered"]) == (2, 2, 0)
    assert now_of(finished).status == "completed"
    assert now_of(credited).is_active
    assert now_of(credited).activated_at is not None
    assert reconcile()["replayed"] == 0


def test_a_platform_that_lost_its_database_ends_nothing(
    casino: Sandbox, client: Any, order: dict[str, str]
) -> None:
    grant = grant_to(client, order)
    casino.reset()

    assert reconcile()["unknown"] == 1
    assert now_of(grant).is_active
    assert Discrepancy.objects.get().kind == "unknown_bonus"


def test_a_webhook_with_a_wrong_signature_is_refused(
    casino: Sandbox, client: Any, order: dict[str, str]
) -> None:
    grant = grant_to(client, order)
    casino.misbehave("bad_signature", times=1)

    answer = casino.cancel(str(grant.pk))

    assert statuses(answer) == [401]
    assert now_of(grant).is_active
    assert not WebhookMessage.objects.exists()


def test_a_webhook_that_overtakes_the_answer_is_parked_and_applied(
    casino: Sandbox, client: Any, order: dict[str, str]
) -> None:
    casino.misbehave("lost", times=1, path="/v1/bonuses/grant")
    assert client.post("/v1/bonus-grants", order).status_code == 503
    issuance = BonusIssuance.objects.get()

    answer = casino.credit(str(issuance.grant_id))
    assert statuses(answer) == [200]
    assert PlatformEvent.objects.get().outcome == "parked"
    later = timezone.now() + timedelta(minutes=5)
    retry_due_issuances(clock=lambda: later, limit=10)

    grant = BonusGrant.objects.get()
    assert grant.activated_at is not None
    assert PlatformEvent.objects.get().outcome == "applied"
    assert len(casino.bonuses()) == 1
