"""What the home page says about bonuses: what waits for somebody, and campaigns that run."""

from datetime import datetime
from typing import Any

from django.db.models import Count
from django.http import HttpRequest

from bonuses.admin.campaign_figures import percent_done
from bonuses.admin.display import campaign_badge, progress_cell
from bonuses.enums import CampaignStatus, DiscrepancyStatus, IssuanceStatus, TargetStatus
from bonuses.models import BonusCampaign, BonusIssuance, Discrepancy
from bonuses.selectors import count_targets
from core.admin import Panel, panel_at_home
from core.admin.display import list_url, object_link

_CAMPAIGNS_SHOWN_MAX = 5


@panel_at_home(order=25)
def bonuses_panel(request: HttpRequest, now: datetime) -> Panel | None:
    """Return issuances that wait, open discrepancies, and campaigns in progress."""
    context: dict[str, Any] = {}
    if request.user.has_perm("bonuses.view_bonusissuance"):
        counts = dict(
            BonusIssuance.objects.open()
            .order_by()
            .values_list("status")
            .annotate(number=Count("pk"))
        )
        context["waiting"] = {
            "pending": counts.get(IssuanceStatus.PENDING.value, 0),
            "pending_url": list_url("bonuses.bonusissuance", status__exact="pending"),
            "offers": counts.get(IssuanceStatus.AWAITING_DEPOSIT.value, 0),
            "offers_url": list_url("bonuses.bonusissuance", status__exact="awaiting_deposit"),
        }
    if request.user.has_perm("bonuses.view_discrepancy"):
        context["discrepancies"] = {
            "count": Discrepancy.objects.filter(status=DiscrepancyStatus.OPEN).count(),
            "url": list_url("bonuses.discrepancy", status__exact=DiscrepancyStatus.OPEN.value),
        }
    if request.user.has_perm("bonuses.view_bonuscampaign"):
        context["campaigns"] = _campaigns()
    return Panel("Bonuses", "admin/bonuses/home.html", context) if context else None


def _campaigns() -> list[dict[str, Any]]:
    running = list(
        BonusCampaign.objects.filter(status=CampaignStatus.ISSUING)
        .select_related("operator")
        .order_by("-pk")[:_CAMPAIGNS_SHOWN_MAX]
    )
    counts = count_targets(campaign_ids=[campaign.pk for campaign in running])
    shown = []
    for campaign in running:
        counted = counts[campaign.pk]
        audience = sum(counted.values())
        done = audience - counted[TargetStatus.PENDING]
        told = f"{done:,} of {audience:,} players"
        shown.append(
            {
                "link": object_link(campaign),
                "operator": campaign.operator,
                "status": campaign_badge(campaign),
                "bar": progress_cell(percent_done(counted), told),
                "told": told,
            }
        )
    return shown
