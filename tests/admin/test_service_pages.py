"""
Pages that call a service: a permission of their own, nothing on GET, a reason, one call.

The rules that every one of them keeps; what each does is in a file of its own.
"""

import uuid
from datetime import datetime
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adapters.models import AdapterConfig, WebhookDelivery, WebhookEndpoint
from bonuses.enums import CampaignStatus
from bonuses.models import (
    BonusCampaign,
    BonusGrant,
    BonusIssuance,
    BonusTemplate,
    Discrepancy,
)
from core.models import AuditEntry
from jackpots.enums import InstanceStatus, WinStatus
from jackpots.models import Boost, Instance, RollbackLoss, Win
from operators.models import ApiKey, ExchangeRate, Operator
from players.models import Segment
from promos.models import CodeBatch, Promo, UserPromo, WithdrawalLock
from tests.admin.conftest import page_of
from tests.admin.world import lose_to_a_rollback
from tests.factories.bonuses import (
    BonusCampaignFactory,
    BonusGrantFactory,
    BonusIssuanceFactory,
    BonusTemplateFactory,
    DiscrepancyFactory,
)
from tests.factories.jackpots import BoostFactory, InstanceFactory, WinFactory
from tests.factories.operators import ApiKeyFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import (
    PromoBatchCodeFactory,
    PromoFactory,
    UserPromoFactory,
    WithdrawalLockFactory,
)
from tests.factories.webhooks import WebhookDeliveryFactory, WebhookEndpointFactory

pytestmark = pytest.mark.django_db

#: Every page that changes something, with the permission it needs and no other.
PERMISSIONS = {
    "operators.Operator:issue-key": "operators.issue_apikey",
    "operators.Operator:add": "operators.add_operator",
    "operators.ApiKey:revoke": "operators.revoke_apikey",
    "operators.ExchangeRate:add": "operators.add_exchangerate",
    "adapters.AdapterConfig:add": "adapters.put_adapterconfig",
    "adapters.AdapterConfig:edit": "adapters.put_adapterconfig",
    "adapters.AdapterConfig:test": "adapters.test_adapterconfig",
    "adapters.WebhookDelivery:replay": "adapters.replay_webhookdelivery",
    "adapters.WebhookEndpoint:add": "adapters.add_webhookendpoint",
    "adapters.WebhookEndpoint:disable": "adapters.disable_webhookendpoint",
    "adapters.WebhookEndpoint:edit": "adapters.change_webhookendpoint",
    "adapters.WebhookEndpoint:enable": "adapters.disable_webhookendpoint",
    "adapters.WebhookEndpoint:rotate-secret": "adapters.rotate_webhookendpoint_secret",
    "adapters.WebhookEndpoint:test": "adapters.test_webhookendpoint",
    "bonuses.BonusCampaign:add": "bonuses.add_bonuscampaign",
    "bonuses.BonusCampaign:budget": "bonuses.change_bonuscampaign",
    "bonuses.BonusCampaign:pause": "bonuses.pause_bonuscampaign",
    "bonuses.BonusCampaign:resume": "bonuses.pause_bonuscampaign",
    "bonuses.BonusCampaign:start": "bonuses.start_bonuscampaign",
    "bonuses.BonusGrant:cancel": "bonuses.cancel_bonusgrant",
    "bonuses.BonusGrant:forfeit": "bonuses.forfeit_bonusgrant",
    "bonuses.BonusIssuance:give-up": "bonuses.give_up_bonusissuance",
    "bonuses.BonusIssuance:retry": "bonuses.retry_bonusissuance",
    "bonuses.BonusTemplate:activate": "bonuses.change_bonustemplate",
    "bonuses.BonusTemplate:add": "bonuses.add_bonustemplate",
    "bonuses.BonusTemplate:deactivate": "bonuses.change_bonustemplate",
    "bonuses.BonusTemplate:edit": "bonuses.change_bonustemplate",
    "bonuses.BonusTemplate:issue": "bonuses.issue_bonusgrant",
    "bonuses.Discrepancy:explain": "bonuses.explain_discrepancy",
    "jackpots.Boost:apply": "jackpots.approve_boost",
    "jackpots.Boost:reject": "jackpots.approve_boost",
    "jackpots.Instance:boost": "jackpots.request_boost",
    "jackpots.Instance:draw": "jackpots.draw_instance",
    "jackpots.Instance:drop": "jackpots.drop_pot",
    "jackpots.Instance:terms": "jackpots.change_live_terms",
    "jackpots.RollbackLoss:explain": "jackpots.explain_rollbackloss",
    "jackpots.Win:approve": "jackpots.approve_win",
    "jackpots.Win:reject": "jackpots.approve_win",
    "jackpots.Win:retry": "jackpots.retry_win",
    "jackpots.Instance:add": "jackpots.add_instance",
    "jackpots.Instance:edit": "jackpots.change_instance",
    "jackpots.Instance:activate": "jackpots.activate_instance",
    "jackpots.Instance:pause": "jackpots.pause_instance",
    "jackpots.Instance:resume": "jackpots.pause_instance",
    "jackpots.Instance:close": "jackpots.close_instance",
    "jackpots.Instance:cancel": "jackpots.cancel_instance",
    "jackpots.Instance:links": "jackpots.link_instance",
    "players.Segment:add": "players.add_segment",
    "promos.CodeBatch:codes": "promos.download_codebatch",
    "promos.CodeBatch:disable": "promos.disable_codebatch",
    "promos.Promo:add": "promos.add_promo",
    "promos.Promo:archive": "promos.archive_promo",
    "promos.Promo:claims-left": "promos.adjust_promo_claims",
    "promos.Promo:edit": "promos.change_promo",
    "promos.Promo:games": "promos.change_promo",
    "promos.Promo:make-batch": "promos.create_codebatch",
    "promos.UserPromo:cancel": "promos.cancel_userpromo",
    "promos.WithdrawalLock:lift": "promos.lift_withdrawallock",
}
WITH_REASON = (
    "activate",
    "pause",
    "resume",
    "close",
    "cancel",
    "links",
    "revoke",
    "codes",
    "disable",
    "archive",
    "lift",
    "forfeit",
    "give-up",
    "retry",
    "replay",
    "enable",
    "rotate-secret",
    "explain",
    "deactivate",
    "budget",
    "start",
)
WITH_REASON += ("apply", "reject", "approve", "boost", "draw", "drop", "terms")
#: What the address of a page that adds chooses first.
KINDS: dict[type[Model], str] = {
    BonusTemplate: "?type=no_deposit",
    Instance: "?kind=raffle",
    Promo: "?type=DEPOSIT",
    Segment: "?kind=rules",
}
#: An empty form of these is an empty list, and the list was empty; or it asks for nothing.
HARMLESS = ("promos.Promo:games", "adapters.AdapterConfig:test")
NO_ROWS = {
    f"{prefix}-{count}": "0"
    for prefix in ("pots", "games")
    for count in ("TOTAL_FORMS", "INITIAL_FORMS")
}


def all_pages() -> dict[str, tuple[type[Model], Any]]:
    found = {}
    for model, page in admin.site._registry.items():
        for command in getattr(page, "pages", ()):
            found[f"{model._meta.label}:{command.name}"] = (model, command)
        if getattr(page, "add_page", None):
            found[f"{model._meta.label}:add"] = (model, page.add_page)
    return found


ADDRESSES = sorted(all_pages())


def address(name: str, operator: Operator) -> str:
    """Return the address of the page, for a row from which the command is possible."""
    model, command = all_pages()[name]
    prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}_"
    if command.name == "add":
        return reverse(prefix + "add") + KINDS.get(model, "")
    if model is Operator:
        row: Any = operator
    elif model is Promo:
        row = PromoFactory.create(operator=operator, claims_left=5)
    elif model is UserPromo:
        promo = PromoFactory.create(operator=operator)
        # The pages are opened when the doors' clock says it is.
        row = UserPromoFactory.create(promo=promo, claimed_at=timezone.now())
    elif model is CodeBatch:
        promo = PromoFactory.create(operator=operator)
        row = PromoBatchCodeFactory.create(batch__promo=promo, operator=operator).batch
    elif model is WithdrawalLock:
        promo = PromoFactory.create(operator=operator)
        row = WithdrawalLockFactory.create(user_promo__promo=promo, created_at=timezone.now())
    elif model is AdapterConfig:
        row = AdapterConfig.objects.get(operator=operator)
    elif model is WebhookEndpoint:
        row = WebhookEndpointFactory.create(operator=operator, is_active=command.name != "enable")
    elif model is WebhookDelivery:
        row = WebhookDeliveryFactory.create(endpoint__operator=operator, status="failed")
    elif model is BonusTemplate:
        row = BonusTemplateFactory.create(operator=operator, is_active=command.name != "activate")
    elif model is BonusCampaign:
        is_draft = command.name == "start"
        row = BonusCampaignFactory.create(
            operator=operator,
            status=CampaignStatus.DRAFT if is_draft else CampaignStatus.ISSUING,
            audience_size=None if is_draft else 0,
            started_at=None if is_draft else timezone.now(),
            is_paused=command.name == "resume",
            pause_reason="Because" if command.name == "resume" else "",
        )
    elif model is BonusGrant:
        row = BonusGrantFactory.create(
            asked_template__operator=operator, asked_template__time_limit_hours=None
        )
    elif model is BonusIssuance:
        row = BonusIssuanceFactory.create(template__operator=operator)
    elif model is Discrepancy:
        row = DiscrepancyFactory.create(grant__asked_template__operator=operator)
    elif model is ApiKey:
        row = ApiKeyFactory.create(operator=operator)
    else:
        row = jackpot_row(model, command.name, operator)
    return reverse(prefix + command.name, args=[row.pk])


def jackpot_row(model: type[Model], command: str, operator: Operator) -> Any:
    """Return a row of jackpots from which the command is possible."""
    if model is Boost:
        return BoostFactory.create(pot__instance__operator=operator, requested_at=timezone.now())
    if model is Win:
        status = WinStatus.PAYABLE if command == "retry" else WinStatus.AWAITING_APPROVAL
        return WinFactory.create(pot__instance__operator=operator, status=status)
    if model is RollbackLoss:
        instance = InstanceFactory.create(operator=operator, progressive=True)
        return lose_to_a_rollback(instance, PlayerFactory.create(operator=operator), timezone.now())
    is_draft = command in ("activate", "cancel", "edit")
    return InstanceFactory.create(
        operator=operator,
        status=InstanceStatus.DRAFT if is_draft else InstanceStatus.ACTIVE,
        paused=command == "resume",
        progressive=command in ("boost", "drop", "terms"),
    )


def test_every_page_has_the_permission_that_is_its_own() -> None:
    assert {name: command.permission for name, (_, command) in all_pages().items()} == PERMISSIONS


@pytest.mark.parametrize("name", ADDRESSES)
def test_staff_with_every_other_permission_are_refused_on_get_and_post(
    name: str, staff_with: Any, operator: Operator
) -> None:
    others = sorted(set(PERMISSIONS.values()) - {PERMISSIONS[name]})
    client = staff_with(
        *others, "operators.view_operator", "jackpots.view_instance", "promos.view_promo"
    )
    path = address(name, operator)
    rows = (
        Instance,
        ApiKey,
        Operator,
        ExchangeRate,
        Promo,
        UserPromo,
        CodeBatch,
        WithdrawalLock,
        AdapterConfig,
        WebhookEndpoint,
        WebhookDelivery,
        BonusTemplate,
        BonusIssuance,
        BonusGrant,
        Discrepancy,
        Boost,
        RollbackLoss,
        Win,
        AuditEntry,
    )
    before = [list(model._default_manager.order_by("pk").values()) for model in rows]

    assert client.get(path).status_code == 403
    assert client.post(path, {"reason": "Because"}).status_code == 403

    assert [list(model._default_manager.order_by("pk").values()) for model in rows] == before


@pytest.mark.parametrize("name", ADDRESSES)
def test_staff_with_the_permission_alone_see_the_page(
    name: str, staff_with: Any, operator: Operator
) -> None:
    client = staff_with(PERMISSIONS[name])

    assert client.get(address(name, operator)).status_code == 200


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_get_changes_nothing_whatever_it_carries(
    name: str, office: Client, operator: Operator, changes_nothing: Any
) -> None:
    path = address(name, operator)
    everything = {"reason": "Because", "label": "x", "scopes": "read", "slug": "x", "name": "x"}

    with changes_nothing():
        assert office.get(path, {**everything, "kind": "raffle"}).status_code == 200
        assert office.head(path).status_code == 200


@pytest.mark.parametrize("name", ADDRESSES)
def test_other_methods_are_refused(
    name: str, office: Client, operator: Operator, changes_nothing: Any
) -> None:
    path = address(name, operator)

    with changes_nothing():
        for method in ("put", "patch", "delete"):
            assert getattr(office, method)(path).status_code == 405, method


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_empty_form_changes_nothing(
    name: str, office: Client, operator: Operator, changes_nothing: Any
) -> None:
    path = address(name, operator)

    with changes_nothing():
        response = office.post(path, NO_ROWS)

    assert response.status_code in (200, 302)
    assert response.status_code == 200 or name in HARMLESS
    if response.status_code == 200:
        assert "Nothing was changed." in response.content.decode()


@pytest.mark.parametrize("name", [name for name in ADDRESSES if name.endswith(WITH_REASON)])
def test_a_reason_is_required_and_can_be_printed(
    name: str, office: Client, operator: Operator, changes_nothing: Any
) -> None:
    path = address(name, operator)

    for reason in ("", "   ", "\n\t ", "x" * 201, "a\x07b", "a\x00b"):
        with changes_nothing():
            response = office.post(path, {"reason": reason})

        assert response.status_code == 200
        # What else a form asks for is missing, too.
        assert "reason" in response.context["form"].errors, reason


def test_a_form_without_its_token_from_this_site_is_refused(superuser: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(superuser)
    instance = InstanceFactory.create()

    response = strict.post(page_of(instance, "pause"), {"reason": "Because"})

    assert response.status_code == 403
    assert "This form can no longer be sent" in response.content.decode()
    assert Instance.objects.get(pk=instance.pk).paused_at is None


def test_a_form_that_is_sent_twice_is_obeyed_once(office: Client, operator: Operator) -> None:
    path = reverse("admin:operators_operator_issue-key", args=[operator.pk])
    given = {"label": "Server", "scopes": "read", "form_token": str(uuid.uuid4())}

    first = office.post(path, given)
    second = office.post(path, given, follow=True)

    assert first.status_code == 201
    assert [str(message) for message in second.context["messages"]] == [
        "This form had been sent already, so nothing was done a second time."
    ]
    assert ApiKey.objects.filter(operator=operator).count() == 1


def test_a_form_that_was_refused_can_be_sent_again(
    office: Client, operator: Operator, now: datetime
) -> None:
    instance = InstanceFactory.create(operator=operator, status=InstanceStatus.DRAFT)
    path = page_of(instance, "links")
    form_token = str(uuid.uuid4())
    given = {"targets": [str(instance.pk)], "reason": "Because", "form_token": form_token}

    refused = office.post(path, given)
    renewed = refused.context["form"]["form_token"].value()
    accepted = office.post(path, {"reason": "Because", "form_token": renewed})

    assert refused.status_code == 400
    assert renewed != form_token
    assert accepted.status_code == 302


@pytest.mark.parametrize("name", ADDRESSES)
def test_the_form_carries_a_token_of_its_own(name: str, office: Client, operator: Operator) -> None:
    path = address(name, operator)
    tokens = {office.get(path).context["form"]["form_token"].value() for _ in range(2)}

    assert len(tokens) == 2
