"""Who plays, what is known of them, and groups of them."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.models import AmountField, amount_check, new_id
from core.querysets import OperatorQuerySet
from players.rules import REFERENCE_LENGTH_MAX, can_be_reference, canonical_reference

AFFILIATE_CODE_LENGTH_MAX = 64
TAG_LENGTH_MAX = 40
TAGS_MAX = 50


class PlayerQuerySet(OperatorQuerySet["Player"]):
    def with_reference(self, reference: str) -> Self:
        """The player with that id, in whichever Unicode form it is written; or nobody."""
        canonical = canonical_reference(reference)
        # What cannot be stored cannot be asked for either: the database refuses a NUL.
        return self.filter(reference=canonical) if can_be_reference(canonical) else self.none()


class Player(models.Model):
    """
    A person who plays at one operator, known by the operator's own id.

    Invariants, each one a constraint below:
    - an operator has one player of a reference;
    - the totals are numbers from 0.

    The totals are US dollars at the rate of each event's own instant. They and
    ``deposit_count`` count settled deposits and bets, and only their services change them.
    """

    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(
        "player id", max_length=REFERENCE_LENGTH_MAX, help_text="The operator's own id, NFC."
    )
    currency = models.CharField(max_length=8, help_text="The one currency of the wallet.")
    country = models.CharField(
        max_length=2, blank=True, help_text="ISO 3166 alpha-2; empty when it is not known."
    )
    kyc_level = models.PositiveIntegerField("KYC level", default=0)
    vip_level = models.PositiveIntegerField("VIP level", default=0)
    affiliate_code = models.CharField(max_length=AFFILIATE_CODE_LENGTH_MAX, blank=True)
    tags = ArrayField(models.CharField(max_length=TAG_LENGTH_MAX), default=list, blank=True)
    is_blocked = models.BooleanField("blocked", default=False)
    self_excluded_until = models.DateTimeField(null=True, blank=True, help_text="Exclusive.")
    total_deposit_usd = AmountField(verbose_name="total deposits, USD", default=Decimal(0))
    total_wager_usd = AmountField(verbose_name="total wagers, USD", default=Decimal(0))
    deposit_count = models.PositiveIntegerField("deposits", default=0)
    currency_locked_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When money was first promised or moved; the currency is fixed from then on.",
    )
    created_at = models.DateTimeField()

    objects = models.Manager.from_queryset(PlayerQuerySet)()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="player_reference_is_unique", fields=["operator", "reference"]
            ),
            models.CheckConstraint(name="player_has_reference", condition=~Q(reference="")),
            amount_check("player_total_deposit_is_number", "total_deposit_usd"),
            amount_check("player_total_wager_is_number", "total_wager_usd"),
        ]
        indexes: ClassVar = [models.Index(name="player_newest_first", fields=["operator", "-id"])]

    def __str__(self) -> str:
        return self.reference

    def is_self_excluded(self, *, now: datetime) -> bool:
        """Tell whether the player has excluded themselves for the instant ``now``."""
        return self.self_excluded_until is not None and now < self.self_excluded_until


class SegmentQuerySet(OperatorQuerySet["Segment"]):
    """Segments of players."""


class Segment(models.Model):
    """
    A named group of players: the players listed in it, or all who match its rules.

    ``rules`` is null for a listed segment. With rules, who belongs is decided anew each time
    it is asked; amounts in them are decimal strings. No rule at all matches every player.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    rules = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = models.Manager.from_queryset(SegmentQuerySet)()

    class Meta:
        indexes: ClassVar = [models.Index(name="segment_newest_first", fields=["operator", "-id"])]

    def __str__(self) -> str:
        return self.name

    @property
    def is_listed(self) -> bool:
        """Tell whether the members are listed, not chosen by rules."""
        return self.rules is None


class SegmentMember(models.Model):
    """A player's place in a listed segment."""

    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="members")
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="segment_lists_a_player_once", fields=["segment", "player"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.player_id} in {self.segment_id}"
