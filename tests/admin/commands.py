"""Every command of the back office: its permission, and a row for which it is possible."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from adapters.models import AdapterConfig, WebhookDelivery, WebhookEndpoint
from approvals.models import Approval, ApprovalSettings
from bonuses.enums import CampaignStatus
from bonuses.models import (
    BonusCampaign,
    BonusGrant,
    BonusIssuance,
    BonusTemplate,
    Discrepancy,
)
from jackpots.enums import InstanceStatus, WinStatus
from jackpots.models import Boost, Instance, JackpotSettings, RollbackLoss, Win
from operators.models import ApiKey, Operator
from players.models import Segment
from promos.models import CodeBatch, Promo, UserPromo, WithdrawalLock
from simulations.models import TermsLimits
from tests.admin.conftest import signed_in
from tests.admin.world import lose_to_a_rollback
from tests.factories.approvals import ApprovalFactory, ApprovalSettingsFactory
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
from tests.factories.simulations import TermsLimitsFactory
from tests.factories.webhooks import WebhookDeliveryFactory, WebhookEndpointFactory

#: Every page that changes something, with the permission it needs and no other.
PERMISSIONS = {
    "operators.Operator:issue-key": "operators.issue_apikey",
    "operators.Operator:add": "operators.add_operator",
    "operators.Operator:time-zone": "operators.change_operator",
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
    "approvals.Approval:approve": "approvals.view_approval",
    "approvals.Approval:reject": "approvals.view_approval",
    "approvals.ApprovalSettings:add": "approvals.change_approvalsettings",
    "approvals.ApprovalSettings:edit": "approvals.change_approvalsettings",
    "auth.User:end-sessions": "auth.change_user",
    "auth.User:reset-second-factor": "auth.change_user",
    "auth.User:unlock": "auth.change_user",
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
    "jackpots.JackpotSettings:add": "jackpots.change_jackpotsettings",
    "jackpots.JackpotSettings:edit": "jackpots.change_jackpotsettings",
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
    "simulations.TermsLimits:add": "simulations.change_termslimits",
    "simulations.TermsLimits:edit": "simulations.change_termslimits",
    "simulations.TermsLimits:remove": "simulations.change_termslimits",
}
#: What these need besides: the permission of the kind of request that their row is.
ALSO = {
    "approvals.Approval:approve": "promos.approve_clawback",
    "approvals.Approval:reject": "promos.approve_clawback",
}
#: What the address of a page that adds chooses first.
KINDS: dict[type[Model], str] = {
    BonusTemplate: "?type=no_deposit",
    Instance: "?kind=raffle",
    Promo: "?type=DEPOSIT",
    Segment: "?kind=rules",
}


def all_pages() -> dict[str, tuple[type[Model], Any]]:
    found = {}
    for model, page in admin.site._registry.items():
        for command in getattr(page, "pages", ()):
            found[f"{model._meta.label}:{command.name}"] = (model, command)
        if getattr(page, "add_page", None):
            found[f"{model._meta.label}:add"] = (model, page.add_page)
    return found


def address(name: str, operator: Operator) -> str:
    """Return the address of the page, for a row from which the command is possible."""
    model, command = all_pages()[name]
    prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}_"
    if command.name == "add":
        return reverse(prefix + "add") + KINDS.get(model, "")
    if model is Operator:
        row: Any = operator
    elif model is ApprovalSettings:
        row = ApprovalSettingsFactory.create(operator=operator)
    elif model is Approval:
        claim = UserPromoFactory.create(promo__operator=operator, claimed_at=timezone.now())
        row = ApprovalFactory.create(
            operator=operator, subject=claim, requested_at=timezone.now(), requested_by_ref="0"
        )
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
    elif model is TermsLimits:
        row = TermsLimitsFactory.create(operator=operator)
    elif model is User:
        row = signed_in_with_an_app()
    else:
        row = jackpot_row(model, command.name, operator)
    return reverse(prefix + command.name, args=[row.pk])


def signed_in_with_an_app() -> User:
    """Return somebody with a second factor and an open session."""
    user = User.objects.create_user(f"grace-{User.objects.count()}", is_staff=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    signed_in(user)
    return user


def jackpot_row(model: type[Model], command: str, operator: Operator) -> Any:
    """Return a row of jackpots from which the command is possible."""
    if model is Boost:
        return BoostFactory.create(pot__instance__operator=operator, requested_at=timezone.now())
    if model is JackpotSettings:
        return JackpotSettings.objects.create(operator=operator)
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
