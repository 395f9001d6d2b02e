"""Counts that lists of templates show, read for all rows of a page at once."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q

from bonuses.enums import GrantStatus
from bonuses.models import BonusGrant, BonusIssuance


@dataclass(frozen=True, slots=True)
class TemplateFigures:
    """What has come of a template."""

    grant_count: int = 0
    active_count: int = 0
    waiting_count: int = 0


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
