"""What players' wagers added to instances: rows that are only ever inserted."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from core.models import AmountField, XidField, amount_check, append_only, new_id
from core.money import RATE_DECIMALS
from core.querysets import OperatorQuerySet
from jackpots.enums import Outcome, Role
from jackpots.models.fields import MeterField
from jackpots.models.instance import Instance


class ContributionQuerySet(OperatorQuerySet["Contribution"]):
    pass


class Contribution(models.Model):
    """
    One leg of a contribution request: what it did to one instance, or why it did nothing.

    A rollback is a row too, with the status REVERSAL: it takes back what the row that it
    ``reverses`` gave, and so has no parts of its own; the fold and the readers of meters
    subtract the parts of that row, where its cycle still runs.

    Written by the functions jackpots_accept_contribution and jackpots_contribute_batch, never
    changed (trigger). ``pot_amounts`` are the parts in the order of the instance's pots.
    ``xid`` is the transaction that wrote the row: folding and reading meters depend on
    it. The order of the ledger is (xid, number): folds follow it, whenever they run.
    ``number`` grows per player and instance, because their raffle legs are written one
    after the other.

    The foreign keys to operator, instance, source and player have no constraint in the
    database: checking them would lock those rows on the hot path (docs/adr/0003, 0009).
    Instances are never deleted (trigger). That a reversal reverses a row that there is, and
    none twice, is asked of reversals only (trigger, unique index).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.BigIntegerField()
    xid = XidField()
    operator = models.ForeignKey(
        "operators.Operator",
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    request_id = models.UUIDField()
    position = models.PositiveSmallIntegerField(help_text="0 is the main leg.")
    role = models.CharField(max_length=8, choices=Role.choices)
    instance = models.ForeignKey(
        Instance,
        on_delete=models.DO_NOTHING,
        related_name="contributions",
        db_constraint=False,
        db_index=False,
    )
    source = models.ForeignKey(
        Instance,
        on_delete=models.DO_NOTHING,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
        help_text="The instance whose link led here; null for a main leg.",
    )
    player = models.ForeignKey(
        "players.Player",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    status = models.CharField(max_length=8, choices=Outcome.choices)
    error_code = models.CharField(max_length=64, blank=True)
    base_wager = AmountField()
    base_currency = models.CharField(max_length=8)
    rate = models.DecimalField(
        max_digits=38,
        decimal_places=RATE_DECIMALS,
        help_text="Units of the instance's currency for one of the wager's.",
    )
    rate_at = models.DateTimeField(null=True, help_text="Since when; null in one currency.")
    amount = AmountField()
    currency = models.CharField(max_length=8)
    pot_amounts = ArrayField(AmountField())
    debit_amount = AmountField(null=True, help_text="Player-funded: what the player paid.")
    debit_currency = models.CharField(max_length=8, blank=True)
    accumulated = MeterField(
        null=True,
        default=None,
        help_text="Raffle: all that the player has contributed to the instance.",
    )
    tickets_earned = models.BigIntegerField(null=True)
    tickets_total = models.BigIntegerField(null=True)
    hits = ArrayField(
        models.PositiveSmallIntegerField(),
        default=list,
        db_default=[],
        help_text="Hit rate: the positions of the pots that this contribution hit.",
    )
    reverses = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        related_name="reversal",
        help_text="Of a reversal: the contribution that was rolled back.",
    )
    gameround_id = models.CharField(max_length=128, blank=True)
    metadata = models.JSONField(null=True)
    created_at = models.DateTimeField()

    objects = models.Manager.from_queryset(ContributionQuerySet)()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="contribution_legs_differ", fields=["request_id", "position"]
            ),
            amount_check("contribution_base_wager_not_negative", "base_wager"),
            amount_check("contribution_amount_not_negative", "amount"),
            amount_check("contribution_debit_not_negative", "debit_amount"),
            amount_check("contribution_rate_not_negative", "rate"),
            models.CheckConstraint(
                name="contribution_failed_iff_error",
                condition=Q(status__in=[Outcome.ACCEPTED, Outcome.REVERSAL], error_code="")
                | (Q(status=Outcome.FAILED, amount=0) & ~Q(error_code="")),
            ),
            models.CheckConstraint(
                name="contribution_reversal_reverses",
                condition=Q(status=Outcome.REVERSAL, reverses__isnull=False)
                | (~Q(status=Outcome.REVERSAL) & Q(reverses=None)),
            ),
            models.CheckConstraint(
                name="contribution_linked_iff_source",
                condition=Q(role=Role.MAIN, position=0, source=None)
                | Q(role=Role.LINKED, position__gt=0, source__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="contribution_to_fold", fields=["instance", "xid"]),
            models.Index(name="contribution_of_player", fields=["player", "instance", "number"]),
            models.Index(name="contribution_by_operator", fields=["operator", "id"]),
            models.Index(
                name="contribution_reversals",
                fields=["instance", "xid"],
                condition=Q(status=Outcome.REVERSAL),
            ),
            models.Index(
                name="contribution_rolled_back",
                fields=["operator", "reverses"],
                condition=Q(status=Outcome.REVERSAL),
            ),
            models.Index(
                name="contribution_failed",
                fields=["operator", "id"],
                condition=Q(status=Outcome.FAILED),
            ),
            # Rows come in the order of their instants: ranges of blocks say where a day lies.
            BrinIndex(name="contribution_by_time", fields=["created_at"], autosummarize=True),
        ]
        triggers: ClassVar = [append_only("contribution_is_append_only")]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency}"


class LinkTraffic(models.Model):
    """
    How often, in one hour, a link led to an acceptance or to one kind of refusal.

    Counted by the fold from the contributions' rows; ``error_code`` is empty for
    acceptances.
    """

    source = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="+")
    hour = models.DateTimeField()
    error_code = models.CharField(max_length=64, blank=True)
    count = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="link_traffic_counted_once",
                fields=["source", "target", "hour", "error_code"],
            )
        ]
        indexes: ClassVar = [
            models.Index(name="link_traffic_by_hour", fields=["source", "hour"]),
            # Without the count, so that counting on stays a cheap update.
            models.Index(name="link_traffic_failed", fields=["hour"], condition=~Q(error_code="")),
        ]

    def __str__(self) -> str:
        return f"{self.count} × {self.error_code or 'accepted'}"
