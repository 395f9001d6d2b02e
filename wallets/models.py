"""Accounts, and the transfers between them."""

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from core.models import AmountField, CurrentXid, XidField, amount_check, append_only, new_id
from core.money import AMOUNT_DECIMALS, RATE_DECIMALS
from core.querysets import OperatorQuerySet
from wallets.enums import HOT_KINDS, PLAYER_CASH_KINDS, AccountKind, Direction, Tag

REFERENCE_LENGTH_MAX = 200
#: The sums of hot accounts may have more digits than one amount.
SUM_DIGITS = 38
_SUM_LIMIT = Decimal(10) ** (SUM_DIGITS - AMOUNT_DECIMALS)

_AGREES_WITH_ITS_ACCOUNTS = """
    IF NOT EXISTS (
        SELECT FROM wallets_account AS debit, wallets_account AS credit
        WHERE debit.id = NEW.debit_account_id
          AND credit.id = NEW.credit_account_id
          AND debit.operator_id = NEW.operator_id
          AND credit.operator_id = NEW.operator_id
          AND debit.currency = NEW.currency
          AND credit.currency = NEW.currency
          AND debit.balance IS NOT DISTINCT FROM NEW.debit_balance_after
          AND credit.balance IS NOT DISTINCT FROM NEW.credit_balance_after
    ) THEN
        RAISE EXCEPTION 'transfer % does not agree with its accounts', NEW.reference
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class AccountQuerySet(OperatorQuerySet["Account"]):
    pass


class Account(models.Model):
    """
    A place where money of one currency is.

    ``owner`` tells accounts of one kind apart: the instance's id for a jackpot's pool, the
    grant's id for the money of a bonus, empty for the others.

    Invariants, each one a constraint or a trigger below:
    - an operator has one account of a kind, currency, player and owner;
    - players' accounts, and no others, have a player and a balance, never below zero;
    - an account is never deleted, and nothing of it but the balance changes.

    The balance of a player's account is the sum of its transfers, kept by the database
    function wallets_post_transfer. A hot account has none: see AccountSnapshot.
    """

    operator = models.ForeignKey(
        "operators.Operator", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=16, choices=AccountKind.choices)
    currency = models.CharField(max_length=8)
    player = models.ForeignKey(
        "players.Player", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    owner = models.CharField(max_length=64, blank=True, default="")
    balance = AmountField(null=True, blank=True, help_text="Null: the account is hot.")

    objects = models.Manager.from_queryset(AccountQuerySet)()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="account_opened_once",
                fields=["operator", "kind", "currency", "player", "owner"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="account_of_a_player_iff_balance",
                condition=Q(
                    kind__in=PLAYER_CASH_KINDS,
                    player__isnull=False,
                    balance__isnull=False,
                    owner="",
                )
                | (
                    Q(
                        kind=AccountKind.PLAYER_BONUS,
                        player__isnull=False,
                        balance__isnull=False,
                    )
                    & ~Q(owner="")
                )
                | Q(kind__in=HOT_KINDS, player=None, balance=None),
            ),
            models.CheckConstraint(
                name="account_pool_has_an_owner",
                condition=~Q(kind=AccountKind.JACKPOT_POOL, owner=""),
            ),
            amount_check("account_balance_not_negative", "balance"),
        ]
        indexes: ClassVar = [
            # Not on the balance: a column in an index makes every update of it slower.
            models.Index(name="account_hot", fields=["id"], condition=Q(player=None)),
        ]
        triggers: ClassVar = [
            # Transfers point here without a foreign key: see Transfer.
            pgtrigger.Protect(
                name="account_stays_what_it_is",
                operation=pgtrigger.Delete
                | pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "operator_id", "kind", "currency", "player_id", "owner"
                ),
            )
        ]

    def __str__(self) -> str:
        parts = [self.kind, self.currency, self.player_id and f"#{self.player_id}", self.owner]
        return " ".join(str(part) for part in parts if part)

    @property
    def is_hot(self) -> bool:
        """Tell whether the balance is a snapshot and newer rows, not a column."""
        return self.kind in HOT_KINDS


class TransferQuerySet(OperatorQuerySet["Transfer"]):
    pass


class Transfer(models.Model):
    """
    An amount that moved from one account (debit) to another (credit), and why.

    Written by the database function wallets_post_transfer and never changed (trigger); a
    mistake is corrected by a transfer that ``reverses`` it. ``id`` is the order of the
    ledger: it grows with every player's account, whose rows are posted under its lock.

    Invariants, each one a constraint or a trigger below:
    - the amount is a number above zero, and moves between two accounts;
    - both accounts are the operator's and in the currency;
    - the balance after it is known for players' accounts, and for no others;
    - an operator has one transfer of a reference, and one reversal of a transfer;
    - a converted amount has its original, the rate, and the rate's instant.

    The foreign keys to operator and accounts have no constraint in the database: checking
    them would lock the hot accounts' rows for every posting. A trigger checks them without
    a lock, and accounts are never deleted (trigger).
    """

    public_id = models.UUIDField(unique=True, default=new_id, editable=False)
    operator = models.ForeignKey(
        "operators.Operator",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    debit_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    credit_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    amount = AmountField()
    currency = models.CharField(max_length=8)
    tag = models.CharField(max_length=16, choices=Tag.choices)
    reference = models.CharField(max_length=REFERENCE_LENGTH_MAX)
    reverses = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        related_name="reversals",
        null=True,
        blank=True,
        db_index=False,
    )
    debit_balance_after = AmountField(null=True, blank=True)
    credit_balance_after = AmountField(null=True, blank=True)
    original_amount = AmountField(null=True, blank=True)
    # Null like the rest of a conversion: an amount without one has no original currency.
    original_currency = models.CharField(max_length=8, null=True, blank=True)  # noqa: DJ001
    rate = models.DecimalField(
        max_digits=38,
        decimal_places=RATE_DECIMALS,
        null=True,
        blank=True,
        help_text="Units of the currency for one of the original currency.",
    )
    rate_at = models.DateTimeField(null=True, blank=True)
    posted_at = models.DateTimeField()
    xid = XidField(db_default=CurrentXid(), editable=False)

    objects = models.Manager.from_queryset(TransferQuerySet)()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="transfer_reference_is_unique", fields=["operator", "reference"]
            ),
            models.UniqueConstraint(
                name="transfer_reversed_once",
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
            ),
            models.CheckConstraint(name="transfer_has_a_reference", condition=~Q(reference="")),
            models.CheckConstraint(
                name="transfer_between_two_accounts",
                condition=~Q(debit_account=F("credit_account")),
            ),
            models.CheckConstraint(
                name="transfer_converted_wholly_or_not",
                condition=Q(original_amount=None, original_currency=None, rate=None, rate_at=None)
                | Q(
                    original_amount__isnull=False,
                    original_currency__isnull=False,
                    rate__isnull=False,
                    rate_at__isnull=False,
                ),
            ),
            amount_check("transfer_amount_positive", "amount", above_zero=True),
            amount_check("transfer_debit_balance_not_negative", "debit_balance_after"),
            amount_check("transfer_credit_balance_not_negative", "credit_balance_after"),
            amount_check("transfer_original_amount_positive", "original_amount", above_zero=True),
            amount_check("transfer_rate_positive", "rate", above_zero=True),
        ]
        # Each transfer is in one of the two indexes of a side: a player's statement goes
        # by id, the balance of a hot account by transaction.
        indexes: ClassVar = [
            models.Index(
                name="transfer_debits_of_player",
                fields=["debit_account", "id"],
                condition=Q(debit_balance_after__isnull=False),
            ),
            models.Index(
                name="transfer_credits_of_player",
                fields=["credit_account", "id"],
                condition=Q(credit_balance_after__isnull=False),
            ),
            # What is not play, by time: these cost bets and contributions nothing.
            models.Index(
                name="transfer_debits_but_play",
                fields=["debit_account", "-posted_at", "-id"],
                condition=Q(debit_balance_after__isnull=False) & ~Q(tag__in=[Tag.BET, Tag.JACKPOT]),
            ),
            models.Index(
                name="transfer_credits_but_play",
                fields=["credit_account", "-posted_at", "-id"],
                condition=Q(credit_balance_after__isnull=False) & ~Q(tag=Tag.WIN),
            ),
            models.Index(
                name="transfer_debits_of_hot",
                fields=["debit_account", "xid"],
                condition=Q(debit_balance_after=None),
            ),
            models.Index(
                name="transfer_credits_of_hot",
                fields=["credit_account", "xid"],
                condition=Q(credit_balance_after=None),
            ),
        ]
        triggers: ClassVar = [
            append_only("transfer_is_append_only"),
            pgtrigger.Trigger(
                name="transfer_agrees_with_its_accounts",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_AGREES_WITH_ITS_ACCOUNTS,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tag} {self.reference}"


class AccountSnapshot(models.Model):
    """
    What a hot account held in the transactions below a watermark: credits minus debits.

    ``balance`` is the sum of exactly the transfers with ``xid < watermark``, all of whose
    transactions are over. The balance is this plus the rows from the watermark on
    (wallets.selectors.get_hot_balance). A cost or house account is often below zero.
    """

    account = models.OneToOneField(
        Account, on_delete=models.PROTECT, primary_key=True, related_name="snapshot"
    )
    balance = models.DecimalField(max_digits=SUM_DIGITS, decimal_places=AMOUNT_DECIMALS)
    watermark = XidField()
    taken_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="account_snapshot_is_a_number",
                condition=Q(balance__gt=-_SUM_LIMIT, balance__lt=_SUM_LIMIT),
            )
        ]

    def __str__(self) -> str:
        return f"{self.balance} of {self.account_id}"


class TransferSideQuerySet(OperatorQuerySet["TransferSide"]):
    pass


class TransferSide(models.Model):
    """
    A transfer as one of its two accounts saw it: a row of a view.

    ``id`` is the transfer's, so it is unique for one account only: a query always names the
    account. ``balance_after`` is null on the side of a hot account.
    """

    id = models.BigIntegerField(primary_key=True)
    public_id = models.UUIDField()
    operator = models.ForeignKey(
        "operators.Operator", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    type = models.CharField(max_length=8, choices=Direction.choices)
    tag = models.CharField(max_length=16, choices=Tag.choices)
    amount = AmountField()
    currency = models.CharField(max_length=8)
    balance_after = AmountField(null=True)
    reference = models.CharField(max_length=REFERENCE_LENGTH_MAX)
    posted_at = models.DateTimeField()
    xid = XidField()

    objects = models.Manager.from_queryset(TransferSideQuerySet)()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.type} {self.reference}"
