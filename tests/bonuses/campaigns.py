"""What tests of campaigns ask again and again: campaigns of players, runs, and their sums."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum

from bonuses.enums import TargetStatus
from bonuses.models import BonusCampaign, BonusGrant, BonusIssuance, BonusTemplate, CampaignTarget
from bonuses.selectors import count_targets
from bonuses.services import campaigns, fan_out, issuing
from core.actors import Actor
from operators.models import Operator
from players.models import Player
from tests.factories.bonuses import BonusCampaignFactory, BonusTemplateFactory
from tests.factories.players import SegmentFactory

HOUR = timedelta(hours=1)


@dataclass
class Campaigning:
    """Makes and runs the campaigns of one operator, at one instant."""

    operator: Operator
    actor: Actor
    now: datetime

    def draft(
        self, players: Sequence[Player], template: BonusTemplate | None = None, **kwargs: Any
    ) -> BonusCampaign:
        """Return a campaign for those players, of ten euros each unless told otherwise."""
        return BonusCampaignFactory.create(
            operator=self.operator,
            segment=SegmentFactory.create(operator=self.operator, players=players),
            template=template or BonusTemplateFactory.create(operator=self.operator),
            **kwargs,
        )

    def start(self, campaign: BonusCampaign) -> BonusCampaign:
        with transaction.atomic():
            return campaigns.start_campaign(
                operator=self.operator, campaign_id=campaign.pk, actor=self.actor, now=self.now
            )

    def started(self, players: Sequence[Player], *args: Any, **kwargs: Any) -> BonusCampaign:
        return self.start(self.draft(players, *args, **kwargs))

    def run(self, campaign: BonusCampaign, *, at: datetime | None = None) -> int:
        """Handle what is left, as one task does; the clock stands still."""
        return fan_out.issue_campaign(campaign_id=campaign.pk, clock=self.clock(at))

    def retry(self, *, at: datetime) -> int:
        return issuing.retry_due_issuances(clock=self.clock(at), limit=1_000)

    def settle(self, campaign: BonusCampaign, *, at: datetime | None = None) -> int:
        return fan_out.settle_targets(campaign_id=campaign.pk, limit=1_000, clock=self.clock(at))

    def move(self, verb: str, campaign: BonusCampaign, **given: Any) -> BonusCampaign:
        service: Callable[..., BonusCampaign] = getattr(campaigns, verb)
        return service(
            operator=self.operator,
            campaign_id=campaign.pk,
            actor=self.actor,
            now=self.now,
            **{"reason": "Because", **given},
        )

    def clock(self, at: datetime | None = None) -> Callable[[], datetime]:
        return lambda: at or self.now


def again(campaign: BonusCampaign) -> BonusCampaign:
    """Return the campaign as it is stored."""
    return BonusCampaign.objects.get(pk=campaign.pk)


def stats_of(campaign: BonusCampaign) -> dict[str, int]:
    """Return the counts that are not 0, having checked that they add up."""
    counts = count_targets(campaign_ids=[campaign.pk])[campaign.pk]
    check_sums(campaign)
    return {status.value: count for status, count in counts.items() if count}


def reasons_of(campaign: BonusCampaign) -> dict[str, str]:
    """Return why whoever was not granted was not, by player id."""
    targets = campaign.targets.exclude(status=TargetStatus.GRANTED).select_related("player")
    return {target.player.reference: target.reason_code for target in targets}


def check_sums(campaign: BonusCampaign) -> None:
    """Assert what is true of a campaign at every instant (I10)."""
    stored = again(campaign)
    counts = count_targets(campaign_ids=[campaign.pk])[campaign.pk]
    assert sum(counts.values()) == (stored.audience_size or 0)
    costs = stored.targets.aggregate(sum=Sum("cost_base"))["sum"] or Decimal(0)
    assert stored.committed_base == costs
    issuances = BonusIssuance.objects.filter(granted_by_ref=str(campaign.pk))
    linked = CampaignTarget.objects.filter(campaign=campaign, issuance__isnull=False)
    assert issuances.count() == linked.count()
    assert issuances.values("player_id").distinct().count() == issuances.count()


def grants_of(campaign: BonusCampaign) -> list[BonusGrant]:
    return list(
        BonusGrant.objects.filter(issuance__granted_by_ref=str(campaign.pk)).order_by("player_id")
    )
