"""Whatever anybody is called, a page shows it as text."""

from datetime import datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adapters.models import WebhookMessage
from core.models import AuditEntry
from jackpots.models import Instance, LinkTraffic
from operators.models import Operator
from players.models import Player
from tests.admin.conftest import page_of
from tests.admin.world import contribute_to, give_money
from tests.factories.adapters import AdapterConfigFactory
from tests.factories.approvals import ApprovalFactory
from tests.factories.bonuses import (
    BonusCampaignFactory,
    BonusGrantFactory,
    BonusIssuanceFactory,
    BonusTemplateFactory,
    CampaignTargetFactory,
    DiscrepancyFactory,
    PlatformEventFactory,
)
from tests.factories.games import GameFactory
from tests.factories.jackpots import (
    InstanceFactory,
    InstanceLinkFactory,
    OptInFactory,
    PrizeFactory,
)
from tests.factories.operators import ApiKeyFactory, OperatorFactory
from tests.factories.players import PlayerFactory, SegmentFactory

pytestmark = pytest.mark.django_db

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"


@pytest.fixture
def evil(now: datetime) -> Operator:
    """An operator all of whose things have names that are scripts."""
    operator = OperatorFactory.create(name=EVIL)
    player = PlayerFactory.create(
        operator=operator, reference="<b>\"'x</b>", tags=[EVIL[:40]], affiliate_code=EVIL[:64]
    )
    daily = InstanceFactory.create(
        operator=operator,
        name=EVIL,
        pots=[{"name": EVIL[:64]}],
        paused_at=now,
        paused_reason=EVIL,
    )
    weekly = InstanceFactory.create(operator=operator, name=EVIL)
    InstanceLinkFactory.create(source=weekly, target=daily)
    PrizeFactory.create(instance=daily, name=EVIL[:64])
    OptInFactory.create(instance=weekly, player=player)
    LinkTraffic.objects.create(
        source=weekly, target=daily, hour=timezone.now(), error_code="<b>NEW</b>", count=1
    )
    contribute_to(weekly, player, now)
    give_money(operator, player, now, reference=EVIL)
    GameFactory.create(operator=operator, name=EVIL, provider=EVIL[:64])
    SegmentFactory.create(operator=operator, name=EVIL, rules={"affiliate_code": EVIL})
    ApiKeyFactory.create(operator=operator, label=EVIL)
    give_evil_bonuses(operator, player, now)
    ApprovalFactory.create(
        operator=operator,
        subject=daily,
        kind="live_terms",
        payload={"instance": EVIL, "currency": "EUR", "before": [{EVIL: EVIL}], "wanted": []},
        summary=[EVIL, EVIL],
        reason=EVIL,
        requested_by_kind="api_key",
        requested_by_ref=EVIL,
    )
    Group.objects.create(name=EVIL)
    User.objects.create_user("eve", first_name=EVIL, last_name=EVIL)
    AuditEntry.objects.create(
        operator_id=operator.pk,
        actor_kind="api_key",
        actor_ref=EVIL,
        action=EVIL[:64],
        subject_type="jackpots.instance",
        subject_id=EVIL[:64],
        before={EVIL: EVIL, "list": [EVIL]},
        after={EVIL: {"deep": EVIL}},
        reason=EVIL,
        request_id=EVIL[:64],
        created_at=now,
    )
    return operator


def give_evil_bonuses(operator: Operator, player: Player, now: datetime) -> None:
    """Let everything that callers, staff and platforms may say of bonuses be a script."""
    template = BonusTemplateFactory.create(
        operator=operator, name=EVIL, game_contribution={"games": {EVIL: 5}}
    )
    made = {"asked_template": template, "asked_player": player, "external": True}
    grant = BonusGrantFactory.create(
        **made,
        platform_bonus_id=EVIL,
        references={EVIL: EVIL},
        eligible_games=[EVIL],
        outcome_reason=EVIL,
    )
    PlatformEventFactory.create(grant=grant, event_id=EVIL, type=EVIL[:64], payload={EVIL: EVIL})
    DiscrepancyFactory.create(grant=grant, detail=EVIL)
    BonusIssuanceFactory.create(
        template=template,
        player=player,
        external=True,
        error_code=EVIL[:100],
        error_detail=EVIL,
        references={EVIL: EVIL},
        granted_by_kind="<b>NEW</b>",
        granted_by_ref=EVIL,
    )
    campaign = BonusCampaignFactory.create(
        operator=operator,
        name=EVIL,
        template=template,
        status="issuing",
        audience_size=1,
        started_at=now,
        is_paused=True,
        pause_reason=EVIL,
    )
    CampaignTargetFactory.create(
        campaign=campaign, player=player, status="skipped", reason_code=EVIL[:64], settled_at=now
    )
    AdapterConfigFactory.create(operator=operator, base_url=f"https://{EVIL}")
    WebhookMessage.objects.create(
        operator=operator,
        adapter_slug="evil",
        webhook_id=EVIL,
        signed_at=now,
        signatures=EVIL,
        body=EVIL.encode(),
        digest=EVIL[:64],
        event_id=EVIL,
        detail=EVIL,
        received_at=now,
        last_received_at=now,
    )


def assert_harmless(response: Any) -> None:
    assert response.status_code in (200, 400, 409)
    page = response.content.decode()
    for trace in ("<script>alert", "<img src=x", "<b>NEW", '<b>"', "<b>&", "{{49}}"):
        assert trace not in page


@pytest.mark.parametrize(
    "model", sorted(admin.site._registry, key=lambda model: model._meta.label), ids=str
)
def test_names_on_lists_and_pages_are_text(model: Any, office: Client, evil: Operator) -> None:
    prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}_"

    assert_harmless(office.get(reverse(prefix + "changelist")))
    assert_harmless(office.get(reverse(prefix + "changelist"), {"q": EVIL}))
    for row in model._default_manager.all():
        assert_harmless(office.get(reverse(prefix + "change", args=[row.pk])))
        for page in getattr(admin.site._registry[model], "pages", ()):
            assert_harmless(office.get(reverse(prefix + page.name, args=[row.pk])))


def test_names_on_the_home_page_are_text(office: Client, evil: Operator) -> None:
    assert_harmless(office.get("/admin/"))


def test_a_reason_is_text_on_the_form_in_the_message_and_in_the_trail(
    office: Client, evil: Operator
) -> None:
    instance = Instance.objects.filter(operator=evil, paused_at=None).get()

    assert_harmless(office.post(page_of(instance, "resume"), {"reason": EVIL}))
    assert_harmless(office.post(page_of(instance, "pause"), {"reason": EVIL}, follow=True))
    entry = AuditEntry.objects.get(action="jackpot.instance.paused")
    assert entry.reason == EVIL
    assert_harmless(office.get(f"/admin/core/auditentry/{entry.pk}/change/"))


def test_what_is_typed_into_a_draft_comes_back_as_text(office: Client, evil: Operator) -> None:
    given = {
        "name": EVIL,
        "currency": EVIL,
        "pots-TOTAL_FORMS": "1",
        "pots-INITIAL_FORMS": "0",
        "pots-0-name": EVIL,
        "pots-0-share": EVIL,
    }

    assert_harmless(office.post("/admin/jackpots/instance/add/?kind=progressive", given))
    assert_harmless(office.get("/admin/jackpots/instance/add/", {"kind": EVIL}))
