"""Requests that wait for a second person, and from what amount on an operator wants one."""

from datetime import datetime
from typing import ClassVar, Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from approvals import rules
from approvals.enums import ApprovalStatus
from core.actors import ActorKind
from core.fsm import LifecycleModel
from core.models import AmountField, amount_check, new_id
from core.querysets import OperatorQuerySet

REF_LENGTH_MAX = 200
REASON_LENGTH_MAX = 500

# What was asked for; only what becomes of it may change.
_FACTS = (
    "operator_id",
    "kind",
    "subject_type",
    "subject_id",
    "payload",
    "fingerprint",
    "summary",
    "amount",
    "currency",
    "reason",
    "requested_by_kind",
    "requested_by_ref",
    "requested_at",
    "expires_at",
)


class ApprovalSettings(models.Model):
    """
    What the staff of an operator may do alone. Without a row, the defaults hold.

    Amounts are in the operator's base currency; what is worth exactly the amount is not
    above it.
    """

    operator = models.OneToOneField(
        "operators.Operator", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    clawback_above = AmountField(
        null=True,
        blank=True,
        default=rules.CLAWBACK_ABOVE,
        help_text="Cancelling a claim for an amount of choice above it waits; empty: never.",
    )
    manual_grant_above = AmountField(
        null=True,
        blank=True,
        default=rules.MANUAL_GRANT_ABOVE,
        help_text="A bonus given by hand that is worth more waits; empty: never.",
    )
    live_terms = models.BooleanField(
        default=True, help_text="Whether new terms of a running jackpot wait."
    )
    valid_hours = models.PositiveIntegerField(
        default=rules.VALID_HOURS, help_text="For how long a request can be approved."
    )

    class Meta:
        verbose_name = "approval limits"
        verbose_name_plural = "approval limits"
        constraints: ClassVar = [
            amount_check("approval_clawback_above_not_negative", "clawback_above"),
            amount_check("approval_manual_grant_above_not_negative", "manual_grant_above"),
            models.CheckConstraint(
                name="approval_requests_are_valid_for_a_while",
                condition=Q(valid_hours__gte=1, valid_hours__lte=rules.VALID_HOURS_MAX),
            ),
        ]

    def __str__(self) -> str:
        return str(self.operator)


class ApprovalQuerySet(OperatorQuerySet["Approval"]):
    def open(self, *, now: datetime) -> Self:
        """Requests that can still be approved."""
        return self.filter(status=ApprovalStatus.REQUESTED, expires_at__gt=now)


class Approval(LifecycleModel):
    """
    Something that one person asked for and a second one decides.

    REQUESTED ─apply→ APPLIED    (it was done, in the transaction of the decision)
        └─────reject→ REJECTED   (by whoever asked for it: that is a withdrawal)

    ``payload`` is what will be done, amounts in it as text, and ``fingerprint`` the SHA-256
    that binds it (approvals.rules). ``summary`` says it in sentences, the first one being
    its title; ``amount`` and ``currency`` are for lists. ``outcome`` says what was done.

    A request whose time is up can no longer be applied: the instant decides, no row changes.
    What was asked for never changes (trigger), it is never deleted (trigger), and who asked
    does not apply it (constraint).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=32)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=64)
    payload = models.JSONField()
    fingerprint = models.CharField(max_length=64)
    summary = ArrayField(models.TextField())
    amount = AmountField(null=True, blank=True)
    currency = models.CharField(max_length=8, blank=True)
    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    status = FSMField(
        choices=ApprovalStatus.choices, default=ApprovalStatus.REQUESTED, protected=True
    )
    requested_by_kind = models.CharField(max_length=16, choices=ActorKind.choices)
    requested_by_ref = models.CharField(max_length=REF_LENGTH_MAX)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Exclusive.")
    decided_by_kind = models.CharField(max_length=16, choices=ActorKind.choices, blank=True)
    decided_by_ref = models.CharField(max_length=REF_LENGTH_MAX, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    outcome = models.TextField(blank=True)

    objects = models.Manager.from_queryset(ApprovalQuerySet)()

    class Meta:
        constraints: ClassVar = [
            amount_check("approval_amount_not_negative", "amount"),
            models.CheckConstraint(
                name="approval_binds_a_sha256", condition=Q(fingerprint__regex="^[0-9a-f]{64}$")
            ),
            models.CheckConstraint(
                name="approval_expires_after_it_was_requested",
                condition=Q(expires_at__gt=F("requested_at")),
            ),
            models.CheckConstraint(
                name="approval_decided_iff_not_requested",
                condition=Q(status=ApprovalStatus.REQUESTED, decided_at=None, decided_by_ref="")
                | (
                    Q(status__in=[ApprovalStatus.APPLIED, ApprovalStatus.REJECTED])
                    & Q(decided_at__isnull=False)
                    & ~Q(decided_by_ref="")
                ),
            ),
            models.CheckConstraint(
                name="approval_says_what_was_done_iff_applied",
                condition=(Q(status=ApprovalStatus.APPLIED) & ~Q(outcome=""))
                | (~Q(status=ApprovalStatus.APPLIED) & Q(outcome="")),
            ),
            # Four eyes, also for whoever writes SQL.
            models.CheckConstraint(
                name="approval_not_applied_by_its_requester",
                condition=~Q(
                    status=ApprovalStatus.APPLIED,
                    decided_by_kind=F("requested_by_kind"),
                    decided_by_ref=F("requested_by_ref"),
                ),
            ),
            models.CheckConstraint(
                name="approval_applied_before_it_expired",
                condition=~Q(status=ApprovalStatus.APPLIED) | Q(decided_at__lt=F("expires_at")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="approval_waiting",
                fields=["requested_at", "id"],
                condition=Q(status=ApprovalStatus.REQUESTED),
            ),
            models.Index(
                name="approval_decided",
                fields=["-decided_at", "-id"],
                condition=Q(decided_at__isnull=False),
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="approval_moves_forward_only",
                field="status",
                transitions=[
                    (ApprovalStatus.REQUESTED, ApprovalStatus.APPLIED),
                    (ApprovalStatus.REQUESTED, ApprovalStatus.REJECTED),
                ],
            ),
            pgtrigger.Protect(
                name="approval_facts_never_change",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(*_FACTS),
            ),
            pgtrigger.Protect(
                name="approval_decided_is_final",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__status=ApprovalStatus.REQUESTED),
            ),
            # The state machine does not look at inserts.
            pgtrigger.Protect(
                name="approval_begins_as_a_request",
                operation=pgtrigger.Insert,
                condition=~pgtrigger.Q(new__status=ApprovalStatus.REQUESTED),
            ),
            pgtrigger.Protect(name="approval_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.summary[0]) if self.summary else self.kind

    @transition(field=status, source=ApprovalStatus.REQUESTED, target=ApprovalStatus.APPLIED)
    def apply(self, *, outcome: str, now: datetime) -> None:
        """Have been done."""
        self.outcome = outcome
        self.decided_at = now

    @transition(field=status, source=ApprovalStatus.REQUESTED, target=ApprovalStatus.REJECTED)
    def reject(self, *, now: datetime) -> None:
        """Not be done."""
        self.decided_at = now
