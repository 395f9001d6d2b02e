"""
Rows of bonuses.

Rows of two models are locked in this order: campaign, target, template, issuance, grant.
"""

from bonuses.models.campaign import BonusCampaign, BonusCampaignQuerySet, CampaignTarget
from bonuses.models.event import PlatformEvent, PlatformEventQuerySet
from bonuses.models.grant import BonusGrant, BonusGrantQuerySet
from bonuses.models.issuance import BonusIssuance, BonusIssuanceQuerySet
from bonuses.models.reconciliation import Discrepancy, DiscrepancyQuerySet, ReconciliationRun
from bonuses.models.template import BonusTemplate, BonusTemplateQuerySet
from bonuses.models.wagering import BetFunding, WagerEvent

__all__ = [
    "BetFunding",
    "BonusCampaign",
    "BonusCampaignQuerySet",
    "BonusGrant",
    "BonusGrantQuerySet",
    "BonusIssuance",
    "BonusIssuanceQuerySet",
    "BonusTemplate",
    "BonusTemplateQuerySet",
    "CampaignTarget",
    "Discrepancy",
    "DiscrepancyQuerySet",
    "PlatformEvent",
    "PlatformEventQuerySet",
    "ReconciliationRun",
    "WagerEvent",
]
