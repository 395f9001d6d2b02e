"""Single-use codes that share a promo's terms, and the batches they are made in."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.models import append_only, new_id
from core.querysets import OperatorQuerySet
from promos.enums import BatchStatus
from promos.models.promo import CODE_KEY_LENGTH_MAX, Promo
from promos.rules import CODE_LENGTH_MAX, PATTERN_LENGTH_MAX


class CodeBatchQuerySet(OperatorQuerySet["CodeBatch"]):
    def unfinished(self) -> "CodeBatchQuerySet":
        """Batches that a worker still has to make codes for."""
        return self.filter(finished_at=None, failed_at=None, disabled_at=None)


class CodeBatch(models.Model):
    """
    Single-use codes of a promo, made from one pattern by a worker.

    ``made_count`` grows in the transaction that writes the codes, so whoever goes on after
    a crash makes exactly the rest. A disabled batch stays disabled.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    promo = models.ForeignKey(Promo, on_delete=models.PROTECT, related_name="batches")
    pattern = models.CharField(max_length=PATTERN_LENGTH_MAX)
    count = models.PositiveIntegerField()
    made_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(CodeBatchQuerySet)()

    class Meta:
        verbose_name = "batch of codes"
        verbose_name_plural = "batches of codes"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="code_batch_makes_no_more_than_asked",
                condition=Q(count__gte=1, made_count__lte=F("count")),
            ),
            models.CheckConstraint(
                name="code_batch_finished_iff_all_are_made",
                condition=Q(finished_at=None, made_count__lt=F("count"))
                | Q(finished_at__isnull=False, failed_at=None, made_count=F("count")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="code_batch_unfinished",
                fields=["created_at"],
                condition=Q(finished_at=None, failed_at=None, disabled_at=None),
            ),
            models.Index(name="code_batch_newest_first", fields=["operator", "-id"]),
        ]
        permissions: ClassVar = [
            ("create_codebatch", "Can create a batch of codes"),
            ("disable_codebatch", "Can disable a batch of codes"),
            ("download_codebatch", "Can download the codes of a batch"),
        ]

    def __str__(self) -> str:
        return f"{self.count} × {self.pattern}"

    @property
    def status(self) -> BatchStatus:
        """Return how far the batch is."""
        if self.disabled_at is not None:
            return BatchStatus.DISABLED
        if self.failed_at is not None:
            return BatchStatus.FAILED
        if self.finished_at is not None:
            return BatchStatus.DONE
        return BatchStatus.MAKING if self.made_count else BatchStatus.PENDING


class PromoBatchCodeQuerySet(OperatorQuerySet["PromoBatchCode"]):
    """Single-use codes."""


class PromoBatchCode(models.Model):
    """
    One single-use code. Never changed: the claim that used it points here (UserPromo).

    ``operator`` stands here too, because a code is unique among all of an operator's.
    """

    operator = models.ForeignKey(
        "operators.Operator", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    batch = models.ForeignKey(
        CodeBatch, on_delete=models.PROTECT, related_name="codes", db_index=False
    )
    code = models.CharField(max_length=CODE_LENGTH_MAX)
    code_key = models.CharField(max_length=CODE_KEY_LENGTH_MAX)

    objects = models.Manager.from_queryset(PromoBatchCodeQuerySet)()

    class Meta:
        verbose_name = "single-use code"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="promo_batch_code_is_unique", fields=["operator", "code_key"]
            )
        ]
        indexes: ClassVar = [models.Index(name="promo_batch_codes", fields=["batch", "id"])]
        triggers: ClassVar = [append_only("promo_batch_code_is_append_only")]

    def __str__(self) -> str:
        return self.code
