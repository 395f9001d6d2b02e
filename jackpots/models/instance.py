"""A running jackpot and its life."""

from datetime import datetime
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from core.fsm import LifecycleModel
from core.models import AmountField, XidField, amount_check, new_id
from core.querysets import OperatorQuerySet
from jackpots.enums import (
    ContributionType,
    Funding,
    InstanceKind,
    InstanceStatus,
    Recurrence,
)


class InstanceQuerySet(OperatorQuerySet["Instance"]):
    pass


class Instance(LifecycleModel):
    """
    One running jackpot: a raffle, or a progressive with one or more pots.

    DRAFT ─activate→ ACTIVE ─close→ CLOSING ─────────settle→ CLOSED   (progressive)
      │                               └─draw→ DRAWN ─settle→ CLOSED   (raffle)
      └─cancel→ CANCELLED

    Paused is a flag with a reason, not a state: nothing accrues while it is set.

    ``revision`` grows with every change that a contribution depends on; a contribution
    decided upon one revision is refused by the database under another. ``folded_to`` is
    the transaction up to which contributions have been added to the pots' ``folded``;
    ``needs_fold`` asks for one although nothing accrues any more.

    A recurring raffle is followed by its next run, which names it as ``previous``: the
    n-th run of a series closes n - 1 periods after ``series_closes_at``, in local time.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=InstanceKind.choices)
    currency = models.CharField(max_length=8)
    contribution_type = models.CharField(max_length=8, choices=ContributionType.choices)
    contribution_amount = AmountField(null=True, blank=True, help_text="Fixed: per contribution.")
    contribution_percent = models.DecimalField(
        max_digits=11, decimal_places=8, null=True, blank=True, help_text="Percent of the wager."
    )
    funding = models.CharField(max_length=8, choices=Funding.choices, default=Funding.OPERATOR)
    opt_in_required = models.BooleanField(default=False)
    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True, help_text="Exclusive.")
    ticket_cost = AmountField(
        null=True, blank=True, help_text="Raffle: what a player contributes for one ticket."
    )
    recurrence = models.CharField(max_length=8, choices=Recurrence.choices, blank=True)
    timezone = models.CharField(max_length=64, default="UTC")
    carry_opt_ins = models.BooleanField(
        default=False, help_text="Opt-ins go on in the next run of a recurring raffle."
    )
    previous = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="next"
    )
    run_number = models.PositiveIntegerField(default=1)
    series_closes_at = models.DateTimeField(
        null=True, blank=True, help_text="When the first run of a recurring raffle closes."
    )
    status = FSMField(choices=InstanceStatus.choices, default=InstanceStatus.DRAFT, protected=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=200, blank=True)
    revision = models.PositiveIntegerField(default=1)
    folded_to = XidField(default=0)
    needs_fold = models.BooleanField(default=False)
    step_tried_at = models.DateTimeField(
        null=True, blank=True, help_text="Raffle: when the clock last tried to take it on."
    )
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)
    closing_at = models.DateTimeField(null=True, blank=True)
    drawn_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(InstanceQuerySet)()

    class Meta:
        verbose_name = "jackpot instance"
        constraints: ClassVar = [
            amount_check(
                "instance_contribution_amount_positive", "contribution_amount", above_zero=True
            ),
            models.CheckConstraint(
                name="instance_percent_between_0_and_100",
                condition=Q(contribution_percent__gt=0, contribution_percent__lte=100),
            ),
            models.CheckConstraint(
                name="instance_has_the_terms_of_its_type",
                condition=Q(
                    contribution_type=ContributionType.FIXED,
                    contribution_amount__isnull=False,
                    contribution_percent=None,
                )
                | Q(
                    contribution_type=ContributionType.PERCENT,
                    contribution_percent__isnull=False,
                    contribution_amount=None,
                ),
            ),
            amount_check("instance_ticket_cost_positive", "ticket_cost", above_zero=True),
            models.CheckConstraint(
                name="instance_tickets_only_in_raffles",
                condition=Q(kind=InstanceKind.RAFFLE) | Q(ticket_cost=None),
            ),
            models.CheckConstraint(
                name="instance_opens_before_it_closes",
                condition=Q(opens_at=None) | Q(closes_at=None) | Q(opens_at__lt=F("closes_at")),
            ),
            models.CheckConstraint(
                name="instance_paused_with_a_reason",
                condition=Q(paused_at=None, paused_reason="")
                | (Q(paused_at__isnull=False) & ~Q(paused_reason="")),
            ),
            models.CheckConstraint(
                name="instance_state_has_its_instants",
                condition=Q(
                    status=InstanceStatus.DRAFT,
                    activated_at=None,
                    closing_at=None,
                    closed_at=None,
                    cancelled_at=None,
                )
                | Q(
                    status=InstanceStatus.ACTIVE,
                    activated_at__isnull=False,
                    closing_at=None,
                    closed_at=None,
                    cancelled_at=None,
                )
                | Q(
                    status__in=[InstanceStatus.CLOSING, InstanceStatus.DRAWN],
                    activated_at__isnull=False,
                    closing_at__isnull=False,
                    closed_at=None,
                    cancelled_at=None,
                )
                | Q(
                    status=InstanceStatus.CLOSED,
                    closing_at__isnull=False,
                    closed_at__isnull=False,
                    cancelled_at=None,
                )
                | Q(
                    status=InstanceStatus.CANCELLED,
                    activated_at=None,
                    cancelled_at__isnull=False,
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="instance_by_operator", fields=["operator", "-created_at", "-id"]),
            models.Index(
                name="instance_accruing",
                fields=["id"],
                condition=Q(status__in=[InstanceStatus.ACTIVE, InstanceStatus.CLOSING])
                | Q(needs_fold=True),
            ),
        ]
        permissions: ClassVar = [
            ("activate_instance", "Can activate a jackpot instance"),
            ("pause_instance", "Can pause and resume a jackpot instance"),
            ("close_instance", "Can close a jackpot instance"),
            ("cancel_instance", "Can cancel a draft of a jackpot instance"),
            ("link_instance", "Can link jackpot instances"),
            ("draw_instance", "Can draw a raffle"),
            ("drop_pot", "Can drop a pot to a player"),
            ("change_live_terms", "Can change the terms of a live pot"),
            ("approve_live_terms", "Can approve or reject new terms of a live pot"),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="instance_moves_forward_only",
                field="status",
                transitions=[
                    (InstanceStatus.DRAFT, InstanceStatus.ACTIVE),
                    (InstanceStatus.DRAFT, InstanceStatus.CANCELLED),
                    (InstanceStatus.ACTIVE, InstanceStatus.CLOSING),
                    (InstanceStatus.CLOSING, InstanceStatus.DRAWN),
                    (InstanceStatus.CLOSING, InstanceStatus.CLOSED),
                    (InstanceStatus.DRAWN, InstanceStatus.CLOSED),
                ],
            ),
            # Contributions point here without a foreign key (docs/adr/0003).
            pgtrigger.Protect(name="instance_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.name

    # Properties

    @property
    def is_paused(self) -> bool:
        """Tell whether nothing accrues for now."""
        return self.paused_at is not None

    @property
    def is_raffle(self) -> bool:
        """Tell whether the instance is drawn among tickets."""
        return self.kind == InstanceKind.RAFFLE

    # Transitions: which moves exist. Whether one is allowed now is for
    # jackpots.services.instances to say; nothing else calls these.

    @transition(field=status, source=InstanceStatus.DRAFT, target=InstanceStatus.ACTIVE)
    def activate(self, *, now: datetime) -> None:
        """Open the instance for contributions."""
        self.activated_at = now

    @transition(field=status, source=InstanceStatus.DRAFT, target=InstanceStatus.CANCELLED)
    def cancel(self, *, now: datetime) -> None:
        """Give up a draft."""
        self.cancelled_at = now

    @transition(field=status, source=InstanceStatus.ACTIVE, target=InstanceStatus.CLOSING)
    def close(self, *, now: datetime) -> None:
        """Take no more contributions."""
        self.closing_at = now

    @transition(field=status, source=InstanceStatus.CLOSING, target=InstanceStatus.DRAWN)
    def draw(self, *, now: datetime) -> None:
        """Have drawn the winners of a raffle."""
        self.drawn_at = now

    @transition(
        field=status,
        source=[InstanceStatus.CLOSING, InstanceStatus.DRAWN],
        target=InstanceStatus.CLOSED,
    )
    def settle(self, *, now: datetime) -> None:
        """End: everything is counted and decided."""
        self.closed_at = now
