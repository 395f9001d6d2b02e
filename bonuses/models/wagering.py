"""What bets, or a platform's events, brought a grant; and what a grant's money paid in bets."""

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from bonuses.models.grant import BonusGrant
from core.models import AmountField, amount_check, append_only
from core.money import AMOUNT_LIMIT

SOURCE_LENGTH_MAX = 300

# The events are the truth; the columns are their sums because nothing else moves them. A
# grant that has ended is not found here, and then the event cannot be written either.
_ADVANCE = """
    UPDATE bonuses_bonusgrant
    SET wagering_progress = wagering_progress + NEW.weighted_amount,
        total_wagered = total_wagered + NEW.wagered_amount
    WHERE id = NEW.grant_id AND status = 'active';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'bonus grant % is not active', NEW.grant_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class WagerEvent(models.Model):
    """
    What one bet, or one event of a platform, added to a grant's wagering.

    Below zero where a rolled-back bet took it back. ``source`` is ``bet:<id>`` or
    ``event:<event id>``. Append-only. Writing one moves the grant's ``wagering_progress``
    and ``total_wagered`` (trigger), and is refused unless the grant is active.
    """

    grant = models.ForeignKey(
        BonusGrant, on_delete=models.PROTECT, related_name="wager_events", db_index=False
    )
    source = models.CharField(max_length=SOURCE_LENGTH_MAX)
    wagered_amount = AmountField(help_text="What was staked.")
    weighted_amount = AmountField(help_text="What of it counts.")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "wager event"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="wager_event_advances_once",
                fields=["grant", "source"],
                condition=Q(wagered_amount__gte=0),
            ),
            models.UniqueConstraint(
                name="wager_event_taken_back_once",
                fields=["grant", "source"],
                condition=Q(wagered_amount__lt=0),
            ),
            models.CheckConstraint(
                name="wager_event_is_a_number",
                condition=Q(
                    wagered_amount__gt=-AMOUNT_LIMIT,
                    wagered_amount__lt=AMOUNT_LIMIT,
                    weighted_amount__gt=-AMOUNT_LIMIT,
                    weighted_amount__lt=AMOUNT_LIMIT,
                ),
            ),
        ]
        triggers: ClassVar = [
            append_only("wager_event_is_append_only"),
            pgtrigger.Trigger(
                name="wager_event_advances_its_grant",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func=_ADVANCE,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} of {self.grant_id}"


class BetFunding(models.Model):
    """
    The part of one bet's stake that a grant's money paid, and what came back for it.

    ``payout_share`` is this part's share of the bet's payout, null until it is settled.
    ``paid_amount`` of it went to the player (to the grant's money, or, if the grant had
    completed, to the main balance), ``excess_amount`` above the win cap to its own account;
    the rest, of a grant that had ended otherwise, stayed with the house.

    The late amounts are what moved for this bet after its grant had completed, be it paid or
    rolled back then: to the main balance and the account of the excess, below zero from them.
    What a grant has released is its columns and the late amounts of its fundings.
    """

    grant = models.ForeignKey(
        BonusGrant, on_delete=models.PROTECT, related_name="fundings", db_index=False
    )
    bet_ref = models.CharField(max_length=128, help_text="The bet's row, as text.")
    stake_amount = AmountField()
    payout_share = AmountField(null=True, blank=True)
    paid_amount = AmountField(null=True, blank=True)
    excess_amount = AmountField(null=True, blank=True)
    late_main_amount = AmountField(default=Decimal(0))
    late_excess_amount = AmountField(default=Decimal(0))
    funded_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    rolled_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "bet funding"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="bet_funding_once_a_grant_and_bet", fields=["grant", "bet_ref"]
            ),
            models.CheckConstraint(
                name="bet_funding_settled_wholly_or_not",
                condition=Q(
                    payout_share=None, paid_amount=None, excess_amount=None, settled_at=None
                )
                | Q(
                    payout_share__isnull=False,
                    paid_amount__isnull=False,
                    excess_amount__isnull=False,
                    settled_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="bet_funding_pays_no_more_than_its_share",
                condition=Q(payout_share=None)
                | Q(payout_share__gte=F("paid_amount") + F("excess_amount")),
            ),
            amount_check("bet_funding_stake_is_positive_number", "stake_amount", above_zero=True),
            amount_check("bet_funding_share_is_number", "payout_share"),
            amount_check("bet_funding_paid_is_number", "paid_amount"),
            amount_check("bet_funding_excess_is_number", "excess_amount"),
            models.CheckConstraint(
                name="bet_funding_late_amounts_are_numbers",
                condition=Q(
                    late_main_amount__gt=-AMOUNT_LIMIT,
                    late_main_amount__lt=AMOUNT_LIMIT,
                    late_excess_amount__gt=-AMOUNT_LIMIT,
                    late_excess_amount__lt=AMOUNT_LIMIT,
                ),
            ),
        ]
        indexes: ClassVar = [models.Index(name="bet_funding_of_bet", fields=["bet_ref"])]

    def __str__(self) -> str:
        return f"{self.stake_amount} of {self.grant_id} in {self.bet_ref}"
