"""What can be claimed, on what terms, and on which games it is rolled over."""

from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from core.models import AmountField, amount_check, new_id
from core.querysets import OperatorQuerySet
from promos.enums import PromoType
from promos.rules import CODE_LENGTH_MAX, canonical_code, status_after_claim

ACTIVATION_WINDOW_DAYS = 30
# Folding case may make a code longer: one character becomes three at most.
CODE_KEY_LENGTH_MAX = 3 * CODE_LENGTH_MAX


class MultiplierField(models.DecimalField):  # type: ignore[type-arg]
    """A factor: what is multiplied with it stays exact until it is rounded once."""

    def __init__(self, **kwargs: object) -> None:
        kwargs.setdefault("max_digits", 28)
        kwargs.setdefault("decimal_places", 8)
        super().__init__(**kwargs)  # type: ignore[arg-type]


class PromoQuerySet(OperatorQuerySet["Promo"]):
    def with_code(self, code: str) -> Self:
        """The promo with that code, in whichever case it is written; or none."""
        return self.filter(code_key=canonical_code(code))


class Promo(models.Model):
    """
    A promo code and its terms: an instant bonus, or a match of the next deposit.

    A claim copies the terms, so changing them never changes a claim that runs. Invariants,
    each one a constraint below:
    - an operator has one promo of a code, archived ones included;
    - a promo has the fields of its type, all of them, and none of the other's;
    - what is left is never below zero, and known exactly when there is a cap.

    ``claims_cap`` is how many claims there may be altogether; ``claims_left`` is that less
    the claims there are. ``revision`` grows with every change of the terms: a claim decided
    upon one revision is refused by the database under another.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=CODE_LENGTH_MAX)
    code_key = models.CharField(
        max_length=CODE_KEY_LENGTH_MAX, editable=False, help_text="The code, case folded."
    )
    type = models.CharField(max_length=8, choices=PromoType.choices)
    title = models.CharField(max_length=200, blank=True)
    amount = AmountField(null=True, blank=True, help_text="Instant: what a claim pays.")
    currency = models.CharField(max_length=8, blank=True, help_text="Instant: of the amount.")
    bonus_multiplier = MultiplierField(
        null=True, blank=True, help_text="Deposit: 1 gives as much as was deposited."
    )
    max_bonus_usd_amount = AmountField(null=True, blank=True)
    min_deposit_usd_to_activate = AmountField(null=True, blank=True, help_text="Inclusive.")
    wager_multiplier_to_complete = MultiplierField(null=True, blank=True)
    wager_usd_amount_to_complete = AmountField(null=True, blank=True)
    time_seconds_to_complete = models.PositiveIntegerField(null=True, blank=True)
    lock_withdraw_on_claim_hours = models.PositiveIntegerField(null=True, blank=True)
    auto_vault_on_claim = models.BooleanField(default=False)
    claims_left = models.PositiveIntegerField(null=True, blank=True, help_text="Null: no cap.")
    claims_cap = models.PositiveBigIntegerField(null=True, blank=True, editable=False)
    starts_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Exclusive.")
    affiliate_code_to_claim = models.CharField(max_length=64, blank=True)
    min_kyc_level_to_claim = models.PositiveIntegerField(null=True, blank=True)
    min_vip_level_to_claim = models.PositiveIntegerField(null=True, blank=True)
    min_total_wager_usd_to_claim = AmountField(null=True, blank=True)
    min_total_deposit_usd_to_claim = AmountField(null=True, blank=True)
    only_zero_deposits_to_claim = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    revision = models.PositiveIntegerField(default=1, editable=False)
    games_version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(PromoQuerySet)()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="promo_code_is_unique", fields=["operator", "code_key"]),
            models.CheckConstraint(name="promo_has_a_code", condition=~Q(code="", code_key="")),
            models.CheckConstraint(
                name="promo_has_the_fields_of_its_type",
                condition=(
                    Q(
                        type=PromoType.INSTANT,
                        amount__isnull=False,
                        bonus_multiplier=None,
                        max_bonus_usd_amount=None,
                        min_deposit_usd_to_activate=None,
                        wager_multiplier_to_complete=None,
                        wager_usd_amount_to_complete=None,
                        time_seconds_to_complete=None,
                    )
                    & ~Q(currency="")
                )
                | Q(
                    type=PromoType.DEPOSIT,
                    amount=None,
                    currency="",
                    bonus_multiplier__isnull=False,
                    max_bonus_usd_amount__isnull=False,
                    min_deposit_usd_to_activate__isnull=False,
                    time_seconds_to_complete__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="promo_deposit_has_one_wager_condition",
                condition=Q(type=PromoType.INSTANT)
                | Q(wager_multiplier_to_complete=None, wager_usd_amount_to_complete__isnull=False)
                | Q(wager_multiplier_to_complete__isnull=False, wager_usd_amount_to_complete=None),
            ),
            models.CheckConstraint(
                name="promo_never_over_claimed",
                condition=Q(claims_left=None, claims_cap=None)
                | Q(
                    claims_left__isnull=False,
                    claims_cap__isnull=False,
                    claims_left__gte=0,
                    claims_left__lte=F("claims_cap"),
                ),
            ),
            models.CheckConstraint(
                name="promo_starts_before_it_expires",
                condition=Q(starts_at=None) | Q(expires_at=None) | Q(starts_at__lt=F("expires_at")),
            ),
            amount_check("promo_amount_is_number", "amount"),
            amount_check("promo_bonus_multiplier_is_number", "bonus_multiplier"),
            amount_check("promo_max_bonus_is_number", "max_bonus_usd_amount"),
            amount_check("promo_min_deposit_is_number", "min_deposit_usd_to_activate"),
            amount_check("promo_wager_multiplier_is_number", "wager_multiplier_to_complete"),
            amount_check("promo_wager_amount_is_number", "wager_usd_amount_to_complete"),
            amount_check("promo_min_total_wager_is_number", "min_total_wager_usd_to_claim"),
            amount_check("promo_min_total_deposit_is_number", "min_total_deposit_usd_to_claim"),
        ]
        indexes: ClassVar = [models.Index(name="promo_newest_first", fields=["operator", "-id"])]
        permissions: ClassVar = [
            ("archive_promo", "Can archive a promo"),
            ("adjust_promo_claims", "Can change how many claims of a promo are left"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def status_after_claim(self) -> str:
        """Return the status with which a claim of this promo starts."""
        return status_after_claim(
            has_activate_condition=self.min_deposit_usd_to_activate is not None,
            has_complete_condition=self.time_seconds_to_complete is not None,
        )

    @property
    def is_without_conditions(self) -> bool:
        """Tell whether a claim ends at once, so that it never stands beside another one."""
        return self.min_deposit_usd_to_activate is None and self.time_seconds_to_complete is None


class PromoGame(models.Model):
    """
    A game on a promo's list: how much a bet on it counts, and the most that may be staked.

    A list is replaced by writing a new ``version`` of it. A claim keeps the version that was
    in force when it was made, so replacing the list never changes a claim that runs.
    """

    promo = models.ForeignKey(Promo, on_delete=models.PROTECT, related_name="games")
    version = models.PositiveIntegerField()
    game = models.ForeignKey("games.Game", on_delete=models.PROTECT, related_name="+")
    wager_multiplier = MultiplierField(default=Decimal(1), help_text="0: may be bet, counts not.")
    max_bet_amount = AmountField(null=True, blank=True, help_text="USD, inclusive. Null: none.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="promo_lists_a_game_once", fields=["promo", "version", "game"]
            ),
            amount_check("promo_game_multiplier_is_number", "wager_multiplier"),
            amount_check("promo_game_max_bet_is_number", "max_bet_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.game_id} of {self.promo_id}"


class PromoSettings(models.Model):
    """How an operator runs promos. A claim copies what is in force when it is made."""

    operator = models.OneToOneField(
        "operators.Operator", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    activation_window_days = models.PositiveSmallIntegerField(
        default=ACTIVATION_WINDOW_DAYS,
        help_text="How long a claim waits for its deposit before it expires.",
    )
    restrict_bets_while_claimed = models.BooleanField(
        default=False, help_text="The games list and max bets bind before the deposit too."
    )

    class Meta:
        verbose_name_plural = "promo settings"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="promo_activation_window_of_a_day_or_more",
                condition=Q(activation_window_days__gte=1),
            )
        ]

    def __str__(self) -> str:
        return f"promo settings of {self.operator_id}"

    @property
    def activation_window(self) -> timedelta:
        """Return how long a claim waits for its deposit."""
        return timedelta(days=self.activation_window_days)
