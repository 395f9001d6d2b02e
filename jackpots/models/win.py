"""Wins: what a pot or a raffle gave a player, on its way to them. And losses by late rollbacks."""

from datetime import datetime
from typing import ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from core.actors import ActorKind
from core.fsm import LifecycleModel
from core.models import AmountField, amount_check, new_id
from core.money import RATE_DECIMALS
from core.querysets import OperatorQuerySet
from jackpots.enums import WinCause, WinStatus
from jackpots.models.contribution import Contribution
from jackpots.models.draw import Draw, Prize
from jackpots.models.instance import Instance
from jackpots.models.pot import Pot

REF_LENGTH_MAX = 200
ERROR_LENGTH_MAX = 500

# What a win is; only what becomes of it may change.
_FACTS = (
    "operator_id",
    "instance_id",
    "pot_id",
    "cycle",
    "cause",
    "contribution_id",
    "draw_id",
    "prize_id",
    "draw_position",
    "draw_counter",
    "player_id",
    "amount",
    "currency",
    "trigger",
    "trigger_nonce",
    "initiated_by_kind",
    "initiated_by_ref",
    "found_at",
)


class WinQuerySet(OperatorQuerySet["Win"]):
    def due(self, *, now: datetime) -> Self:
        """Wins to pay (again) now."""
        return self.filter(status=WinStatus.PAYABLE, next_attempt_at__lte=now)

    def standing(self) -> Self:
        """Wins that have taken their amount from the pot: all but the rejected ones."""
        return self.exclude(status=WinStatus.REJECTED)


class Win(LifecycleModel):
    """
    One win: a cycle of a progressive's pot, or a prize of a raffle.

    AWAITING_APPROVAL ─approve→ PAYABLE ─pay→ PAID
            └──────────reject→  REJECTED   (the amount is in the pot's reserve again)

    ``amount`` is in the instance's currency, rounded down to its decimals; what the player
    gets is ``payout_amount`` in theirs, with the rate that was in force when it was paid.
    A win caused by a contribution has an id that follows from it (rules.win_id), so the
    contribution's answer can name a win that the fold finds later.

    Whoever initiated a win (a manual drop) cannot approve it (DESIGN: linked jackpots).
    The amount, the player and the cause never change (trigger).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="wins")
    pot = models.ForeignKey(Pot, on_delete=models.PROTECT, related_name="wins")
    cycle = models.PositiveIntegerField()
    cause = models.CharField(max_length=24, choices=WinCause.choices)
    contribution = models.ForeignKey(
        Contribution, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    draw = models.ForeignKey(
        Draw, on_delete=models.PROTECT, null=True, blank=True, related_name="wins"
    )
    prize = models.ForeignKey(
        Prize, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    draw_position = models.PositiveIntegerField(null=True, blank=True)
    draw_counter = models.PositiveIntegerField(
        null=True, blank=True, help_text="The n of the HMAC that chose the winner."
    )
    player = models.ForeignKey("players.Player", on_delete=models.PROTECT, related_name="+")
    amount = AmountField()
    currency = models.CharField(max_length=8)
    trigger = AmountField(null=True, blank=True, help_text="The hidden value, revealed.")
    trigger_nonce = models.CharField(max_length=64, blank=True)
    initiated_by_kind = models.CharField(max_length=16, choices=ActorKind.choices)
    initiated_by_ref = models.CharField(max_length=REF_LENGTH_MAX)
    found_at = models.DateTimeField()
    status = FSMField(choices=WinStatus.choices, default=WinStatus.PAYABLE, protected=True)
    decided_by_kind = models.CharField(max_length=16, choices=ActorKind.choices, blank=True)
    decided_by_ref = models.CharField(max_length=REF_LENGTH_MAX, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    adapter_slug = models.CharField(
        max_length=64, blank=True, help_text="Through which it is paid; empty: not asked yet."
    )
    payout_amount = AmountField(null=True, blank=True)
    payout_currency = models.CharField(max_length=8, blank=True)
    payout_rate = models.DecimalField(
        max_digits=38, decimal_places=RATE_DECIMALS, null=True, blank=True
    )
    payout_rate_at = models.DateTimeField(null=True, blank=True)
    platform_payout_id = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=ERROR_LENGTH_MAX, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(WinQuerySet)()

    class Meta:
        constraints: ClassVar = [
            amount_check("win_amount_not_negative", "amount"),
            amount_check("win_payout_not_negative", "payout_amount"),
            amount_check("win_payout_rate_positive", "payout_rate", above_zero=True),
            amount_check("win_trigger_positive", "trigger", above_zero=True),
            models.UniqueConstraint(
                name="win_once_in_a_cycle", fields=["pot", "cycle"], condition=Q(draw=None)
            ),
            models.UniqueConstraint(
                name="win_positions_of_a_draw_differ", fields=["draw", "draw_position"]
            ),
            models.CheckConstraint(
                name="win_of_a_draw_iff_drawn",
                condition=Q(cause=WinCause.DRAW, draw__isnull=False, draw_position__isnull=False)
                | (Q(draw=None, draw_position=None, prize=None) & ~Q(cause=WinCause.DRAW)),
            ),
            models.CheckConstraint(
                name="win_state_has_its_facts",
                condition=Q(
                    status=WinStatus.AWAITING_APPROVAL,
                    decided_at=None,
                    next_attempt_at=None,
                    paid_at=None,
                )
                | Q(status=WinStatus.PAYABLE, next_attempt_at__isnull=False, paid_at=None)
                | Q(
                    status=WinStatus.PAID,
                    next_attempt_at=None,
                    paid_at__isnull=False,
                    payout_amount__isnull=False,
                )
                | Q(
                    status=WinStatus.REJECTED,
                    decided_at__isnull=False,
                    next_attempt_at=None,
                    paid_at=None,
                ),
            ),
            # Four eyes, also for whoever writes SQL.
            models.CheckConstraint(
                name="win_not_approved_by_its_initiator",
                condition=Q(decided_at=None)
                | ~Q(
                    decided_by_kind=models.F("initiated_by_kind"),
                    decided_by_ref=models.F("initiated_by_ref"),
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="win_by_operator", fields=["operator", "-found_at", "-id"]),
            models.Index(name="win_newest_first", fields=["-found_at", "-id"]),
            models.Index(
                name="win_to_pay",
                fields=["next_attempt_at"],
                condition=Q(status=WinStatus.PAYABLE),
            ),
            models.Index(
                name="win_awaiting_approval",
                fields=["operator", "found_at"],
                condition=Q(status=WinStatus.AWAITING_APPROVAL),
            ),
            # Most wins were never decided by anybody: the queue looks for those that were.
            models.Index(
                name="win_decided",
                fields=["-decided_at", "-id"],
                condition=Q(decided_at__isnull=False),
            ),
        ]
        permissions: ClassVar = [
            ("approve_win", "Can approve or reject a win above the threshold"),
            ("retry_win", "Can have a win paid again now"),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="win_moves_forward_only",
                field="status",
                transitions=[
                    (WinStatus.AWAITING_APPROVAL, WinStatus.PAYABLE),
                    (WinStatus.AWAITING_APPROVAL, WinStatus.REJECTED),
                    (WinStatus.PAYABLE, WinStatus.PAID),
                ],
            ),
            pgtrigger.Protect(
                name="win_facts_never_change",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(*_FACTS),
            ),
            pgtrigger.Protect(name="win_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency}"

    # Transitions: whether one is allowed now is for jackpots.services.payouts to say.

    @transition(field=status, source=WinStatus.AWAITING_APPROVAL, target=WinStatus.PAYABLE)
    def approve(self, *, now: datetime) -> None:
        """Let it be paid."""
        self.decided_at = now
        self.next_attempt_at = now

    @transition(field=status, source=WinStatus.AWAITING_APPROVAL, target=WinStatus.REJECTED)
    def reject(self, *, now: datetime) -> None:
        """Refuse to pay it."""
        self.decided_at = now

    @transition(field=status, source=WinStatus.PAYABLE, target=WinStatus.PAID)
    def pay(self, *, now: datetime) -> None:
        """Have paid it."""
        self.next_attempt_at = None
        self.paid_at = now


class RollbackLossQuerySet(OperatorQuerySet["RollbackLoss"]):
    def open(self) -> Self:
        """Losses that nobody has looked at yet."""
        return self.filter(explained_at=None)


class RollbackLoss(models.Model):
    """
    An incident: a contribution was rolled back after its pot had been won.

    The pot's part of it is with the winner, so the house bears ``amount``. One row for
    each pot that had been won; staff explain it, and nothing else of it changes.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    reversal = models.ForeignKey(Contribution, on_delete=models.PROTECT, related_name="+")
    pot = models.ForeignKey(Pot, on_delete=models.PROTECT, related_name="rollback_losses")
    amount = AmountField()
    currency = models.CharField(max_length=8)
    created_at = models.DateTimeField()
    explained_at = models.DateTimeField(null=True, blank=True)
    explained_by = models.CharField(max_length=REF_LENGTH_MAX, blank=True)
    explanation = models.CharField(max_length=500, blank=True)

    objects = models.Manager.from_queryset(RollbackLossQuerySet)()

    class Meta:
        verbose_name_plural = "rollback losses"
        constraints: ClassVar = [
            amount_check("rollback_loss_positive", "amount", above_zero=True),
            models.UniqueConstraint(name="rollback_loss_once", fields=["reversal", "pot"]),
            models.CheckConstraint(
                name="rollback_loss_explained_by_somebody",
                condition=Q(explained_at=None, explained_by="", explanation="")
                | (Q(explained_at__isnull=False) & ~Q(explained_by="") & ~Q(explanation="")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="rollback_loss_open", fields=["id"], condition=Q(explained_at=None))
        ]
        permissions: ClassVar = [("explain_rollbackloss", "Can explain a rollback loss")]
        triggers: ClassVar = [
            pgtrigger.Protect(
                name="rollback_loss_facts_never_change",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "operator_id", "reversal_id", "pot_id", "amount", "currency", "created_at"
                ),
            ),
            pgtrigger.Protect(name="rollback_loss_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency}"
