"""The intent to give a player a bonus, from before the platform is asked until it is settled."""

from datetime import datetime
from typing import ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from bonuses.enums import CLOSED_ISSUANCE_STATUSES, OPEN_ISSUANCE_STATUSES, IssuanceStatus
from bonuses.models.template import BonusTemplate
from bonuses.rules.terms import Terms
from core.actors import ActorKind
from core.fsm import LifecycleModel
from core.models import AmountField, amount_check, new_id
from core.querysets import OperatorQuerySet

DETAIL_LENGTH_MAX = 500
CODE_LENGTH_MAX = 100
REF_LENGTH_MAX = 200

# Every column but the answer, which is remembered after the issuance is settled.
_SETTLED = (
    "operator_id",
    "template_id",
    "player_id",
    "grant_id",
    "status",
    "adapter_slug",
    "is_internal",
    "idempotency_key",
    "deposit_amount",
    "terms",
    "granted_by_kind",
    "granted_by_ref",
    "references",
    "actor_kind",
    "actor_ref",
    "attempts",
    "next_attempt_at",
    "leased_until",
    "error_code",
    "error_detail",
    "created_at",
    "settled_at",
)


class BonusIssuanceQuerySet(OperatorQuerySet["BonusIssuance"]):
    def open(self) -> Self:
        """Issuances that have not been settled: they count against a template's limit."""
        return self.filter(status__in=OPEN_ISSUANCE_STATUSES)

    def awaiting_deposit(self) -> Self:
        """Offers that the player's next qualifying deposit issues."""
        return self.filter(status=IssuanceStatus.AWAITING_DEPOSIT)

    def due(self, *, now: datetime) -> Self:
        """Pending issuances to try (again) now, that no attempt is under way for."""
        return self.filter(status=IssuanceStatus.PENDING, next_attempt_at__lte=now).filter(
            Q(leased_until=None) | Q(leased_until__lte=now)
        )


class BonusIssuance(LifecycleModel):
    """
    One bonus being issued: written before the platform is asked, with the grant's id.

    AWAITING_DEPOSIT ─arm→ PENDING ─succeed→ SUCCEEDED   (there is a grant)
            │                 ├─────reject→  REJECTED    (the platform refused)
            └──────give_up────┴─────give_up→ FAILED      (nobody tries any more)

    ``grant_id`` is the id that the grant will have, and the platform's idempotency key: a
    retry can never grant twice. ``terms`` are the grant's, worked out and locked when the
    deposit is known (bonuses.rules.Terms as JSON, money as strings); every attempt sends the
    same. ``leased_until`` says that an attempt is under way, and when it is to be thought dead.

    Invariants, each one a constraint or a trigger below:
    - a grant's id belongs to one issuance, and an idempotency key to one that the platform
      has not rejected;
    - whoever is pending or has succeeded has terms, whoever waits for a deposit has none;
    - nothing of a settled issuance changes but the answer that is remembered once.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    template = models.ForeignKey(BonusTemplate, on_delete=models.PROTECT, related_name="issuances")
    player = models.ForeignKey("players.Player", on_delete=models.PROTECT, related_name="+")
    grant_id = models.UUIDField(unique=True, default=new_id, editable=False)
    status = FSMField(
        choices=IssuanceStatus.choices, default=IssuanceStatus.PENDING, protected=True
    )
    adapter_slug = models.CharField(max_length=64)
    is_internal = models.BooleanField(help_text="There is no platform but ourselves.")
    # Null, not empty: only real keys are unique.
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    deposit_amount = AmountField(null=True, blank=True)
    terms = models.JSONField(null=True, blank=True)
    granted_by_kind = models.CharField(max_length=32, blank=True)
    granted_by_ref = models.CharField(max_length=REF_LENGTH_MAX, blank=True)
    references = models.JSONField(default=dict, blank=True)
    actor_kind = models.CharField(max_length=16, choices=ActorKind.choices)
    actor_ref = models.CharField(max_length=REF_LENGTH_MAX)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(
        max_length=CODE_LENGTH_MAX, blank=True, help_text="The platform's, or ours."
    )
    error_detail = models.CharField(max_length=DETAIL_LENGTH_MAX, blank=True)
    answer = models.TextField(blank=True, help_text="What the caller heard, for replays.")
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(BonusIssuanceQuerySet)()

    class Meta:
        verbose_name = "bonus issuance"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="bonus_issuance_key_issues_once",
                fields=["operator", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False) & ~Q(status=IssuanceStatus.REJECTED),
            ),
            models.CheckConstraint(
                name="bonus_issuance_state_has_its_columns",
                condition=Q(
                    status=IssuanceStatus.AWAITING_DEPOSIT,
                    terms=None,
                    next_attempt_at=None,
                    settled_at=None,
                )
                | Q(
                    status=IssuanceStatus.PENDING,
                    terms__isnull=False,
                    next_attempt_at__isnull=False,
                    settled_at=None,
                )
                | Q(
                    status__in=[IssuanceStatus.SUCCEEDED, IssuanceStatus.REJECTED],
                    terms__isnull=False,
                    settled_at__isnull=False,
                )
                | Q(status=IssuanceStatus.FAILED, settled_at__isnull=False),
            ),
            amount_check("bonus_issuance_deposit_is_number", "deposit_amount"),
        ]
        indexes: ClassVar = [
            models.Index(
                name="bonus_issuance_due",
                fields=["next_attempt_at"],
                condition=Q(status=IssuanceStatus.PENDING),
            ),
            models.Index(
                name="bonus_issuance_open_of_player",
                fields=["player", "template"],
                condition=Q(status__in=OPEN_ISSUANCE_STATUSES),
            ),
            models.Index(name="bonus_issuance_newest_first", fields=["operator", "-id"]),
        ]
        permissions: ClassVar = [
            ("retry_bonusissuance", "Can retry an issuance now"),
            ("give_up_bonusissuance", "Can give an issuance up"),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="bonus_issuance_moves_forward_only",
                field="status",
                transitions=[
                    (IssuanceStatus.AWAITING_DEPOSIT, IssuanceStatus.PENDING),
                    (IssuanceStatus.AWAITING_DEPOSIT, IssuanceStatus.FAILED),
                    (IssuanceStatus.PENDING, IssuanceStatus.SUCCEEDED),
                    (IssuanceStatus.PENDING, IssuanceStatus.REJECTED),
                    (IssuanceStatus.PENDING, IssuanceStatus.FAILED),
                ],
            ),
            pgtrigger.Protect(
                name="bonus_issuance_settled_is_final",
                operation=pgtrigger.UpdateOf(*_SETTLED),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__status__in=CLOSED_ISSUANCE_STATUSES),
            ),
            pgtrigger.Protect(
                name="bonus_issuance_answers_once",
                operation=pgtrigger.UpdateOf("answer"),  # type: ignore[no-untyped-call]
                condition=~pgtrigger.Q(old__answer=""),
            ),
            pgtrigger.Protect(name="bonus_issuance_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"issuance {self.pk}"

    # Properties

    @property
    def is_pending(self) -> bool:
        """Tell whether the platform is still to be asked, or to be asked again."""
        return bool(self.status == IssuanceStatus.PENDING)

    @property
    def is_open(self) -> bool:
        """Tell whether the issuance has not been settled."""
        return self.status in OPEN_ISSUANCE_STATUSES

    def is_leased(self, *, now: datetime) -> bool:
        """Tell whether an attempt is under way."""
        return self.leased_until is not None and now < self.leased_until

    def is_due(self, *, now: datetime) -> bool:
        """Tell whether the platform is to be asked (again) now."""
        return self.is_pending and self.next_attempt_at is not None and self.next_attempt_at <= now

    def locked_terms(self) -> Terms:
        """Return the terms that the grant has, or will have; an offer has none yet."""
        assert self.terms is not None, f"{self} has no terms yet"
        return Terms.from_json(self.terms)

    # Transitions: which moves exist. Whether one is allowed now is for
    # bonuses.services.issuing to say; nothing else calls these.

    @transition(field=status, source=IssuanceStatus.AWAITING_DEPOSIT, target=IssuanceStatus.PENDING)
    def arm(self, *, now: datetime) -> None:
        """Go ahead: the deposit is there."""
        self.next_attempt_at = now

    @transition(field=status, source=IssuanceStatus.PENDING, target=IssuanceStatus.SUCCEEDED)
    def succeed(self, *, now: datetime) -> None:
        """End well: there is a grant."""
        self.settled_at = now
        self.leased_until = None

    @transition(field=status, source=IssuanceStatus.PENDING, target=IssuanceStatus.REJECTED)
    def reject(self, *, now: datetime) -> None:
        """End because the platform refused."""
        self.settled_at = now
        self.leased_until = None

    @transition(field=status, source=list(OPEN_ISSUANCE_STATUSES), target=IssuanceStatus.FAILED)
    def give_up(self, *, now: datetime) -> None:
        """End because nobody tries any more, or nobody waits for a deposit any more."""
        self.settled_at = now
        self.leased_until = None
