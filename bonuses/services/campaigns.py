"""
Campaigns: made, started, paused, resumed, given a budget, finished.

A start writes the audience down, one target a player; workers then give each of them the
bonus (bonuses.services.fan_out). Every service here locks the campaign first, and so does
the step that asks for one bonus: what a pause or a budget says holds from its commit on.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from celery import current_app
from django.db import connection, transaction

from bonuses.enums import CampaignStatus, TargetStatus
from bonuses.errors import BonusTemplateNotActive, CampaignBudgetReached, CampaignWrongState
from bonuses.models import BonusCampaign, CampaignTarget
from bonuses.selectors import get_template_to_issue
from bonuses.services.announcements import announce_campaign
from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest
from core.money import format_amount
from operators.models import Operator
from players.selectors import get_segment, list_segment_players

#: How many tasks share one campaign; more are added by hand with more workers.
CHAINS = 4
#: What the reason of a pause by the budget begins with; nobody else can give such a reason.
BUDGET_REACHED = "Budget reached: "
_TASK = "bonuses.tasks.issue_campaign"

# In the order of the players, who are asked for in that order too.
_AUDIENCE = """
INSERT INTO bonuses_campaigntarget (campaign_id, player_id, status, reason_code, reason)
SELECT %s, audience.id, 'pending', '', ''
FROM ({players}) AS audience
ORDER BY audience.id
"""


@transaction.atomic(durable=True)
def create_campaign(
    *,
    operator: Operator,
    segment_id: UUID,
    template_id: UUID,
    name: str,
    budget_base: Decimal | None,
    actor: Actor,
    now: datetime,
) -> BonusCampaign:
    """
    Make a draft that will give the template's bonus to every player of the segment.

    ``budget_base`` caps its cost in the operator's base currency; None: no cap.

    :raises NotFound: if the operator has no such segment.
    :raises BonusTemplateNotFound: if the operator has no such template.
    """
    segment = get_segment(operator=operator, segment_id=segment_id)
    template = get_template_to_issue(operator=operator, template_id=template_id)
    campaign = BonusCampaign(
        operator=operator,
        name=name,
        segment=segment,
        template=template,
        budget_base=budget_base,
        created_at=now,
    )
    campaign.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="bonus.campaign.created",
        subject=campaign,
        after={
            "name": name,
            "segment_id": str(segment.pk),
            "template_id": str(template.pk),
            "budget_base": _text(budget_base),
        },
        now=now,
    )
    return campaign


@transaction.atomic
def start_campaign(
    *, operator: Operator, campaign_id: UUID, actor: Actor, now: datetime, reason: str = ""
) -> BonusCampaign:
    """
    Write the audience down, and let workers issue to it once this is committed.

    Joins the caller's transaction. A campaign that has been started is returned as it is;
    whoever started it sees ``started_at == now``. Without anybody in the audience it is
    finished at once. If the broker is away, the sweep finds the campaign within seconds.

    :raises NotFound: if the operator has no such campaign.
    :raises BonusTemplateNotActive: if its template is switched off.
    :raises ResourceBusy: if the campaign is in use; nothing was changed.
    """
    campaign = _lock_campaign(operator, campaign_id)
    if campaign.status != CampaignStatus.DRAFT:
        return campaign
    if not campaign.template.is_active:
        raise BonusTemplateNotActive("The campaign's bonus template is not active.")
    size = _write_audience(campaign)
    campaign.start(audience_size=size, now=now)
    campaign.save(update_fields=["status", "audience_size", "started_at"])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="bonus.campaign.started",
        subject=campaign,
        before={"status": CampaignStatus.DRAFT.value},
        after={"status": CampaignStatus.ISSUING.value, "audience_size": size},
        reason=reason,
        now=now,
    )
    announce_campaign(campaign=campaign, topic="bonus.campaign.started", now=now)
    if size == 0:
        _finish(campaign, actor=actor, now=now)
    else:
        enqueue_fan_out(campaign_id=campaign.pk)
    return campaign


@transaction.atomic(durable=True)
def pause_campaign(
    *, operator: Operator, campaign_id: UUID, reason: str, actor: Actor, now: datetime
) -> BonusCampaign:
    """
    Let no further bonus be asked for until the campaign is resumed.

    When this returns none is being asked for; those asked for before are still settled.

    :raises NotFound: if the operator has no such campaign.
    :raises CampaignWrongState: if it is not issuing, or paused already.
    :raises InvalidRequest: if the reason is one that only the budget gives.
    :raises ResourceBusy: if the campaign is in use; nothing was changed.
    """
    if reason.startswith(BUDGET_REACHED):
        raise InvalidRequest.for_field("reason", "That is the reason of a pause by the budget.")
    campaign = _lock_issuing(operator, campaign_id)
    if campaign.is_paused:
        raise CampaignWrongState("The campaign is paused already.")
    pause_locked_campaign(campaign=campaign, reason=reason, actor=actor, now=now)
    return campaign


@transaction.atomic(durable=True)
def resume_campaign(
    *, operator: Operator, campaign_id: UUID, reason: str, actor: Actor, now: datetime
) -> BonusCampaign:
    """
    End a pause, and let workers go on.

    :raises NotFound: if the operator has no such campaign.
    :raises CampaignWrongState: if it is not paused.
    :raises CampaignBudgetReached: if its budget paused it and has not been raised since.
    :raises ResourceBusy: if the campaign is in use; nothing was changed.
    """
    campaign = _lock_issuing(operator, campaign_id)
    if not campaign.is_paused:
        raise CampaignWrongState("The campaign is not paused.")
    if campaign.pause_reason.startswith(BUDGET_REACHED):
        raise CampaignBudgetReached(f"Raise the budget first. {campaign.pause_reason}")
    before = campaign.pause_reason
    campaign.is_paused, campaign.pause_reason = False, ""
    campaign.save(update_fields=["is_paused", "pause_reason"])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="bonus.campaign.resumed",
        subject=campaign,
        before={"is_paused": True, "pause_reason": before},
        after={"is_paused": False},
        reason=reason,
        now=now,
    )
    enqueue_fan_out(campaign_id=campaign.pk)
    return campaign


@transaction.atomic(durable=True)
def set_campaign_budget(
    *,
    operator: Operator,
    campaign_id: UUID,
    budget_base: Decimal | None,
    reason: str,
    actor: Actor,
    now: datetime,
) -> BonusCampaign:
    """
    Cap the cost of the campaign, or lift the cap with None; a finished one needs none.

    Raising a budget that has paused the campaign lets it be resumed; it does not resume it.

    :raises NotFound: if the operator has no such campaign.
    :raises CampaignWrongState: if it is finished.
    :raises InvalidRequest: if more than that is committed already.
    :raises ResourceBusy: if the campaign is in use; nothing was changed.
    """
    campaign = _lock_campaign(operator, campaign_id)
    if campaign.status == CampaignStatus.ISSUED:
        raise CampaignWrongState("The campaign is finished.")
    if budget_base is not None and budget_base < campaign.committed_base:
        committed = format_amount(campaign.committed_base, operator.base_currency)
        raise InvalidRequest.for_field(
            "budget_base", f"{committed} {operator.base_currency} is committed already."
        )
    before = campaign.budget_base
    campaign.budget_base = budget_base
    was_raised = before is not None and (budget_base is None or budget_base > before)
    if was_raised and campaign.pause_reason.startswith(BUDGET_REACHED):
        campaign.pause_reason = "The budget was raised. Resume to go on."
    campaign.save(update_fields=["budget_base", "pause_reason"])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="bonus.campaign.budget_set",
        subject=campaign,
        before={"budget_base": _text(before)},
        after={"budget_base": _text(budget_base)},
        reason=reason,
        now=now,
    )
    return campaign


@transaction.atomic(durable=True)
def finish_campaign_if_done(*, campaign_id: UUID, actor: Actor, now: datetime) -> bool:
    """
    Finish an issuing campaign of which nothing is pending; tell whether it is finished.

    A pause ends with it: there is nothing left to go on with.

    :raises NotFound: if there is no such campaign.
    :raises ResourceBusy: if the campaign is in use; nothing was changed.
    """
    if _has_pending(campaign_id):
        return False
    campaign = locks.lock_one(
        BonusCampaign.objects.filter(pk=campaign_id).select_related("operator")
    )
    # Targets are never added after the start, and a settled one stays settled.
    if campaign.status == CampaignStatus.ISSUING and not _has_pending(campaign_id):
        _finish(campaign, actor=actor, now=now)
    return bool(campaign.status == CampaignStatus.ISSUED)


@transaction.atomic
def pause_locked_campaign(
    *, campaign: BonusCampaign, reason: str, actor: Actor, now: datetime
) -> None:
    """Pause an issuing campaign that the caller holds locked, in the caller's transaction."""
    campaign.is_paused, campaign.pause_reason = True, reason
    campaign.save(update_fields=["is_paused", "pause_reason"])
    audit.record_action(
        operator=campaign.operator,
        actor=actor,
        action="bonus.campaign.paused",
        subject=campaign,
        before={"is_paused": False},
        after={"is_paused": True},
        reason=reason,
        now=now,
    )


def enqueue_fan_out(*, campaign_id: UUID) -> None:
    """Let workers issue the campaign once the transaction is committed; lost, it is swept up."""

    def send() -> None:
        for _chain in range(CHAINS):
            current_app.send_task(_TASK, kwargs={"campaign_id": str(campaign_id)})

    # In one: a broker that is away is waited for once.
    transaction.on_commit(send, robust=True)


def _lock_campaign(operator: Operator, campaign_id: UUID) -> BonusCampaign:
    return locks.lock_one(
        BonusCampaign.objects.for_operator(operator)
        .filter(pk=campaign_id)
        .select_related("operator", "segment", "template")
    )


def _lock_issuing(operator: Operator, campaign_id: UUID) -> BonusCampaign:
    campaign = _lock_campaign(operator, campaign_id)
    if campaign.status != CampaignStatus.ISSUING:
        raise CampaignWrongState(f"The campaign is {campaign.status}.")
    return campaign


def _write_audience(campaign: BonusCampaign) -> int:
    players = list_segment_players(segment=campaign.segment).order_by().values("id")
    sql, params = players.query.sql_with_params()
    with connection.cursor() as cursor:
        # A million players take longer than a request may.
        cursor.execute("SET LOCAL statement_timeout = '10min'")
        cursor.execute(_AUDIENCE.format(players=sql), [campaign.pk, *params])
        written: int = cursor.rowcount
        return written


def _has_pending(campaign_id: UUID) -> bool:
    pending = CampaignTarget.objects.filter(campaign_id=campaign_id, status=TargetStatus.PENDING)
    return pending.exists()


def _finish(campaign: BonusCampaign, *, actor: Actor, now: datetime) -> None:
    campaign.finish(now=now)
    campaign.is_paused, campaign.pause_reason = False, ""
    campaign.save(update_fields=["status", "finished_at", "is_paused", "pause_reason"])
    audit.record_action(
        operator=campaign.operator,
        actor=actor,
        action="bonus.campaign.finished",
        subject=campaign,
        before={"status": CampaignStatus.ISSUING.value},
        after={
            "status": CampaignStatus.ISSUED.value,
            "committed_base": _text(campaign.committed_base),
        },
        now=now,
    )
    announce_campaign(campaign=campaign, topic="bonus.campaign.finished", now=now)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
