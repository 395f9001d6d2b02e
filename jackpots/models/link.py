"""Which instances a contribution reaches besides its own."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.querysets import OperatorQuerySet
from jackpots.models.instance import Instance


class InstanceLinkQuerySet(OperatorQuerySet["InstanceLink"]):
    pass


class InstanceLink(models.Model):
    """
    A directed link: a contribution to ``source`` is also one to ``target``.

    One hop only, so cycles are legal (DESIGN: linked jackpots). A set of links is
    replaced as a whole; ``position`` is the order in which the targets are answered.
    """

    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    source = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="links")
    target = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="linked_from")
    position = models.PositiveSmallIntegerField()

    objects = models.Manager.from_queryset(InstanceLinkQuerySet)()

    class Meta:
        db_table = "jackpots_linked_instance"
        verbose_name = "link"
        ordering: ClassVar = ["source", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="link_only_once", fields=["source", "target"]),
            models.UniqueConstraint(name="link_positions_differ", fields=["source", "position"]),
            models.CheckConstraint(name="link_not_to_itself", condition=~Q(source=F("target"))),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} → {self.target_id}"
