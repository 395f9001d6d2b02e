"""The pots that an instance grows, and what comes into them besides contributions."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.models import AmountField, XidField, amount_check, append_only, new_id
from core.querysets import OperatorQuerySet
from jackpots.enums import DropType, EntryKind
from jackpots.models.fields import MeterField, meter_check
from jackpots.models.instance import Instance


class Pot(models.Model):
    """
    One level of an instance, with its meter.

    A cycle lasts from one win to the next. What it has accrued is ``opening + folded +``
    the contributions since the instance's ``folded_to``: always exact when read
    (selectors), never a column that every contribution updates. The meter is what has
    accrued, but never more than the ceiling; the rest is part of the reserve, which is
    ``reserve`` (from earlier cycles) and that excess.

    Contributions after (``cycle_from_xid``, ``cycle_from_number``) in the order of the
    ledger belong to the running cycle; earlier ones have been won. The hidden trigger of
    must_hit_by_amount is sealed; ``commitment`` is the SHA-256 that is published.

    Terms (seed, ceiling, drop) of a live pot change at its next win: ``pending_terms``
    are those that wait, as services.terms describes them.

    Invariant, checked by ``check_books``: contributions + entries (seeds, boosts ...) =
    meter + reserve + wins that were not rejected.
    """

    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="pots")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=64)
    share = models.DecimalField(max_digits=9, decimal_places=8)
    seed = AmountField(default=Decimal(0))
    ceiling = AmountField(null=True, blank=True)
    drop_type = models.CharField(max_length=24, choices=DropType.choices, default=DropType.MANUAL)
    drop_amount = AmountField(null=True, blank=True)
    drop_at = models.DateTimeField(null=True, blank=True)
    drop_anchor_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Must hit by a time: the first one, from which later ones are counted.",
    )
    drop_probability = models.DecimalField(
        max_digits=19,
        decimal_places=18,
        null=True,
        blank=True,
        help_text="Hit rate: the chance of a hit for each unit wagered.",
    )
    opening = MeterField(help_text="What the cycle began with, and boosts since.")
    folded = MeterField(help_text="Contributions of the cycle added so far.")
    reserve = MeterField(help_text="Excess of earlier cycles over the ceiling, and remainders.")
    cycle = models.PositiveIntegerField(default=1)
    cycle_from_xid = XidField(default=0)
    cycle_from_number = models.BigIntegerField(default=0)
    trigger_sealed = models.TextField(blank=True, help_text="must_hit_by_amount: the hidden value.")
    commitment = models.CharField(max_length=64, blank=True, help_text="SHA-256, in hex.")
    pending_terms = models.JSONField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["instance", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="pot_positions_differ", fields=["instance", "position"]),
            models.UniqueConstraint(name="pot_names_differ", fields=["instance", "name"]),
            models.CheckConstraint(
                name="pot_share_between_0_and_1", condition=Q(share__gte=0, share__lte=1)
            ),
            amount_check("pot_seed_not_negative", "seed"),
            amount_check("pot_ceiling_positive", "ceiling", above_zero=True),
            amount_check("pot_drop_amount_positive", "drop_amount", above_zero=True),
            meter_check("pot_opening_not_negative", "opening"),
            meter_check("pot_folded_not_negative", "folded"),
            meter_check("pot_reserve_not_negative", "reserve"),
            models.CheckConstraint(
                name="pot_trigger_has_a_commitment",
                condition=Q(trigger_sealed="", commitment="")
                | (~Q(trigger_sealed="") & ~Q(commitment="")),
            ),
            models.CheckConstraint(
                name="pot_has_the_terms_of_its_drop",
                condition=Q(
                    drop_type=DropType.MANUAL,
                    drop_amount=None,
                    drop_at=None,
                    drop_probability=None,
                )
                | Q(
                    drop_type=DropType.MUST_HIT_BY_AMOUNT,
                    drop_amount__isnull=False,
                    drop_at=None,
                    drop_probability=None,
                )
                | Q(
                    drop_type=DropType.MUST_HIT_BY_TIME,
                    drop_amount=None,
                    drop_at__isnull=False,
                    drop_probability=None,
                )
                | Q(
                    drop_type=DropType.HIT_RATE,
                    drop_amount=None,
                    drop_at=None,
                    drop_probability__isnull=False,
                    drop_probability__gt=0,
                    drop_probability__lte=1,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def cap(self) -> Decimal | None:
        """Return what the meter never exceeds: the ceiling, or the amount it must hit by."""
        caps = [cap for cap in (self.ceiling, self.drop_amount) if cap is not None]
        return min(caps, default=None)


class PotEntryQuerySet(OperatorQuerySet["PotEntry"]):
    pass


class PotEntry(models.Model):
    """
    Money that came into a pot, or left it, other than by contributions and wins.

    Append-only (trigger). ``amount`` is positive; the kind says which way it went and
    from where: see EntryKind. Each cycle has at most one seed, one share of the reserve
    and one transfer of each direction.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    pot = models.ForeignKey(Pot, on_delete=models.PROTECT, related_name="entries")
    cycle = models.PositiveIntegerField()
    kind = models.CharField(max_length=16, choices=EntryKind.choices)
    # What a pot holds is a sum, and moves as one.
    amount = MeterField()
    counterpart = models.ForeignKey(
        Pot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Transfers: the other pot.",
    )
    created_at = models.DateTimeField()

    objects = models.Manager.from_queryset(PotEntryQuerySet)()

    class Meta:
        verbose_name_plural = "pot entries"
        constraints: ClassVar = [
            meter_check("pot_entry_amount_positive", "amount", above_zero=True),
            models.UniqueConstraint(
                name="pot_entry_once_in_a_cycle",
                fields=["pot", "cycle", "kind"],
                condition=Q(kind__in=[EntryKind.SEED, EntryKind.RESERVE, EntryKind.TOP_UP]),
            ),
            models.UniqueConstraint(
                name="pot_transfer_once_in_a_cycle",
                fields=["pot", "cycle", "kind", "counterpart"],
                condition=Q(kind__in=[EntryKind.TRANSFER_IN, EntryKind.TRANSFER_OUT]),
            ),
            models.CheckConstraint(
                name="pot_transfer_has_a_counterpart",
                condition=Q(
                    kind__in=[EntryKind.TRANSFER_IN, EntryKind.TRANSFER_OUT],
                    counterpart__isnull=False,
                )
                | Q(
                    kind__in=[
                        EntryKind.SEED,
                        EntryKind.RESERVE,
                        EntryKind.BOOST,
                        EntryKind.TOP_UP,
                    ],
                    counterpart=None,
                ),
            ),
        ]
        indexes: ClassVar = [models.Index(name="pot_entry_of_pot", fields=["pot", "id"])]
        triggers: ClassVar = [append_only("pot_entry_is_append_only")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount.normalize():f}"


class MeterHour(models.Model):
    """
    How a pot fared in one hour: what was contributed, and where the meter stood last.

    Kept by the fold, for charts and statements; the truth is in the contributions, and
    ``check_books`` compares the two. Never deleted: the opening of a statement is their sum.
    """

    pot = models.ForeignKey(Pot, on_delete=models.PROTECT, related_name="hours")
    hour = models.DateTimeField()
    contributed = MeterField()
    value = MeterField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="meter_hour_once", fields=["pot", "hour"]),
            meter_check("meter_hour_contributed_not_negative", "contributed"),
            meter_check("meter_hour_value_not_negative", "value"),
        ]

    def __str__(self) -> str:
        return f"{self.pot_id} at {self.hour:%Y-%m-%d %H}h"
