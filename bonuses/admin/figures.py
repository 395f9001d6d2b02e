"""Counts that lists of bonuses show, read in one statement for all rows of a page."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q

from bonuses.enums import GrantStatus, TargetStatus
from bonuses.models import BonusGrant, BonusIssuance, CampaignTarget


@dataclass(frozen=True, slots=True)
class TemplateFigures:
    """What has come of a template."""

    grant_count: int = 0
    active_count: int = 0
    waiting_count: int = 0


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """What a campaign has done so far, in players."""

    pending: int = 0
    granted: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def audience(self) -> int:
        """Return how many players there are altogether."""
        return self.pending + self.granted + self.skipped + self.failed

    @property
    def percent(self) -> int:
        """Return how much of the audience has been dealt with."""
        if self.audience == 0:
            return 100
        return 100 * (self.audience - self.pending) // self.audience


def read_template_figures(*, template_ids: Collection[UUID]) -> dict[UUID, TemplateFigures]:
    """Return the figures of each template."""
    grants = (
        BonusGrant.objects.filter(template__in=template_ids)
        .order_by()
        .values("template_id")
        .annotate(number=Count("pk"), active=Count("pk", filter=Q(status=GrantStatus.ACTIVE)))
    )
    waiting = dict(
        BonusIssuance.objects.filter(template__in=template_ids)
        .open()
        .order_by()
        .values_list("template_id")
        .annotate(number=Count("pk"))
    )
    counted = {row["template_id"]: (row["number"], row["active"]) for row in grants}
    return {
        key: TemplateFigures(*counted.get(key, (0, 0)), waiting_count=waiting.get(key, 0))
        for key in template_ids
    }


def read_campaign_figures(*, campaign_ids: Collection[UUID]) -> dict[UUID, CampaignFigures]:
    """Return the figures of each campaign."""
    rows = (
        CampaignTarget.objects.filter(campaign__in=campaign_ids)
        .order_by()
        .values_list("campaign_id", "status")
        .annotate(number=Count("pk"))
    )
    counted: dict[UUID, dict[str, int]] = {key: {} for key in campaign_ids}
    for campaign_id, status, number in rows:
        counted[campaign_id][TargetStatus(status).value] = number
    return {key: CampaignFigures(**numbers) for key, numbers in counted.items()}
