"""What a raffle draws for, the draw, and who stood in it with how many tickets."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from core.models import AmountField, amount_check, append_only, new_id
from core.querysets import OperatorQuerySet
from jackpots.models.fields import MeterField, TicketSumField, meter_check
from jackpots.models.instance import Instance


class Prize(models.Model):
    """What a raffle draws for: an amount or a share of the pot, ``count`` times."""

    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="prizes")
    name = models.CharField(max_length=64)
    amount = AmountField(null=True, blank=True)
    share = models.DecimalField(max_digits=9, decimal_places=8, null=True, blank=True)
    count = models.PositiveIntegerField(default=1)
    priority = models.PositiveIntegerField(default=0, help_text="Lower is drawn first.")
    min_tickets = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["instance", "priority", "id"]
        constraints: ClassVar = [
            amount_check("prize_amount_positive", "amount", above_zero=True),
            models.CheckConstraint(
                name="prize_is_an_amount_or_a_share",
                condition=Q(amount__isnull=False, share=None)
                | Q(amount=None, share__isnull=False, share__gt=0, share__lte=1),
            ),
            models.CheckConstraint(name="prize_count_positive", condition=Q(count__gt=0)),
        ]

    def __str__(self) -> str:
        return self.name


class DrawQuerySet(OperatorQuerySet["Draw"]):
    pass


class Draw(models.Model):
    """
    The draw of a raffle: committed to when the instance opens, revealed when it is drawn.

    ``commitment`` is the SHA-256 of the seed, published from the start; the seed itself is
    sealed until ``drawn_at``, and then public. ``requested_at`` says that somebody, or the
    schedule, wants the draw: what a crash interrupts is finished by the next sweep.

    ``terms`` and the entries (DrawEntry) are frozen with the draw, so that anybody can
    recompute it (docs/verify_draw.py). Nothing changes once it is drawn (trigger).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    instance = models.OneToOneField(Instance, on_delete=models.PROTECT, related_name="raffle_draw")
    seed_sealed = models.TextField()
    commitment = models.CharField(max_length=64, help_text="SHA-256 of the seed, in hex.")
    committed_at = models.DateTimeField()
    requested_at = models.DateTimeField(null=True, blank=True)
    drawn_at = models.DateTimeField(null=True, blank=True)
    seed = models.CharField(max_length=64, blank=True, help_text="In hex; empty until drawn.")
    entries_digest = models.CharField(max_length=64, blank=True, help_text="SHA-256, in hex.")
    entries_count = models.PositiveIntegerField(null=True, blank=True)
    tickets_total = TicketSumField(null=True, blank=True)
    pot_amount = MeterField(null=True, blank=True, default=None)
    terms = models.JSONField(default=list, help_text="The prizes, in the order they are drawn.")

    objects = models.Manager.from_queryset(DrawQuerySet)()

    class Meta:
        constraints: ClassVar = [
            meter_check("draw_pot_not_negative", "pot_amount"),
            meter_check("draw_tickets_not_negative", "tickets_total"),
            models.CheckConstraint(
                name="draw_revealed_iff_drawn",
                condition=Q(
                    drawn_at=None,
                    seed="",
                    entries_digest="",
                    entries_count=None,
                    tickets_total=None,
                    pot_amount=None,
                )
                | (
                    Q(
                        drawn_at__isnull=False,
                        requested_at__isnull=False,
                        entries_count__isnull=False,
                        tickets_total__isnull=False,
                        pot_amount__isnull=False,
                    )
                    & ~Q(seed="")
                    & ~Q(entries_digest="")
                ),
            ),
            models.CheckConstraint(
                name="draw_committed_before_drawn",
                condition=Q(drawn_at=None) | Q(drawn_at__gte=F("committed_at")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="draw_to_be_made",
                fields=["requested_at"],
                condition=Q(requested_at__isnull=False, drawn_at=None),
            )
        ]
        triggers: ClassVar = [
            pgtrigger.Protect(
                name="draw_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__drawn_at__isnull=False),
            ),
            pgtrigger.Protect(name="draw_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"draw of {self.instance_id}"


class DrawEntry(models.Model):
    """One player's tickets in a draw, at a position of the frozen order. Append-only."""

    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="entries")
    position = models.PositiveIntegerField()
    player = models.ForeignKey("players.Player", on_delete=models.PROTECT, related_name="+")
    player_reference = models.CharField(max_length=64)
    tickets = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "draw entries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="draw_entry_positions_differ", fields=["draw", "position"]
            ),
            models.UniqueConstraint(name="draw_entry_players_differ", fields=["draw", "player"]),
            models.CheckConstraint(name="draw_entry_has_tickets", condition=Q(tickets__gt=0)),
        ]
        triggers: ClassVar = [append_only("draw_entry_is_append_only")]

    def __str__(self) -> str:
        return f"{self.player_reference}: {self.tickets}"
