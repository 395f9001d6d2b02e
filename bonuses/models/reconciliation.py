"""Asking platforms how their bonuses are, and where they and we disagree."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from bonuses.enums import DiscrepancyKind, DiscrepancyStatus, RunStatus
from bonuses.models.grant import BonusGrant
from core.models import new_id
from core.querysets import OperatorQuerySet


class ReconciliationRun(models.Model):
    """
    One walk through the active grants of platforms, in the order of their ids.

    ``cursor`` is the last grant that has been dealt with: a run that died is gone on with
    from there. At most one is running.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    status = models.CharField(max_length=16, choices=RunStatus.choices, default=RunStatus.RUNNING)
    adapter_slug = models.CharField(
        "adapter", max_length=64, blank=True, help_text="Whose grants; empty: those of all."
    )
    cursor = models.UUIDField(null=True, blank=True)
    asked_count = models.PositiveIntegerField("asked", default=0)
    replayed_count = models.PositiveIntegerField("replayed", default=0)
    unknown_count = models.PositiveIntegerField("unknown to the platform", default=0)
    unanswered_count = models.PositiveIntegerField("unanswered", default=0)
    is_alarming = models.BooleanField(
        default=False, help_text="So many were unknown that something else must be wrong."
    )
    started_at = models.DateTimeField()
    touched_at = models.DateTimeField(help_text="When it last got on.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "reconciliation"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="reconciliation_one_is_running",
                fields=["status"],
                condition=Q(status=RunStatus.RUNNING),
            ),
            models.CheckConstraint(
                name="reconciliation_finished_iff_instant",
                condition=Q(status=RunStatus.RUNNING, finished_at=None)
                | Q(status=RunStatus.FINISHED, finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.status}"


class DiscrepancyQuerySet(OperatorQuerySet["Discrepancy"]):
    pass


class Discrepancy(models.Model):
    """
    A disagreement with a platform about one grant.

    OPEN ─fix→ FIXED (a later look found them agreeing), OPEN ─explain→ EXPLAINED (somebody
    said why it may stay). A grant has at most one open one of a kind.
    """

    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    grant = models.ForeignKey(BonusGrant, on_delete=models.PROTECT, related_name="discrepancies")
    kind = models.CharField(max_length=16, choices=DiscrepancyKind.choices)
    status = models.CharField(
        max_length=16, choices=DiscrepancyStatus.choices, default=DiscrepancyStatus.OPEN
    )
    detail = models.CharField(max_length=500)
    explanation = models.CharField(max_length=500, blank=True)
    seen_count = models.PositiveIntegerField("times seen", default=1)
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(DiscrepancyQuerySet)()

    class Meta:
        verbose_name_plural = "discrepancies"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="discrepancy_one_open_of_a_kind",
                fields=["grant", "kind"],
                condition=Q(status=DiscrepancyStatus.OPEN),
            ),
            models.CheckConstraint(
                name="discrepancy_closed_has_its_instant",
                condition=Q(status=DiscrepancyStatus.OPEN, closed_at=None)
                | (~Q(status=DiscrepancyStatus.OPEN) & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="discrepancy_explained_says_why",
                condition=~Q(status=DiscrepancyStatus.EXPLAINED) | ~Q(explanation=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="discrepancy_newest_first", fields=["operator", "-id"])
        ]
        permissions: ClassVar = [("explain_discrepancy", "Can explain a discrepancy")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.grant_id}"
