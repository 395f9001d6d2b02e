"""One template given to one segment, and what has become of it for each player."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from bonuses.enums import CampaignStatus, TargetStatus
from bonuses.models.issuance import BonusIssuance
from bonuses.models.template import NAME_LENGTH_MAX, BonusTemplate
from core.fsm import LifecycleModel
from core.models import AmountField, amount_check, new_id
from core.querysets import OperatorQuerySet


class BonusCampaignQuerySet(OperatorQuerySet["BonusCampaign"]):
    pass


class BonusCampaign(LifecycleModel):
    """
    A template for all players of a segment.

    DRAFT ─start→ ISSUING ─finish→ ISSUED

    The audience is written down at the start, one target a player, and does not change
    afterwards. Paused is a flag with a reason: no further bonus is issued while it is set.
    ``budget_base`` caps the cost in the operator's base currency; reaching it pauses.

    Invariants, each one a constraint or a trigger below:
    - a state has its instants; only an issuing campaign is paused, and for a reason;
    - the targets are as many as ``audience_size``, whatever their status;
    - ``committed_base`` is the sum of its targets' costs, and never above the budget.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=NAME_LENGTH_MAX)
    segment = models.ForeignKey("players.Segment", on_delete=models.PROTECT, related_name="+")
    template = models.ForeignKey(BonusTemplate, on_delete=models.PROTECT, related_name="campaigns")
    status = FSMField(choices=CampaignStatus.choices, default=CampaignStatus.DRAFT, protected=True)
    is_paused = models.BooleanField("paused", default=False)
    pause_reason = models.CharField(max_length=200, blank=True)
    budget_base = AmountField(null=True, blank=True, help_text="Null: no cap.")
    committed_base = AmountField(
        default=Decimal(0), help_text="What its grants, offers and pending issuances cost."
    )
    audience_size = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(BonusCampaignQuerySet)()

    class Meta:
        verbose_name = "bonus campaign"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="bonus_campaign_state_has_its_columns",
                condition=Q(
                    status=CampaignStatus.DRAFT,
                    audience_size=None,
                    started_at=None,
                    finished_at=None,
                )
                | Q(
                    status=CampaignStatus.ISSUING,
                    audience_size__isnull=False,
                    started_at__isnull=False,
                    finished_at=None,
                )
                | Q(
                    status=CampaignStatus.ISSUED,
                    audience_size__isnull=False,
                    started_at__isnull=False,
                    finished_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="bonus_campaign_paused_for_a_reason",
                condition=Q(is_paused=False, pause_reason="")
                | (Q(is_paused=True, status=CampaignStatus.ISSUING) & ~Q(pause_reason="")),
            ),
            amount_check("bonus_campaign_budget_is_number", "budget_base"),
            amount_check("bonus_campaign_committed_is_number", "committed_base"),
            models.CheckConstraint(
                name="bonus_campaign_keeps_its_budget",
                condition=Q(budget_base=None) | Q(committed_base__lte=F("budget_base")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="bonus_campaign_newest_first", fields=["operator", "-id"]),
            models.Index(
                name="bonus_campaign_issuing",
                fields=["id"],
                condition=Q(status=CampaignStatus.ISSUING),
            ),
        ]
        permissions: ClassVar = [
            ("start_bonuscampaign", "Can start a campaign"),
            ("pause_bonuscampaign", "Can pause and resume a campaign"),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="bonus_campaign_moves_forward_only",
                field="status",
                transitions=[
                    (CampaignStatus.DRAFT, CampaignStatus.ISSUING),
                    (CampaignStatus.ISSUING, CampaignStatus.ISSUED),
                ],
            ),
            pgtrigger.Protect(name="bonus_campaign_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.name

    # Transitions: which moves exist. Whether one is allowed now is for
    # bonuses.services.campaigns to say; nothing else calls these.

    @transition(field=status, source=CampaignStatus.DRAFT, target=CampaignStatus.ISSUING)
    def start(self, *, audience_size: int, now: datetime) -> None:
        """Begin to issue to the audience, which has been written down."""
        self.audience_size = audience_size
        self.started_at = now

    @transition(field=status, source=CampaignStatus.ISSUING, target=CampaignStatus.ISSUED)
    def finish(self, *, now: datetime) -> None:
        """End: nothing is pending any more."""
        self.finished_at = now


class CampaignTarget(models.Model):
    """
    One player of a campaign's audience.

    PENDING ─→ GRANTED | SKIPPED | FAILED. An offer that waits for the player's deposit counts
    as granted: the campaign has done its part. ``reason_code`` is the refusal's code where
    there was one.

    Invariant: a player is in a campaign once, and has at most one issuance of it.
    """

    campaign = models.ForeignKey(
        BonusCampaign, on_delete=models.PROTECT, related_name="targets", db_index=False
    )
    player = models.ForeignKey("players.Player", on_delete=models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=16, choices=TargetStatus.choices, default=TargetStatus.PENDING
    )
    issuance = models.OneToOneField(
        BonusIssuance, on_delete=models.PROTECT, related_name="target", null=True, blank=True
    )
    cost_base = AmountField(null=True, blank=True, help_text="In the operator's base currency.")
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "campaign target"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="campaign_target_once_a_player", fields=["campaign", "player"]
            ),
            models.CheckConstraint(
                name="campaign_target_state_has_its_columns",
                condition=Q(status=TargetStatus.PENDING, settled_at=None)
                | Q(status=TargetStatus.GRANTED, settled_at__isnull=False, issuance__isnull=False)
                | Q(
                    status__in=[TargetStatus.SKIPPED, TargetStatus.FAILED], settled_at__isnull=False
                ),
            ),
            amount_check("campaign_target_cost_is_number", "cost_base"),
        ]
        indexes: ClassVar = [
            models.Index(name="campaign_target_by_status", fields=["campaign", "status", "id"])
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="campaign_target_moves_forward_only",
                field="status",
                transitions=[
                    (TargetStatus.PENDING, TargetStatus.GRANTED),
                    (TargetStatus.PENDING, TargetStatus.SKIPPED),
                    (TargetStatus.PENDING, TargetStatus.FAILED),
                ],
            ),
            pgtrigger.Protect(name="campaign_target_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.player_id} of {self.campaign_id}"
