"""For how long a player may not withdraw, and who lifted it."""

from datetime import datetime
from typing import ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import Q

from core.querysets import OperatorQuerySet
from promos.enums import LockSource
from promos.models.user_promo import UserPromo


class WithdrawalLockQuerySet(OperatorQuerySet["WithdrawalLock"]):
    def running(self, *, now: datetime) -> Self:
        """Locks that hold at ``now``."""
        return self.filter(until__gt=now, lifted_at=None)


class WithdrawalLock(models.Model):
    """
    A span in which a player may not withdraw: one row a source, and the latest end counts.

    A claim locks once, and its bonus credit once more. ``until`` never changes, so locks
    together only ever grow; one ends by time, or because staff lifted it, for a reason.
    """

    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    player = models.ForeignKey(
        "players.Player", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    user_promo = models.ForeignKey(
        UserPromo, on_delete=models.PROTECT, related_name="withdrawal_locks", db_index=False
    )
    source = models.CharField(max_length=8, choices=LockSource.choices)
    until = models.DateTimeField(help_text="Exclusive.")
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=220, blank=True)
    lift_reason = models.CharField(max_length=200, blank=True)

    objects = models.Manager.from_queryset(WithdrawalLockQuerySet)()

    class Meta:
        verbose_name = "withdrawal lock"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="withdrawal_lock_once_a_source", fields=["user_promo", "source"]
            ),
            models.CheckConstraint(
                name="withdrawal_lock_lifted_by_somebody_for_a_reason",
                condition=Q(lifted_at=None, lifted_by="", lift_reason="")
                | (Q(lifted_at__isnull=False) & ~Q(lifted_by="") & ~Q(lift_reason="")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="withdrawal_lock_of_player",
                fields=["player", "until"],
                condition=Q(lifted_at=None),
            )
        ]
        permissions: ClassVar = [("lift_withdrawallock", "Can lift a withdrawal lock")]
        triggers: ClassVar = [
            pgtrigger.Protect(
                name="withdrawal_lock_never_shrinks",
                operation=pgtrigger.Delete
                | pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "operator_id", "player_id", "user_promo_id", "source", "until", "created_at"
                ),
            ),
            pgtrigger.Protect(
                name="withdrawal_lock_lifted_stays_lifted",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__lifted_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"until {self.until:%Y-%m-%d %H:%M} by {self.source.lower()}"
