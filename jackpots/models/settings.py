"""How an operator runs jackpots."""

from typing import ClassVar

from django.db import models

from core.models import AmountField, amount_check
from jackpots.rules.approval import WIN_APPROVAL_ABOVE


class JackpotSettings(models.Model):
    """How an operator runs jackpots. Without a row, the defaults hold."""

    operator = models.OneToOneField(
        "operators.Operator", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    win_approval_above = AmountField(
        null=True,
        blank=True,
        default=WIN_APPROVAL_ABOVE,
        help_text="Wins above it, in the base currency, wait for approval; empty: none do.",
    )

    class Meta:
        verbose_name_plural = "jackpot settings"
        constraints: ClassVar = [
            amount_check("jackpot_win_approval_above_not_negative", "win_approval_above")
        ]

    def __str__(self) -> str:
        return str(self.operator)
