"""One player's bonus: its terms, its life, and how far its wagering is."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django_fsm import FSMField, transition

from bonuses.enums import CLOSED_GRANT_STATUSES, BonusType, GrantStatus, WageringBasis
from bonuses.models.issuance import BonusIssuance
from bonuses.models.template import BonusTemplate
from core.fsm import LifecycleModel
from core.models import AmountField, amount_check, new_id
from core.money import RATE_DECIMALS
from core.querysets import OperatorQuerySet

REASON_LENGTH_MAX = 500
PLATFORM_ID_LENGTH_MAX = 200


def _rate_field(**kwargs: object) -> models.DecimalField:  # type: ignore[type-arg]
    return models.DecimalField(max_digits=38, decimal_places=RATE_DECIMALS, **kwargs)  # type: ignore[arg-type]


class BonusGrantQuerySet(OperatorQuerySet["BonusGrant"]):
    def active(self) -> Self:
        """Grants that have not ended."""
        return self.filter(status=GrantStatus.ACTIVE)

    def internal(self) -> Self:
        """Grants whose money our own ledger holds."""
        return self.filter(is_internal=True)

    def due(self, *, now: datetime) -> Self:
        """Our own active grants whose time is up but that nobody has expired yet."""
        return self.active().internal().filter(expires_at__lte=now)


class BonusGrant(LifecycleModel):
    """
    One player's bonus, with the template's terms as they were when it was issued.

            ┌─complete→ COMPLETED   the requirement is wagered: bonus and winnings released
    ACTIVE ─┼─forfeit─→ FORFEITED   a stake above max_bet, or somebody decided so
            ├─expire──→ EXPIRED     the time limit passed
            └─cancel──→ CANCELLED   by staff, an integrator, or the platform

    Amounts are in ``bonus_currency``, the player's wallet currency at the issue, but for
    ``bonus_amount_base``, which is in ``base_currency_code``: bonus_amount × fx_rate_locked,
    rounded half-even to that currency's decimals, at the rate of ``fx_locked_at``.
    ``original_amount`` is the bonus in the template's currency, and ``rate`` the units of
    the bonus currency for one of it; null where they are the same.

    ``released_amount`` is what completing it moved to the player's main balance: bonus plus
    winnings, these capped by ``max_win_cap``; ``excess_amount`` is what the cap held back.
    Both are null where a platform holds the money.

    Invariants, each one a constraint or a trigger below:
    - every state has its instants, and nothing of an ended grant changes;
    - progress is the sum of its wager events, and our own completed grants have reached the
      requirement;
    - a platform's bonus id names one grant of an adapter.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    template = models.ForeignKey(BonusTemplate, on_delete=models.PROTECT, related_name="grants")
    player = models.ForeignKey("players.Player", on_delete=models.PROTECT, related_name="+")
    issuance = models.OneToOneField(BonusIssuance, on_delete=models.PROTECT, related_name="grant")
    status = FSMField(choices=GrantStatus.choices, default=GrantStatus.ACTIVE, protected=True)
    adapter_slug = models.CharField(max_length=64)
    is_internal = models.BooleanField(help_text="Our own ledger holds the money.")
    platform_bonus_id = models.CharField(max_length=PLATFORM_ID_LENGTH_MAX)

    # The terms, copied at the issue.
    type = models.CharField(max_length=16, choices=BonusType.choices)
    wagering_multiplier = AmountField()
    wagering_basis = models.CharField(max_length=20, choices=WageringBasis.choices)
    game_contribution = models.JSONField()
    eligible_games = models.JSONField(
        null=True, blank=True, help_text="Games its money may be bet on; null: all."
    )
    max_bet = AmountField(null=True, blank=True)
    max_win_cap = AmountField(null=True, blank=True)

    # What was given, and at what rates.
    bonus_amount = AmountField()
    bonus_currency = models.CharField(max_length=8)
    deposit_amount = AmountField(null=True, blank=True)
    original_amount = AmountField(null=True, blank=True)
    original_currency = models.CharField(max_length=8, null=True, blank=True)  # noqa: DJ001
    rate = _rate_field(null=True, blank=True)
    bonus_amount_base = AmountField()
    base_currency_code = models.CharField(max_length=8)
    fx_rate_locked = _rate_field()
    fx_locked_at = models.DateTimeField()
    loss_from = models.DateTimeField(
        null=True, blank=True, help_text="Cashback: losses from here, inclusive, are paid back."
    )
    loss_until = models.DateTimeField(null=True, blank=True, help_text="Cashback. Exclusive.")

    # The wagering.
    wagering_required = AmountField()
    wagering_progress = AmountField(default=Decimal(0))
    total_wagered = AmountField(default=Decimal(0))

    released_amount = AmountField(null=True, blank=True)
    excess_amount = AmountField(null=True, blank=True)
    outcome_reason = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    references = models.JSONField(default=dict, blank=True)
    granted_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    forfeited_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    reconciled_at = models.DateTimeField(
        null=True, blank=True, help_text="When the platform was last asked about it."
    )

    objects = models.Manager.from_queryset(BonusGrantQuerySet)()

    class Meta:
        verbose_name = "bonus grant"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="bonus_grant_platform_id_is_unique",
                fields=["adapter_slug", "platform_bonus_id"],
            ),
            models.CheckConstraint(
                name="bonus_grant_state_has_its_instants",
                condition=Q(
                    status=GrantStatus.ACTIVE,
                    completed_at=None,
                    forfeited_at=None,
                    expired_at=None,
                    cancelled_at=None,
                )
                | Q(
                    status=GrantStatus.COMPLETED,
                    completed_at__isnull=False,
                    forfeited_at=None,
                    expired_at=None,
                    cancelled_at=None,
                )
                | Q(
                    status=GrantStatus.FORFEITED,
                    completed_at=None,
                    forfeited_at__isnull=False,
                    expired_at=None,
                    cancelled_at=None,
                )
                | Q(
                    status=GrantStatus.EXPIRED,
                    completed_at=None,
                    forfeited_at=None,
                    expired_at__isnull=False,
                    cancelled_at=None,
                )
                | Q(
                    status=GrantStatus.CANCELLED,
                    completed_at=None,
                    forfeited_at=None,
                    expired_at=None,
                    cancelled_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="bonus_grant_completed_has_wagered_its_requirement",
                condition=Q(is_internal=False)
                | ~Q(status=GrantStatus.COMPLETED)
                | Q(wagering_progress__gte=F("wagering_required")),
            ),
            models.CheckConstraint(
                name="bonus_grant_released_iff_completed_here",
                condition=Q(
                    is_internal=True,
                    status=GrantStatus.COMPLETED,
                    released_amount__isnull=False,
                    excess_amount__isnull=False,
                )
                | Q(is_internal=False, released_amount=None, excess_amount=None)
                | (
                    Q(is_internal=True, released_amount=None, excess_amount=None)
                    & ~Q(status=GrantStatus.COMPLETED)
                ),
            ),
            models.CheckConstraint(
                name="bonus_grant_converted_wholly_or_not",
                condition=Q(original_amount=None, original_currency=None, rate=None)
                | Q(
                    original_amount__isnull=False,
                    original_currency__isnull=False,
                    rate__isnull=False,
                ),
            ),
            amount_check("bonus_grant_multiplier_is_number", "wagering_multiplier"),
            amount_check("bonus_grant_max_bet_is_number", "max_bet"),
            amount_check("bonus_grant_max_win_cap_is_number", "max_win_cap"),
            amount_check("bonus_grant_bonus_is_positive_number", "bonus_amount", above_zero=True),
            amount_check("bonus_grant_deposit_is_number", "deposit_amount"),
            amount_check("bonus_grant_original_is_number", "original_amount"),
            amount_check("bonus_grant_rate_is_number", "rate", above_zero=True),
            amount_check("bonus_grant_base_is_number", "bonus_amount_base"),
            amount_check("bonus_grant_fx_rate_is_number", "fx_rate_locked", above_zero=True),
            amount_check("bonus_grant_required_is_number", "wagering_required"),
            amount_check("bonus_grant_progress_is_number", "wagering_progress"),
            amount_check("bonus_grant_wagered_is_number", "total_wagered"),
            amount_check("bonus_grant_released_is_number", "released_amount"),
            amount_check("bonus_grant_excess_is_number", "excess_amount"),
        ]
        indexes: ClassVar = [
            models.Index(
                name="bonus_grant_active_of_player",
                fields=["player", "id"],
                condition=Q(status=GrantStatus.ACTIVE),
            ),
            models.Index(
                name="bonus_grant_due",
                fields=["expires_at"],
                condition=Q(status=GrantStatus.ACTIVE, is_internal=True),
            ),
            models.Index(
                name="bonus_grant_to_reconcile",
                fields=["id"],
                condition=Q(status=GrantStatus.ACTIVE, is_internal=False),
            ),
            models.Index(name="bonus_grant_newest_first", fields=["operator", "-id"]),
            models.Index(name="bonus_grant_of_template", fields=["template", "player"]),
            # The home page's sums are read off these two, and off no grant's own row. Nothing
            # in them changes while a grant is wagered.
            models.Index(
                name="bonus_grant_outstanding",
                fields=["base_currency_code", "bonus_currency"],
                include=["bonus_amount", "bonus_amount_base"],
                condition=Q(status=GrantStatus.ACTIVE),
            ),
            models.Index(
                name="bonus_grant_by_issue",
                fields=["operator", "granted_at"],
                include=["status", "base_currency_code", "bonus_amount_base"],
            ),
            models.Index(
                F("operator"),
                Coalesce("completed_at", "forfeited_at", "expired_at", "cancelled_at"),
                name="bonus_grant_by_end",
                condition=~Q(status=GrantStatus.ACTIVE),
            ),
        ]
        permissions: ClassVar = [
            ("cancel_bonusgrant", "Can cancel a grant"),
            ("forfeit_bonusgrant", "Can forfeit a grant"),
            ("issue_bonusgrant", "Can grant a bonus by hand"),
            ("approve_manual_grant", "Can approve or reject a bonus by hand above the limit"),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="bonus_grant_moves_forward_only",
                field="status",
                transitions=[(GrantStatus.ACTIVE, closed) for closed in CLOSED_GRANT_STATUSES],
            ),
            pgtrigger.Protect(
                name="bonus_grant_ended_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status__in=CLOSED_GRANT_STATUSES),
            ),
            pgtrigger.Protect(name="bonus_grant_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="bonus_grant_terms_stay",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "operator_id",
                    "template_id",
                    "player_id",
                    "issuance_id",
                    "adapter_slug",
                    "is_internal",
                    "platform_bonus_id",
                    "bonus_amount",
                    "bonus_currency",
                    "bonus_amount_base",
                    "base_currency_code",
                    "fx_rate_locked",
                    "fx_locked_at",
                    "wagering_required",
                    "max_bet",
                    "max_win_cap",
                    "granted_at",
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"grant {self.pk}"

    # Properties

    @property
    def is_active(self) -> bool:
        """Tell whether the grant has not ended."""
        return bool(self.status == GrantStatus.ACTIVE)

    @property
    def is_wagered(self) -> bool:
        """Tell whether the wagering requirement is met."""
        return bool(self.wagering_progress >= self.wagering_required)

    def is_overdue(self, *, now: datetime) -> bool:
        """Tell whether the grant is active although its time is up."""
        return self.is_active and self.expires_at is not None and self.expires_at <= now

    # Transitions: which moves exist. Whether one is allowed now is for bonuses.services to
    # say; nothing else calls these. ``at`` is by our own clock, whoever ends it: so reports
    # of days that are over do not change.

    @transition(field=status, source=GrantStatus.ACTIVE, target=GrantStatus.COMPLETED)
    def complete(self, *, at: datetime) -> None:
        """End well: what had to be wagered has been."""
        self.completed_at = at

    @transition(field=status, source=GrantStatus.ACTIVE, target=GrantStatus.FORFEITED)
    def forfeit(self, *, at: datetime, reason: str) -> None:
        """End because of a stake above the maximum, or because somebody decided so."""
        self.forfeited_at = at
        self.outcome_reason = reason[:REASON_LENGTH_MAX]

    @transition(field=status, source=GrantStatus.ACTIVE, target=GrantStatus.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        """End because the time is up."""
        self.expired_at = at

    @transition(field=status, source=GrantStatus.ACTIVE, target=GrantStatus.CANCELLED)
    def cancel(self, *, at: datetime, reason: str) -> None:
        """End because somebody took it back."""
        self.cancelled_at = at
        self.outcome_reason = reason[:REASON_LENGTH_MAX]
