"""What an operator gives: a bonus's type and terms."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from bonuses.enums import DEPOSIT_TYPES, BonusType, WageringBasis
from core.models import AmountField, amount_check, new_id
from core.querysets import OperatorQuerySet

NAME_LENGTH_MAX = 120


class BonusTemplateQuerySet(OperatorQuerySet["BonusTemplate"]):
    def active(self) -> Self:
        """Templates that bonuses may be issued from."""
        return self.filter(is_active=True)


class BonusTemplate(models.Model):
    """
    A kind of bonus, and the terms that its grants will have.

    ``config`` holds what the type needs (seed: required config), money in it as decimal
    strings in ``currency``, which ``config`` names too. ``max_bet`` and ``max_win_cap`` are
    in that currency. ``game_contribution`` says what percentage of a stake counts: by game
    (``games``), else by category, else ``default``, else 0.

    Terms are copied onto a grant when it is issued, so a change here is for later ones.

    Invariants, each one a constraint below:
    - the wagering basis counts a deposit only where there is one;
    - every number of the terms is one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=NAME_LENGTH_MAX)
    type = models.CharField(max_length=16, choices=BonusType.choices)
    config = models.JSONField()
    currency = models.CharField(max_length=8, help_text="Of the amounts of these terms.")
    wagering_multiplier = AmountField(help_text="0: nothing has to be wagered.")
    wagering_basis = models.CharField(
        max_length=20, choices=WageringBasis.choices, default=WageringBasis.BONUS
    )
    game_contribution = models.JSONField(default=dict)
    max_bet = AmountField(null=True, blank=True, help_text="A stake above it forfeits.")
    max_win_cap = AmountField(null=True, blank=True, help_text="The most winnings released.")
    time_limit_hours = models.PositiveIntegerField(null=True, blank=True)
    max_grants_per_player = models.PositiveIntegerField(null=True, blank=True)
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField()

    objects = models.Manager.from_queryset(BonusTemplateQuerySet)()

    class Meta:
        verbose_name = "bonus template"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="bonus_template_counts_a_deposit_only_with_one",
                condition=Q(wagering_basis=WageringBasis.BONUS) | Q(type__in=DEPOSIT_TYPES),
            ),
            amount_check("bonus_template_multiplier_is_number", "wagering_multiplier"),
            amount_check("bonus_template_max_bet_is_number", "max_bet"),
            amount_check("bonus_template_max_win_cap_is_number", "max_win_cap"),
        ]
        indexes: ClassVar = [
            models.Index(name="bonus_template_newest_first", fields=["operator", "-id"])
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def needs_deposit(self) -> bool:
        """Tell whether the bonus matches a deposit."""
        return self.type in DEPOSIT_TYPES
