"""What players did: deposits and withdrawals as they were made, and bets as they go."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from activity.enums import BetStatus
from core.fsm import LifecycleModel
from core.models import AmountField, amount_check, append_only, new_id
from core.money import RATE_DECIMALS
from core.querysets import OperatorQuerySet

REFERENCE_LENGTH_MAX = 64


def _rate_column() -> "models.DecimalField[Decimal, Decimal]":
    """Return the column of a rate: US dollars for one unit, when the row was written."""
    return models.DecimalField(max_digits=38, decimal_places=RATE_DECIMALS)


class DepositQuerySet(OperatorQuerySet["Deposit"]):
    pass


class Deposit(models.Model):
    """
    Money that a player brought, and what it was worth in US dollars at that instant.

    Never changed (trigger). Its transfer has the reference ``deposit:`` and this row's.
    A player's total_deposit_usd and deposit_count are the sums of these rows.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(
        "operators.Operator", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    player = models.ForeignKey("players.Player", on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(
        max_length=REFERENCE_LENGTH_MAX, help_text="The operator's own, or else the row's id."
    )
    amount = AmountField()
    currency = models.CharField(max_length=8)
    usd_rate = _rate_column()
    usd_rate_at = models.DateTimeField(null=True, blank=True, help_text="Null: US dollars.")
    usd_amount = AmountField()
    deposited_at = models.DateTimeField()

    objects = models.Manager.from_queryset(DepositQuerySet)()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="deposit_reference_is_unique", fields=["operator", "reference"]
            ),
            models.CheckConstraint(name="deposit_has_a_reference", condition=~Q(reference="")),
            amount_check("deposit_amount_positive", "amount", above_zero=True),
            amount_check("deposit_usd_rate_positive", "usd_rate", above_zero=True),
            amount_check("deposit_usd_amount_not_negative", "usd_amount"),
        ]
        indexes: ClassVar = [models.Index(name="deposit_newest_first", fields=["operator", "-id"])]
        triggers: ClassVar = [append_only("deposit_is_append_only")]

    def __str__(self) -> str:
        return self.reference


class WithdrawalQuerySet(OperatorQuerySet["Withdrawal"]):
    pass


class Withdrawal(models.Model):
    """
    Money that a player took out.

    Never changed (trigger). Its transfer has the reference ``withdrawal:`` and this row's.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(
        "operators.Operator", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    player = models.ForeignKey("players.Player", on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(
        max_length=REFERENCE_LENGTH_MAX, help_text="The operator's own, or else the row's id."
    )
    amount = AmountField()
    currency = models.CharField(max_length=8)
    withdrawn_at = models.DateTimeField()

    objects = models.Manager.from_queryset(WithdrawalQuerySet)()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="withdrawal_reference_is_unique", fields=["operator", "reference"]
            ),
            models.CheckConstraint(name="withdrawal_has_a_reference", condition=~Q(reference="")),
            amount_check("withdrawal_amount_positive", "amount", above_zero=True),
        ]
        indexes: ClassVar = [
            models.Index(name="withdrawal_newest_first", fields=["operator", "-id"])
        ]
        triggers: ClassVar = [append_only("withdrawal_is_append_only")]

    def __str__(self) -> str:
        return self.reference


class BetQuerySet(OperatorQuerySet["Bet"]):
    def settled(self) -> Self:
        """Bets that count towards a player's total wager."""
        return self.filter(status=BetStatus.SETTLED)


class Bet(LifecycleModel):
    """
    A stake on a game, known by the operator's own id of it, and what came of it.

    PLACED ─settle→ SETTLED
      │                └─roll_back→ ROLLED_BACK
      └─────────────────roll_back→ ROLLED_BACK

    Invariants, each one a constraint or a trigger below:
    - a player has one bet of an id;
    - what was placed never changes, and a bet is never deleted;
    - a bet has a payout exactly when it has been settled, be it rolled back since;
    - the stake is a number above zero, the payout one from zero;
    - bonus money pays no more than the stake, and gets no more than the payout.

    ``stake_usd`` is the stake at the rate of the instant of placing. The stake's transfer
    has the reference ``bet:<player>:<bet_id>``, the payout's ``win:<player>:<bet_id>``: of
    what the main balance paid and got. ``bonus_stake`` is the part of the stake that the
    money of bonuses paid, ``bonus_payout`` the part of the payout that is theirs.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(
        "operators.Operator", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    player = models.ForeignKey(
        "players.Player", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    bet_id = models.CharField(
        "bet id", max_length=REFERENCE_LENGTH_MAX, help_text="The operator's own id, NFC."
    )
    game = models.ForeignKey("games.Game", on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=8)
    stake = AmountField()
    payout = AmountField(null=True, blank=True)
    bonus_stake = AmountField(default=Decimal(0), db_default=Decimal(0))
    bonus_payout = AmountField(default=Decimal(0), db_default=Decimal(0))
    usd_rate = _rate_column()
    usd_rate_at = models.DateTimeField(null=True, blank=True, help_text="Null: US dollars.")
    stake_usd = AmountField()
    status = FSMField(choices=BetStatus.choices, default=BetStatus.PLACED, protected=True)
    is_settled_at_once = models.BooleanField(
        "settled at once", default=False, help_text="The payout came with the stake."
    )
    placed_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    rolled_back_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(BetQuerySet)()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="bet_id_is_unique", fields=["operator", "player", "bet_id"]
            ),
            models.CheckConstraint(name="bet_has_an_id", condition=~Q(bet_id="")),
            amount_check("bet_stake_positive", "stake", above_zero=True),
            amount_check("bet_payout_not_negative", "payout"),
            amount_check("bet_bonus_stake_not_negative", "bonus_stake"),
            amount_check("bet_bonus_payout_not_negative", "bonus_payout"),
            models.CheckConstraint(
                name="bet_bonus_pays_no_more_than_the_stake",
                condition=Q(bonus_stake__lte=F("stake")),
            ),
            models.CheckConstraint(
                name="bet_bonus_gets_no_more_than_the_payout",
                condition=Q(bonus_payout=0)
                | (Q(payout__isnull=False, bonus_payout__lte=F("payout")) & ~Q(bonus_stake=0)),
            ),
            amount_check("bet_usd_rate_positive", "usd_rate", above_zero=True),
            amount_check("bet_stake_usd_not_negative", "stake_usd"),
            models.CheckConstraint(
                name="bet_state_has_its_instants",
                condition=Q(
                    status=BetStatus.PLACED, payout=None, settled_at=None, rolled_back_at=None
                )
                | Q(
                    status=BetStatus.SETTLED,
                    payout__isnull=False,
                    settled_at__isnull=False,
                    rolled_back_at=None,
                )
                | Q(
                    status=BetStatus.ROLLED_BACK,
                    payout=None,
                    settled_at=None,
                    rolled_back_at__isnull=False,
                )
                | Q(
                    status=BetStatus.ROLLED_BACK,
                    payout__isnull=False,
                    settled_at__isnull=False,
                    rolled_back_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="bet_settled_at_once_has_a_payout",
                condition=Q(is_settled_at_once=False) | Q(payout__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="bet_newest_first", fields=["operator", "-id"]),
            models.Index(name="bets_of_player", fields=["operator", "player", "-placed_at", "-id"]),
            # What was lost within a window. A bet that came with its payout, as most do, is in
            # neither: it was decided when it was placed.
            models.Index(
                name="bets_settled_later_of_player",
                fields=["operator", "player", "settled_at"],
                condition=Q(is_settled_at_once=False, settled_at__isnull=False),
            ),
            models.Index(
                name="bets_undone_of_player",
                fields=["operator", "player", "rolled_back_at"],
                condition=Q(settled_at__isnull=False, rolled_back_at__isnull=False),
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="bet_moves_forward_only",
                field="status",
                transitions=[
                    (BetStatus.PLACED, BetStatus.SETTLED),
                    (BetStatus.PLACED, BetStatus.ROLLED_BACK),
                    (BetStatus.SETTLED, BetStatus.ROLLED_BACK),
                ],
            ),
            pgtrigger.Protect(
                name="bet_stays_what_was_placed",
                operation=pgtrigger.Delete
                | pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "operator_id",
                    "player_id",
                    "bet_id",
                    "game_id",
                    "currency",
                    "stake",
                    "usd_rate",
                    "usd_rate_at",
                    "stake_usd",
                    "is_settled_at_once",
                    "placed_at",
                ),
            ),
            pgtrigger.Protect(
                name="bet_is_paid_by_bonuses_once",
                operation=pgtrigger.UpdateOf("bonus_stake"),  # type: ignore[no-untyped-call]
                condition=~pgtrigger.Q(old__bonus_stake=0),
            ),
        ]

    def __str__(self) -> str:
        return self.bet_id

    # Properties

    @property
    def is_settled(self) -> bool:
        """Tell whether the bet counts: it has been settled and not rolled back."""
        return bool(self.status == BetStatus.SETTLED)

    @property
    def is_rolled_back(self) -> bool:
        """Tell whether the bet has been taken back."""
        return bool(self.status == BetStatus.ROLLED_BACK)

    @property
    def placed_payout(self) -> Decimal | None:
        """Return the payout that came with the stake; null if it was to come later."""
        return self.payout if self.is_settled_at_once else None

    @property
    def main_stake(self) -> Decimal:
        """Return the part of the stake that the main balance paid."""
        amount: Decimal = self.stake - self.bonus_stake
        return amount

    @property
    def main_payout(self) -> Decimal:
        """Return the part of the payout that went to the main balance; 0 if there is none yet."""
        amount: Decimal = (self.payout or Decimal(0)) - self.bonus_payout
        return amount

    @property
    def stake_reference(self) -> str:
        """Return what the ledger calls the stake's transfer."""
        return f"bet:{self.player_id}:{self.bet_id}"

    @property
    def payout_reference(self) -> str:
        """Return what the ledger calls the payout's transfer; a payout of zero has none."""
        return f"win:{self.player_id}:{self.bet_id}"

    # Transitions: which moves exist. Whether one is allowed now is for
    # activity.services.bets to say; nothing else calls these.

    @transition(field=status, source=BetStatus.PLACED, target=BetStatus.SETTLED)
    def settle(self, *, payout: Decimal, now: datetime) -> None:
        """Take the outcome of the game."""
        self.payout = payout
        self.settled_at = now

    @transition(
        field=status, source=[BetStatus.PLACED, BetStatus.SETTLED], target=BetStatus.ROLLED_BACK
    )
    def roll_back(self, *, now: datetime) -> None:
        """Undo: the bet has not been."""
        self.rolled_back_at = now
