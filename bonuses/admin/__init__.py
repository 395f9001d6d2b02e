"""Bonuses in the back office."""

from bonuses.admin.campaigns import BonusCampaignAdmin
from bonuses.admin.discrepancies import DiscrepancyAdmin, ReconciliationRunAdmin
from bonuses.admin.events import PlatformEventAdmin
from bonuses.admin.grants import BonusGrantAdmin
from bonuses.admin.home import bonus_parts
from bonuses.admin.issuances import BonusIssuanceAdmin
from bonuses.admin.player_timeline import bonus_events, platform_events
from bonuses.admin.players import player_panel
from bonuses.admin.templates import BonusTemplateAdmin

__all__ = [
    "BonusCampaignAdmin",
    "BonusGrantAdmin",
    "BonusIssuanceAdmin",
    "BonusTemplateAdmin",
    "DiscrepancyAdmin",
    "PlatformEventAdmin",
    "ReconciliationRunAdmin",
    "bonus_events",
    "bonus_parts",
    "platform_events",
    "player_panel",
]
