"""
Giving a campaign's bonus to its audience: any number of workers, any of which may die.

For each target three steps, each safe to die after. First the intent (an issuance, linked
to the target) in one transaction, so that a target is asked for once. Then the platform is
asked, outside any transaction. Then the target is settled by what became of the issuance.
An issuance that is left pending is retried like any other; the sweep settles its target.
"""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from celery import current_app
from django.db import transaction

from bonuses.enums import CLOSED_ISSUANCE_STATUSES, CampaignStatus, IssuanceStatus, TargetStatus
from bonuses.errors import BonusTemplateNotActive
from bonuses.models import BonusCampaign, BonusIssuance, CampaignTarget
from bonuses.rules.costs import most_a_match_costs
from bonuses.selectors import find_usd_rates
from bonuses.services.attempts import attempt_issuance
from bonuses.services.campaigns import (
    BUDGET_REACHED,
    finish_campaign_if_done,
    pause_locked_campaign,
)
from bonuses.services.recalls import GIVEN_UP
from bonuses.services.requests import BonusRequest, request_bonus
from core import locks
from core.actors import Actor, ActorKind
from core.errors import DomainError, IdempotencyKeyReused, ResourceBusy
from core.failpoints import failpoint
from core.locks import AdvisoryLock
from core.money import format_amount

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

#: A run goes on for so long, and then makes room for other work of its queue.
RUN_FOR = timedelta(seconds=8)
#: Looked at together and in a random order, so that workers seldom meet at a target.
PAGE = 200
#: After so many in a row the platform is taken to be down: the sweep goes on, slowly.
UNANSWERED_MAX = 5
#: A sweep of one campaign settles at most so many.
SETTLED_PER_SWEEP_MAX = 1_000
REASON_LENGTH_MAX = 500
#: Why a target failed whose issuance somebody gave up before any platform answered.
_TASK = "bonuses.tasks.issue_campaign"


class _Stopped(Exception):
    """The campaign is not issuing, or paused."""


class _BudgetReached(Exception):
    """The next bonus does not fit into the budget."""

    def __init__(self, cost: Decimal) -> None:
        super().__init__(cost)
        self.cost = cost


def issue_campaign(
    *, campaign_id: UUID, clock: Clock, after_id: int = 0, goes_on: bool = False
) -> int:
    """
    Give the bonus to the next targets of an issuing campaign; return how many were handled.

    Goes on for some seconds. If then something is left, and ``goes_on``, the rest is left
    to another task. Harmless at any time, twice, and several at once.
    """
    actor = _actor(campaign_id)
    until = clock() + RUN_FOR
    handled_count = unanswered_count = 0
    while candidates := _next_page(campaign_id, after_id):
        page_end = max(target_id for target_id, _player_id in candidates)
        for target_id, player_id in candidates:
            if clock() >= until:
                if goes_on:
                    _enqueue(campaign_id, after_id)
                return handled_count
            try:
                answered = _issue_target(target_id, player_id, campaign_id, actor, clock)
            except _Stopped:
                return handled_count
            except ResourceBusy:
                # Somebody is at the player or the campaign: the next run looks again.
                continue
            except Exception:
                # One target that cannot be handled must not stop all others.
                logger.exception("target %s of campaign %s failed", target_id, campaign_id)
                continue
            handled_count += 1
            unanswered_count = 0 if answered else unanswered_count + 1
            if unanswered_count == UNANSWERED_MAX:
                return handled_count
        after_id = page_end
    finish_campaign_if_done(campaign_id=campaign_id, actor=actor, now=clock())
    return handled_count


def continue_campaigns(*, clock: Clock, limit: int) -> int:
    """
    Look after up to ``limit`` issuing campaigns, oldest first; return how many were finished.

    Targets whose issuance has been settled meanwhile are settled, what is done is finished,
    and one more task goes on with what is not: if the campaign's own were lost, it lives on.
    """
    issuing = BonusCampaign.objects.filter(status=CampaignStatus.ISSUING)
    finished_count = 0
    for campaign in list(issuing.order_by("started_at", "pk")[:limit]):
        try:
            finished_count += _look_after(campaign, clock=clock)
        except Exception:
            # One campaign that cannot be gone on with must not stop the others.
            logger.exception("campaign %s could not be continued", campaign.pk)
    return finished_count


def settle_targets(*, campaign_id: UUID, limit: int, clock: Clock) -> int:
    """Settle up to ``limit`` targets whose issuance has been settled; return how many."""
    waiting = CampaignTarget.objects.filter(
        campaign_id=campaign_id,
        status=TargetStatus.PENDING,
        issuance__status__in=CLOSED_ISSUANCE_STATUSES,
    )
    settled_count = 0
    for target_id in list(waiting.order_by("pk").values_list("pk", flat=True)[:limit]):
        settled_count += settle_target(target_id=target_id, now=clock())
    return settled_count


@transaction.atomic(durable=True)
def settle_target(*, target_id: int, now: datetime) -> bool:
    """
    Settle a pending target by its issuance, if that is settled; tell whether it was.

    What failed costs nothing: the budget gets it back.

    :raises ResourceBusy: if the target is in use; nothing was changed.
    """
    seen = CampaignTarget.objects.select_related("issuance").get(pk=target_id)
    issuance = seen.issuance
    # What is settled stays so: this may be looked at before the lock.
    if issuance is None or issuance.status not in CLOSED_ISSUANCE_STATUSES:
        return False
    is_granted = issuance.status == IssuanceStatus.SUCCEEDED
    campaign = None
    if not is_granted:
        campaign = locks.lock_one(BonusCampaign.objects.filter(pk=seen.campaign_id))
    pending = CampaignTarget.objects.filter(pk=target_id, status=TargetStatus.PENDING)
    for target in locks.lock_many(pending):
        target.settled_at = now
        if campaign is None:
            target.status = TargetStatus.GRANTED
        else:
            target.status = TargetStatus.FAILED
            target.reason_code = (issuance.error_code or GIVEN_UP)[:64]
            target.reason = issuance.error_detail[:REASON_LENGTH_MAX]
            _commit(campaign, -(target.cost_base or Decimal(0)))
            target.cost_base = None
        target.save(update_fields=["status", "settled_at", "reason_code", "reason", "cost_base"])
        failpoint("campaign.before_settle")
        return True
    return False


def _issue_target(
    target_id: int, player_id: int, campaign_id: UUID, actor: Actor, clock: Clock
) -> bool:
    """Handle one target; False if the platform did not answer usably."""
    issuance = _request(target_id, player_id, campaign_id, actor=actor, now=clock())
    failpoint("campaign.after_request")
    if issuance is None:
        return True
    if issuance.is_pending:
        issuance = attempt_issuance(issuance_id=issuance.pk, clock=clock)
        failpoint("campaign.after_attempt")
    settle_target(target_id=target_id, now=clock())
    return not issuance.is_pending


@transaction.atomic(durable=True)
def _request(
    target_id: int, player_id: int, campaign_id: UUID, *, actor: Actor, now: datetime
) -> BonusIssuance | None:
    """
    Ask for the target's bonus, or skip the target; None if there is nothing to attempt.

    The player's lock comes first because request_bonus takes it, and it is an advisory one.
    The campaign's makes a pause and the budget exact.
    """
    locks.lock_exclusively(AdvisoryLock.BONUS_PLAYER, player_id)
    campaign = locks.lock_one(
        BonusCampaign.objects.filter(pk=campaign_id).select_related("operator", "template")
    )
    if campaign.status != CampaignStatus.ISSUING or campaign.is_paused:
        raise _Stopped
    free = CampaignTarget.objects.filter(
        pk=target_id, status=TargetStatus.PENDING, issuance=None
    ).select_related("player")
    for target in locks.lock_many_skipping(free):
        failpoint("campaign.before_request")
        try:
            return _request_locked(campaign, target, actor=actor, now=now)
        except _BudgetReached as reached:
            reason = _budget_reason(campaign, reached.cost)
            pause_locked_campaign(campaign=campaign, reason=reason, actor=actor, now=now)
        except BonusTemplateNotActive:
            reason = "The bonus template was switched off."
            pause_locked_campaign(campaign=campaign, reason=reason, actor=actor, now=now)
        except ResourceBusy:
            raise
        except DomainError as refusal:
            _skip(target, refusal, now=now)
    return None


@transaction.atomic
def _request_locked(
    campaign: BonusCampaign, target: CampaignTarget, *, actor: Actor, now: datetime
) -> BonusIssuance:
    """Write the issuance and link it; a refusal leaves nothing of it."""
    operator, is_offer = campaign.operator, campaign.template.needs_deposit
    issuance = request_bonus(
        operator=operator,
        request=BonusRequest(
            template_id=campaign.template_id,
            player_reference=target.player.reference,
            idempotency_key=f"campaign:{campaign.pk}:{target.player_id}",
            is_offer=is_offer,
            granted_by={"kind": "campaign", "ref": str(campaign.pk)},
            references={"campaign_id": str(campaign.pk)},
        ),
        actor=actor,
        now=now,
    )
    if (issuance.player_id, issuance.template_id) != (target.player_id, campaign.template_id):
        raise IdempotencyKeyReused("Somebody used the campaign's key for another bonus.")
    if issuance.terms is None:
        cost = _offer_cost(campaign, target, now=now)
    else:
        cost = Decimal(issuance.terms["bonus_amount_base"])
    committed = campaign.committed_base + cost
    if campaign.budget_base is not None and committed > campaign.budget_base:
        raise _BudgetReached(cost)
    _commit(campaign, cost)
    target.issuance, target.cost_base = issuance, cost
    if issuance.status == IssuanceStatus.AWAITING_DEPOSIT:
        # The offer is made: what the player does with it is not the campaign's.
        target.status, target.settled_at = TargetStatus.GRANTED, now
    target.save(update_fields=["issuance", "cost_base", "status", "settled_at"])
    return issuance


def _skip(target: CampaignTarget, refusal: DomainError, *, now: datetime) -> None:
    target.status, target.settled_at = TargetStatus.SKIPPED, now
    target.issuance = target.cost_base = None
    target.reason_code = refusal.code
    target.reason = refusal.detail[:REASON_LENGTH_MAX]
    target.save(
        update_fields=["status", "settled_at", "issuance", "cost_base", "reason_code", "reason"]
    )


def _offer_cost(campaign: BonusCampaign, target: CampaignTarget, *, now: datetime) -> Decimal:
    operator, template = campaign.operator, campaign.template
    currencies = (template.currency, target.player.currency, operator.base_currency)
    return most_a_match_costs(
        template=template,
        wallet_currency=target.player.currency,
        base_currency=operator.base_currency,
        usd_rates=find_usd_rates(operator=operator, currencies=currencies, now=now),
    )


def _commit(campaign: BonusCampaign, cost: Decimal) -> None:
    campaign.committed_base += cost
    campaign.save(update_fields=["committed_base"])


def _budget_reason(campaign: BonusCampaign, cost: Decimal) -> str:
    currency = campaign.operator.base_currency
    assert campaign.budget_base is not None, "no budget was reached"
    committed, budget, next_cost = (
        format_amount(amount, currency)
        for amount in (campaign.committed_base, campaign.budget_base, cost)
    )
    return (
        f"{BUDGET_REACHED}{committed} of {budget} {currency} is committed, and the next bonus "
        f"costs {next_cost} {currency}."
    )


def _next_page(campaign_id: UUID, after_id: int) -> list[tuple[int, int]]:
    """Return the next targets that nobody has asked for, in a random order."""
    unasked = CampaignTarget.objects.filter(
        campaign_id=campaign_id,
        campaign__status=CampaignStatus.ISSUING,
        campaign__is_paused=False,
        status=TargetStatus.PENDING,
        issuance=None,
        pk__gt=after_id,
    )
    page = list(unasked.order_by("pk").values_list("pk", "player_id")[:PAGE])
    random.SystemRandom().shuffle(page)
    return page


def _look_after(campaign: BonusCampaign, *, clock: Clock) -> bool:
    settle_targets(campaign_id=campaign.pk, limit=SETTLED_PER_SWEEP_MAX, clock=clock)
    actor = _actor(campaign.pk)
    if finish_campaign_if_done(campaign_id=campaign.pk, actor=actor, now=clock()):
        return True
    if _next_page(campaign.pk, 0):
        current_app.send_task(
            _TASK, kwargs={"campaign_id": str(campaign.pk), "goes_on": False}, expires=10
        )
    return False


def _enqueue(campaign_id: UUID, after_id: int) -> None:
    kwargs = {"campaign_id": str(campaign_id), "after_id": after_id}
    # Outside a transaction it runs at once; a broker that is away is the sweep's to mend.
    transaction.on_commit(lambda: current_app.send_task(_TASK, kwargs=kwargs), robust=True)


def _actor(campaign_id: UUID) -> Actor:
    return Actor(kind=ActorKind.TASK, ref=f"campaign {campaign_id}")
