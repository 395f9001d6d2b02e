"""
What others hear of grants and campaigns: outbox messages, in the transaction of the change.

A message carries the grant as the API shows it at that instant.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bonuses.enums import TargetStatus
from bonuses.models import BonusCampaign, BonusGrant
from bonuses.selectors import count_targets
from core import outbox
from core.instants import format_instant
from core.models import OutboxMessage
from core.money import format_amount, format_decimal

GRANT_TOPICS = frozenset(
    {
        "bonus.grant.issued",
        "bonus.grant.completed",
        "bonus.grant.forfeited",
        "bonus.grant.expired",
        "bonus.grant.cancelled",
    }
)
CAMPAIGN_TOPICS = frozenset({"bonus.campaign.started", "bonus.campaign.finished"})


def announce_grant(*, grant: BonusGrant, topic: str, now: datetime) -> OutboxMessage:
    """Tell of a grant, after the change was saved and in its transaction."""
    assert topic in GRANT_TOPICS, f"{topic} is no topic of grants"
    return outbox.publish(
        operator=grant.operator,
        topic=topic,
        subject=grant,
        payload=describe_grant(grant=grant),
        now=now,
    )


def announce_campaign(*, campaign: BonusCampaign, topic: str, now: datetime) -> OutboxMessage:
    """Tell of a campaign, after the change was saved and in its transaction."""
    assert topic in CAMPAIGN_TOPICS, f"{topic} is no topic of campaigns"
    return outbox.publish(
        operator=campaign.operator,
        topic=topic,
        subject=campaign,
        payload=describe_campaign(campaign=campaign),
        now=now,
    )


def describe_grant(*, grant: BonusGrant) -> dict[str, Any]:
    """Return a grant, its player fetched, as the API shows it."""
    currency = grant.bonus_currency
    return {
        "id": str(grant.pk),
        "template_id": str(grant.template_id),
        "player_id": grant.player.reference,
        "type": str(grant.type),
        "status": str(grant.status),
        "platform_bonus_id": grant.platform_bonus_id,
        "adapter_slug": grant.adapter_slug,
        "bonus_amount": format_amount(grant.bonus_amount, currency),
        "bonus_currency": currency,
        "deposit_amount": _amount(grant.deposit_amount, currency),
        "bonus_amount_base": format_amount(grant.bonus_amount_base, grant.base_currency_code),
        "base_currency_code": grant.base_currency_code,
        "fx_rate_locked": format_decimal(grant.fx_rate_locked),
        "fx_locked_at": format_instant(grant.fx_locked_at),
        "wagering_required": format_amount(grant.wagering_required, currency),
        "wagering_progress": format_amount(grant.wagering_progress, currency),
        "total_wagered": format_amount(grant.total_wagered, currency),
        "granted_at": format_instant(grant.granted_at),
        "activated_at": _instant(grant.activated_at),
        "expires_at": _instant(grant.expires_at),
        "completed_at": _instant(grant.completed_at),
        "forfeited_at": _instant(grant.forfeited_at),
        "expired_at": _instant(grant.expired_at),
        "cancelled_at": _instant(grant.cancelled_at),
        "outcome_reason": grant.outcome_reason or None,
        "released_amount": _amount(grant.released_amount, currency),
        "references": grant.references,
    }


def describe_campaign(
    *, campaign: BonusCampaign, counts: Mapping[TargetStatus, int] | None = None
) -> dict[str, Any]:
    """
    Return a campaign, its operator fetched, and its statistics as the API shows them.

    ``counts`` are its targets by status, where the caller has counted those of many.
    """
    currency = campaign.operator.base_currency
    if counts is None:
        counts = count_targets(campaign_ids=[campaign.pk])[campaign.pk]
    return {
        "id": str(campaign.pk),
        "name": campaign.name,
        "segment_id": str(campaign.segment_id),
        "template_id": str(campaign.template_id),
        "status": str(campaign.status),
        "is_paused": campaign.is_paused,
        "pause_reason": campaign.pause_reason or None,
        "budget_base": _amount(campaign.budget_base, currency),
        "committed_base": _amount(campaign.committed_base, currency),
        "base_currency_code": currency,
        "audience_size": campaign.audience_size,
        "stats": {status.value: counts[status] for status in TargetStatus},
        "created_at": format_instant(campaign.created_at),
        "started_at": _instant(campaign.started_at),
        "finished_at": _instant(campaign.finished_at),
    }


def _amount(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else format_instant(value)
