"""What one player has claimed: its terms, its life, and how far its rollover is."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django_fsm import FSMField, transition

from core.fsm import LifecycleModel
from core.models import AmountField, amount_check, append_only, new_id
from core.money import AMOUNT_LIMIT, RATE_DECIMALS
from core.querysets import OperatorQuerySet
from promos.enums import CLOSED_STATUSES, OPEN_STATUSES, PromoType, UserPromoStatus
from promos.models.batch import PromoBatchCode
from promos.models.promo import MultiplierField, Promo, PromoGame
from promos.rules import CODE_LENGTH_MAX

BET_REF_LENGTH_MAX = 128

_MOVES: list[tuple[str, str]] = [
    (UserPromoStatus.CLAIMED, UserPromoStatus.ACTIVE),
    (UserPromoStatus.CLAIMED, UserPromoStatus.CANCELLED),
    (UserPromoStatus.CLAIMED, UserPromoStatus.EXPIRED),
    (UserPromoStatus.ACTIVE, UserPromoStatus.COMPLETED),
    (UserPromoStatus.ACTIVE, UserPromoStatus.CANCELLED),
    (UserPromoStatus.ACTIVE, UserPromoStatus.EXPIRED),
]

# The records are the truth; the column is their sum because nothing else moves it. A claim
# that is not active is not found here, and then the record cannot be written either.
_ADVANCE = """
    UPDATE promos_userpromo SET wagered_usd_amount = wagered_usd_amount + NEW.usd_amount
    WHERE id = NEW.user_promo_id AND status = 'ACTIVE';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'user promo % is not active', NEW.user_promo_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class UserPromoQuerySet(OperatorQuerySet["UserPromo"]):
    def open(self) -> Self:
        """Claims that have not ended."""
        return self.filter(status__in=OPEN_STATUSES)

    def due(self, *, now: datetime) -> Self:
        """Open claims whose time is up but that nobody has expired yet."""
        return self.open().filter(due_at__lte=now)


class UserPromo(LifecycleModel):
    """
    One player's claim of a promo, with the promo's terms as they were.

    CLAIMED ─activate→ ACTIVE ─complete→ COMPLETED
       ├─────cancel──────┴─────cancel──→ CANCELLED
       └─────expire──────┴─────expire──→ EXPIRED

    An instant promo's claim is born COMPLETED. ``due_at`` is when an open claim expires: the
    end of the activation window, and from the activation on the deadline of the rollover.
    Amounts without ``usd`` in their name are in ``bonus_currency``, the player's own.

    Invariants, each one a constraint or a trigger below:
    - a player claims a promo once, and has one open claim at most;
    - every state has its instants and amounts; nothing of an ended claim changes;
    - a rollover that is complete has reached its target;
    - what was taken back and what could not be are the bonus, or a custom amount.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    promo = models.ForeignKey(Promo, on_delete=models.PROTECT, related_name="user_promos")
    player = models.ForeignKey("players.Player", on_delete=models.PROTECT, related_name="+")
    batch_code = models.OneToOneField(
        PromoBatchCode,
        on_delete=models.PROTECT,
        related_name="user_promo",
        null=True,
        blank=True,
        help_text="The single-use code that was claimed, if it was one.",
    )
    code = models.CharField(max_length=CODE_LENGTH_MAX, help_text="As it was claimed.")
    status = FSMField(
        choices=UserPromoStatus.choices, default=UserPromoStatus.CLAIMED, protected=True
    )

    # The terms, copied at the claim.
    promo_type = models.CharField(max_length=8, choices=PromoType.choices)
    bonus_multiplier = MultiplierField(null=True, blank=True)
    max_bonus_usd_amount = AmountField(null=True, blank=True)
    min_deposit_usd_to_activate = AmountField(null=True, blank=True)
    wager_multiplier_to_complete = MultiplierField(null=True, blank=True)
    wager_usd_amount_to_complete = AmountField(null=True, blank=True)
    time_seconds_to_complete = models.PositiveIntegerField(null=True, blank=True)
    lock_withdraw_on_claim_hours = models.PositiveIntegerField(null=True, blank=True)
    games_version = models.PositiveIntegerField()
    restrict_bets_while_claimed = models.BooleanField()

    # What was given, and at what rate.
    bonus_amount = AmountField(null=True, blank=True, help_text="Null: nothing given yet.")
    bonus_currency = models.CharField(max_length=8, help_text="The player's wallet currency.")
    rate = models.DecimalField(
        max_digits=38,
        decimal_places=RATE_DECIMALS,
        null=True,
        blank=True,
        help_text="Units of the bonus currency for one of the promo's; null: the same.",
    )
    rate_at = models.DateTimeField(null=True, blank=True)

    # The rollover, from the activation on.
    bonus_usd_amount = AmountField(null=True, blank=True)
    target_usd_amount = AmountField(null=True, blank=True)
    target_multiplier = MultiplierField(null=True, blank=True, help_text="For show.")
    wagered_usd_amount = AmountField(default=Decimal(0))

    clawback_amount = AmountField(null=True, blank=True, help_text="Taken back at the end.")
    clawback_shortfall = AmountField(null=True, blank=True, help_text="Due, but not there.")
    claimed_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(UserPromoQuerySet)()

    #: What the games list says of the games asked for so far; filled by selectors.
    known_games: dict[int, PromoGame | None]

    class Meta:
        verbose_name = "user promo"
        constraints: ClassVar = [
            models.UniqueConstraint(name="user_promo_claimed_once", fields=["promo", "player"]),
            models.UniqueConstraint(
                name="user_promo_one_open_per_player",
                fields=["player"],
                condition=Q(status__in=OPEN_STATUSES),
            ),
            models.CheckConstraint(
                name="user_promo_state_has_its_instants",
                condition=Q(
                    status=UserPromoStatus.CLAIMED,
                    due_at__isnull=False,
                    activated_at=None,
                    completed_at=None,
                    cancelled_at=None,
                    expired_at=None,
                )
                | Q(
                    status=UserPromoStatus.ACTIVE,
                    due_at__isnull=False,
                    activated_at__isnull=False,
                    completed_at=None,
                    cancelled_at=None,
                    expired_at=None,
                )
                | Q(
                    status=UserPromoStatus.COMPLETED,
                    completed_at__isnull=False,
                    cancelled_at=None,
                    expired_at=None,
                )
                | Q(
                    status=UserPromoStatus.CANCELLED,
                    completed_at=None,
                    cancelled_at__isnull=False,
                    expired_at=None,
                )
                | Q(
                    status=UserPromoStatus.EXPIRED,
                    completed_at=None,
                    cancelled_at=None,
                    expired_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="user_promo_rollover_iff_activated",
                condition=Q(
                    activated_at=None,
                    bonus_usd_amount=None,
                    target_usd_amount=None,
                    target_multiplier=None,
                    wagered_usd_amount=0,
                )
                | Q(
                    activated_at__isnull=False,
                    bonus_amount__isnull=False,
                    bonus_usd_amount__isnull=False,
                    target_usd_amount__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="user_promo_given_or_not",
                condition=Q(status=UserPromoStatus.CLAIMED, bonus_amount=None)
                | Q(
                    status__in=[UserPromoStatus.ACTIVE, UserPromoStatus.COMPLETED],
                    bonus_amount__isnull=False,
                )
                | Q(status__in=[UserPromoStatus.CANCELLED, UserPromoStatus.EXPIRED]),
            ),
            models.CheckConstraint(
                name="user_promo_complete_has_reached_its_target",
                condition=~Q(status=UserPromoStatus.COMPLETED)
                | Q(target_usd_amount=None)
                | Q(wagered_usd_amount__gte=F("target_usd_amount")),
            ),
            models.CheckConstraint(
                name="user_promo_clawback_iff_cancelled_or_expired",
                condition=Q(
                    status__in=[
                        UserPromoStatus.CLAIMED,
                        UserPromoStatus.ACTIVE,
                        UserPromoStatus.COMPLETED,
                    ],
                    clawback_amount=None,
                    clawback_shortfall=None,
                )
                | Q(
                    status__in=[UserPromoStatus.CANCELLED, UserPromoStatus.EXPIRED],
                    clawback_amount__isnull=False,
                    clawback_shortfall__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="user_promo_converted_wholly_or_not",
                condition=Q(rate=None, rate_at=None) | Q(rate__isnull=False, rate_at__isnull=False),
            ),
            amount_check("user_promo_bonus_multiplier_is_number", "bonus_multiplier"),
            amount_check("user_promo_max_bonus_is_number", "max_bonus_usd_amount"),
            amount_check("user_promo_min_deposit_is_number", "min_deposit_usd_to_activate"),
            amount_check("user_promo_wager_multiplier_is_number", "wager_multiplier_to_complete"),
            amount_check("user_promo_wager_is_number", "wager_usd_amount_to_complete"),
            amount_check("user_promo_bonus_is_number", "bonus_amount"),
            amount_check("user_promo_bonus_usd_is_number", "bonus_usd_amount"),
            amount_check("user_promo_target_is_number", "target_usd_amount"),
            amount_check("user_promo_target_multiplier_is_number", "target_multiplier"),
            amount_check("user_promo_wagered_is_number", "wagered_usd_amount"),
            amount_check("user_promo_clawback_is_number", "clawback_amount"),
            amount_check("user_promo_shortfall_is_number", "clawback_shortfall"),
            amount_check("user_promo_rate_is_number", "rate", above_zero=True),
        ]
        indexes: ClassVar = [
            models.Index(
                name="user_promo_due", fields=["due_at"], condition=Q(status__in=OPEN_STATUSES)
            ),
            models.Index(name="user_promo_newest_first", fields=["operator", "-id"]),
            models.Index(name="user_promo_of_player", fields=["player", "-id"]),
            # When money moved: what the cost of a period is read by.
            models.Index(
                Coalesce("activated_at", "completed_at"),
                name="user_promo_paid",
                condition=Q(bonus_amount__gt=0),
            ),
            models.Index(
                Coalesce("cancelled_at", "expired_at"),
                name="user_promo_taken_back",
                condition=Q(clawback_amount__gt=0),
            ),
            models.Index(name="user_promo_by_claim", fields=["operator", "claimed_at"]),
        ]
        permissions: ClassVar = [
            ("cancel_userpromo", "Can cancel a player's claim"),
            ("claw_back_userpromo", "Can take back another amount than the rule takes"),
            ("approve_clawback", "Can approve or reject a custom clawback above the limit"),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(name="user_promo_moves_forward_only", field="status", transitions=_MOVES),
            pgtrigger.Protect(
                name="user_promo_ended_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status__in=CLOSED_STATUSES),
            ),
            pgtrigger.Protect(name="user_promo_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.code} of {self.player}"

    # Properties

    @property
    def is_open(self) -> bool:
        """Tell whether the claim has not ended."""
        return self.status in OPEN_STATUSES

    @property
    def is_active(self) -> bool:
        """Tell whether the bonus is given and being rolled over."""
        return bool(self.status == UserPromoStatus.ACTIVE)

    @property
    def is_wagered(self) -> bool:
        """Tell whether the target is reached."""
        target: Decimal | None = self.target_usd_amount
        return target is not None and bool(self.wagered_usd_amount >= target)

    def is_overdue(self, *, now: datetime) -> bool:
        """Tell whether the claim is open although its time is up."""
        due_at: datetime | None = self.due_at
        return self.is_open and due_at is not None and due_at <= now

    # Transitions: which moves exist. Whether one is allowed now is for promos.services to
    # say; nothing else calls these.

    @transition(field=status, source=UserPromoStatus.CLAIMED, target=UserPromoStatus.ACTIVE)
    def activate(self, *, now: datetime) -> None:
        """Start the rollover: the bonus is given."""
        self.activated_at = now

    @transition(field=status, source=UserPromoStatus.ACTIVE, target=UserPromoStatus.COMPLETED)
    def complete(self, *, now: datetime) -> None:
        """End well: the target is reached, and the bonus is the player's."""
        assert self.is_wagered, f"{self} at {self.wagered_usd_amount}/{self.target_usd_amount}"
        self.completed_at = now

    @transition(field=status, source=list(OPEN_STATUSES), target=UserPromoStatus.CANCELLED)
    def cancel(self, *, now: datetime) -> None:
        """End because somebody gave it up, or the first deposit was too small."""
        self.cancelled_at = now

    @transition(field=status, source=list(OPEN_STATUSES), target=UserPromoStatus.EXPIRED)
    def expire(self, *, now: datetime) -> None:
        """End because the time is up."""
        self.expired_at = now


class WagerRecord(models.Model):
    """
    What one bet added to a rollover, or what its rollback took back (below zero).

    Append-only. Writing one moves the claim's ``wagered_usd_amount`` (trigger), and is
    refused unless the claim is active.
    """

    user_promo = models.ForeignKey(
        UserPromo, on_delete=models.PROTECT, related_name="wager_records", db_index=False
    )
    bet_ref = models.CharField(max_length=BET_REF_LENGTH_MAX)
    usd_amount = AmountField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "wager record"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="wager_record_advances_once",
                fields=["user_promo", "bet_ref"],
                condition=Q(usd_amount__gt=0),
            ),
            models.UniqueConstraint(
                name="wager_record_taken_back_once",
                fields=["user_promo", "bet_ref"],
                condition=Q(usd_amount__lt=0),
            ),
            models.CheckConstraint(
                name="wager_record_moves_something",
                condition=~Q(usd_amount=0)
                & Q(usd_amount__gt=-AMOUNT_LIMIT, usd_amount__lt=AMOUNT_LIMIT),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="wager_records_of_claim", fields=["user_promo", "id"])
        ]
        triggers: ClassVar = [
            append_only("wager_record_is_append_only"),
            pgtrigger.Trigger(
                name="wager_record_advances_its_claim",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func=_ADVANCE,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.usd_amount} by {self.bet_ref}"
