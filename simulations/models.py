"""What terms may ask for, market by market."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.models import AmountField, new_id
from core.money import AMOUNT_LIMIT
from core.querysets import OperatorQuerySet

LABEL_LENGTH_MAX = 60


class TermsLimitsQuerySet(OperatorQuerySet["TermsLimits"]):
    pass


class TermsLimits(models.Model):
    """
    What the terms of an operator's bonuses and promos may ask for in one market.

    Great Britain, for example, lets a bonus be wagered ten times at most. A limit refuses
    nothing: simulations, and the pages of templates and promos, warn of terms above it.

    Invariants, each one a constraint below:
    - an operator has one row of a label;
    - the multiple is above zero, and a number.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    label = models.CharField(max_length=LABEL_LENGTH_MAX, help_text="The market it is for.")
    wagering_multiple_max = AmountField(
        help_text="How many times the bonus may have to be wagered, at most."
    )
    created_at = models.DateTimeField()

    objects = models.Manager.from_queryset(TermsLimitsQuerySet)()

    class Meta:
        verbose_name = "limits of terms"
        verbose_name_plural = "limits of terms"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="terms_limits_label_is_unique", fields=["operator", "label"]
            ),
            models.CheckConstraint(
                name="terms_limits_multiple_is_positive_number",
                condition=Q(wagering_multiple_max__gt=0, wagering_multiple_max__lt=AMOUNT_LIMIT),
            ),
        ]
        permissions: ClassVar = [("simulate", "Can simulate terms")]

    def __str__(self) -> str:
        return self.label
