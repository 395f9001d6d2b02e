"""How far campaigns are, in players."""

from typing import Any

from bonuses.enums import CampaignStatus, TargetStatus
from bonuses.models import BonusCampaign
from bonuses.selectors import count_targets
from core.admin.display import amount_text


def percent_done(counts: dict[TargetStatus, int]) -> int:
    """Return how much of an audience has been dealt with; all of it only when nothing is left."""
    audience = sum(counts.values())
    if audience == 0:
        return 100
    return 100 * (audience - counts[TargetStatus.PENDING]) // audience


def progress_of(campaign: BonusCampaign) -> dict[str, Any]:
    """Return how far a campaign is, as text for people, for its page and for its script."""
    counts = count_targets(campaign_ids=[campaign.pk])[campaign.pk]
    return {
        "percent": percent_done(counts),
        "audience": f"{sum(counts.values()):,}",
        **{status.value: f"{count:,}" for status, count in counts.items()},
        "cost": amount_text(campaign.committed_base, campaign.operator.base_currency),
        "is_running": campaign.status == CampaignStatus.ISSUING and not campaign.is_paused,
        "said": _said(campaign),
    }


def _said(campaign: BonusCampaign) -> str:
    if campaign.is_paused:
        return f"Paused: {campaign.pause_reason}"
    if campaign.status == CampaignStatus.ISSUED:
        return "Finished. Load the page again for who got nothing, and why."
    return "Workers are issuing."
