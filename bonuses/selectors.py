"""Reads of bonuses: templates, issuances, grants, and what a player may have."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count

from bonuses.enums import BonusType, GrantStatus, IssuanceStatus, TargetStatus
from bonuses.errors import BonusTemplateNotFound
from bonuses.models import (
    BonusCampaign,
    BonusCampaignQuerySet,
    BonusGrant,
    BonusGrantQuerySet,
    BonusIssuance,
    BonusIssuanceQuerySet,
    BonusTemplate,
    BonusTemplateQuerySet,
    CampaignTarget,
)
from core.errors import NotFound
from operators.models import Operator
from operators.selectors import get_usd_rate
from players.models import Player

TARGETS_PER_PAGE = 1_000
#: What counts against max_grants_per_player: what the player has or may still get.
COUNTED_STATUSES = (
    IssuanceStatus.AWAITING_DEPOSIT,
    IssuanceStatus.PENDING,
    IssuanceStatus.SUCCEEDED,
)


def list_templates(*, operator: Operator) -> BonusTemplateQuerySet:
    """Return the operator's templates."""
    return BonusTemplate.objects.for_operator(operator)


def get_template(*, operator: Operator, template_id: UUID) -> BonusTemplate:
    """
    Return the operator's template with that id.

    :raises NotFound: if there is none.
    """
    template = list_templates(operator=operator).filter(pk=template_id).first()
    if template is None:
        raise NotFound("There is no such bonus template.")
    return template


def get_template_to_issue(*, operator: Operator, template_id: UUID) -> BonusTemplate:
    """
    Return the operator's template with that id, for a request that names it in its body.

    :raises BonusTemplateNotFound: if there is none.
    """
    template = list_templates(operator=operator).filter(pk=template_id).first()
    if template is None:
        raise BonusTemplateNotFound("There is no such bonus template.")
    return template


def list_grants(*, operator: Operator) -> BonusGrantQuerySet:
    """Return the operator's grants with their players."""
    return BonusGrant.objects.for_operator(operator).select_related("player")


def get_grant(*, operator: Operator, grant_id: UUID) -> BonusGrant:
    """
    Return the operator's grant with that id.

    :raises NotFound: if there is none.
    """
    grant = list_grants(operator=operator).filter(pk=grant_id).first()
    if grant is None:
        raise NotFound("There is no such bonus grant.")
    return grant


def list_issuances(*, operator: Operator) -> BonusIssuanceQuerySet:
    """Return the operator's issuances with their players."""
    return BonusIssuance.objects.for_operator(operator).select_related("player", "template")


def get_issuance(*, operator: Operator, issuance_id: UUID) -> BonusIssuance:
    """
    Return the operator's issuance with that id.

    :raises NotFound: if there is none.
    """
    issuance = list_issuances(operator=operator).filter(pk=issuance_id).first()
    if issuance is None:
        raise NotFound("There is no such bonus issuance.")
    return issuance


def find_issuance_of_key(*, operator: Operator, key: str) -> BonusIssuance | None:
    """Return the newest issuance that was asked for with that idempotency key, or None."""
    found = list_issuances(operator=operator).filter(idempotency_key=key)
    return found.order_by("-pk").first()


def count_issuances(*, template: BonusTemplate, player: Player) -> int:
    """Return how many bonuses of the template the player has had, or may still get."""
    return BonusIssuance.objects.filter(
        template=template, player=player, status__in=COUNTED_STATUSES
    ).count()


def find_paid_back_until(*, player: Player) -> datetime | None:
    """
    Return the instant up to which the player's losses have been paid back, or None.

    Cashback that is still being issued counts, so that two at once do not pay twice; one
    that was cancelled has paid nothing back.
    """
    # The pending ones first: one whose grant is written meanwhile is then found among the
    # grants. The other way round it would be found in neither, and paid twice.
    pending = [
        datetime.fromisoformat(terms["loss_until"])
        for terms in BonusIssuance.objects.filter(
            player=player, status=IssuanceStatus.PENDING, template__type=BonusType.CASHBACK
        ).values_list("terms", flat=True)
        if terms and terms["loss_until"]
    ]
    granted = (
        BonusGrant.objects.filter(player=player, loss_until__isnull=False)
        .exclude(status=GrantStatus.CANCELLED)
        .order_by("-loss_until")
        .values_list("loss_until", flat=True)
        .first()
    )
    instants = [instant for instant in (granted, *pending) if instant is not None]
    return max(instants, default=None)


def find_usd_rates(
    *, operator: Operator, currencies: Sequence[str], now: datetime
) -> dict[str, Decimal]:
    """
    Return US dollars for one unit of each currency, at ``now``.

    :raises ExchangeRateMissing: if one of them has no rate.
    """
    return {
        currency: get_usd_rate(operator=operator, currency=currency, now=now).rate
        for currency in dict.fromkeys(currencies)
    }


def list_due_issuance_ids(*, now: datetime, limit: int) -> list[UUID]:
    """Return the pending issuances to try now, those due longest first."""
    due = BonusIssuance.objects.due(now=now).order_by("next_attempt_at", "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def is_platform_bonus_known(*, adapter_slug: str, platform_bonus_id: str) -> bool:
    """Tell whether a grant of the adapter has that id of the platform already."""
    return BonusGrant.objects.filter(
        adapter_slug=adapter_slug, platform_bonus_id=platform_bonus_id
    ).exists()


def list_campaigns(*, operator: Operator) -> BonusCampaignQuerySet:
    """Return the operator's campaigns."""
    return BonusCampaign.objects.for_operator(operator).select_related("operator")


def get_campaign(*, operator: Operator, campaign_id: UUID) -> BonusCampaign:
    """
    Return the operator's campaign with that id, with its segment and template.

    :raises NotFound: if there is none.
    """
    found = list_campaigns(operator=operator).select_related("segment", "template")
    campaign = found.filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound("There is no such bonus campaign.")
    return campaign


def count_targets(*, campaign_ids: Sequence[UUID]) -> dict[UUID, dict[TargetStatus, int]]:
    """Return how many targets of each campaign are in each status: one statement, one instant."""
    counts = {campaign_id: dict.fromkeys(TargetStatus, 0) for campaign_id in campaign_ids}
    found = CampaignTarget.objects.filter(campaign_id__in=counts).order_by()
    for campaign_id, status, count in found.values_list("campaign_id", "status").annotate(
        count=Count("pk")
    ):
        counts[campaign_id][TargetStatus(status)] = count
    return counts


def iterate_targets(*, campaign: BonusCampaign) -> Iterator[CampaignTarget]:
    """Yield every target with its player and grant, in pages, so that none is held in memory."""
    last = 0
    while True:
        page = list(
            CampaignTarget.objects.filter(campaign=campaign, pk__gt=last)
            .select_related("player", "issuance__grant")
            .order_by("pk")[:TARGETS_PER_PAGE]
        )
        yield from page
        if len(page) < TARGETS_PER_PAGE:
            return
        last = page[-1].pk
