"""Money that staff put into a pot, once a second person agrees."""

from datetime import datetime
from typing import ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from core.actors import ActorKind
from core.fsm import LifecycleModel
from core.models import AmountField, amount_check, new_id
from core.querysets import OperatorQuerySet
from jackpots.enums import BoostStatus
from jackpots.models.pot import Pot

REF_LENGTH_MAX = 200


class BoostQuerySet(OperatorQuerySet["Boost"]):
    def open(self, *, now: datetime) -> Self:
        """Requests that can still be decided."""
        return self.filter(status=BoostStatus.REQUESTED, expires_at__gt=now)


class Boost(LifecycleModel):
    """
    A request to put house money into a pot, and what a second person decided.

    REQUESTED ─apply→ APPLIED    (the amount is in the pot: a PotEntry)
        └─────reject→ REJECTED

    A request that is too old can no longer be applied. What was asked for never changes
    (trigger), and who asked does not decide (constraint).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    pot = models.ForeignKey(Pot, on_delete=models.PROTECT, related_name="boosts")
    amount = AmountField()
    reason = models.CharField(max_length=500)
    status = FSMField(choices=BoostStatus.choices, default=BoostStatus.REQUESTED, protected=True)
    requested_by_kind = models.CharField(max_length=16, choices=ActorKind.choices)
    requested_by_ref = models.CharField(max_length=REF_LENGTH_MAX)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Exclusive.")
    decided_by_kind = models.CharField(max_length=16, choices=ActorKind.choices, blank=True)
    decided_by_ref = models.CharField(max_length=REF_LENGTH_MAX, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)

    objects = models.Manager.from_queryset(BoostQuerySet)()

    class Meta:
        constraints: ClassVar = [
            amount_check("boost_amount_positive", "amount", above_zero=True),
            models.CheckConstraint(
                name="boost_decided_iff_not_requested",
                condition=Q(status=BoostStatus.REQUESTED, decided_at=None, decided_by_ref="")
                | (
                    Q(status__in=[BoostStatus.APPLIED, BoostStatus.REJECTED])
                    & Q(decided_at__isnull=False)
                    & ~Q(decided_by_ref="")
                ),
            ),
            models.CheckConstraint(
                name="boost_not_applied_by_its_requester",
                condition=~Q(
                    status=BoostStatus.APPLIED,
                    decided_by_kind=F("requested_by_kind"),
                    decided_by_ref=F("requested_by_ref"),
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="boost_waiting",
                fields=["operator", "requested_at"],
                condition=Q(status=BoostStatus.REQUESTED),
            )
        ]
        permissions: ClassVar = [
            ("request_boost", "Can request a boost of a pot"),
            ("approve_boost", "Can approve or reject a boost of a pot"),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="boost_moves_forward_only",
                field="status",
                transitions=[
                    (BoostStatus.REQUESTED, BoostStatus.APPLIED),
                    (BoostStatus.REQUESTED, BoostStatus.REJECTED),
                ],
            ),
            pgtrigger.Protect(
                name="boost_facts_never_change",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "operator_id",
                    "pot_id",
                    "amount",
                    "reason",
                    "requested_by_kind",
                    "requested_by_ref",
                    "requested_at",
                    "expires_at",
                ),
            ),
            pgtrigger.Protect(name="boost_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} into {self.pot}"

    @transition(field=status, source=BoostStatus.REQUESTED, target=BoostStatus.APPLIED)
    def apply(self, *, now: datetime) -> None:
        """Have put the amount into the pot."""
        self.decided_at = now

    @transition(field=status, source=BoostStatus.REQUESTED, target=BoostStatus.REJECTED)
    def reject(self, *, now: datetime) -> None:
        """Refuse it."""
        self.decided_at = now
