"""Who has agreed to take part, and when."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.querysets import OperatorQuerySet
from jackpots.models.instance import Instance


class OptInQuerySet(OperatorQuerySet["OptIn"]):
    pass


class OptIn(models.Model):
    """
    A player's opt-in to an instance: from ``opted_in_at`` until ``opted_out_at``.

    The history is kept: opting in again after opting out is a new row. Opt-ins are not
    carried over links (seed: opt-in requirement).
    """

    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="opt_ins")
    player = models.ForeignKey("players.Player", on_delete=models.PROTECT, related_name="+")
    opted_in_at = models.DateTimeField()
    opted_out_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(OptInQuerySet)()

    class Meta:
        verbose_name = "opt-in"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="opt_in_once_at_a_time",
                fields=["instance", "player"],
                condition=Q(opted_out_at=None),
            ),
            models.CheckConstraint(
                name="opt_in_before_opt_out",
                condition=Q(opted_out_at=None) | Q(opted_out_at__gte=F("opted_in_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.player} in {self.instance}"
