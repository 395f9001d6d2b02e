"""Reads of the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Subquery

from core.querysets import OperatorQuerySet
from operators.models import Operator
from players.models import Player
from wallets.enums import AccountKind
from wallets.models import Account, Transfer, TransferSide

# One statement, so one snapshot: whatever is folded or posted meanwhile, each row is
# counted once, below the watermark or from it on.
_HOT_BALANCE = """
SELECT coalesce(snapshot.balance, 0)
     + coalesce((
        SELECT sum(amount) FROM wallets_transfer
        WHERE credit_account_id = account.id AND credit_balance_after IS NULL
          AND xid >= coalesce(snapshot.watermark, '0')), 0)
     - coalesce((
        SELECT sum(amount) FROM wallets_transfer
        WHERE debit_account_id = account.id AND debit_balance_after IS NULL
          AND xid >= coalesce(snapshot.watermark, '0')), 0)
FROM wallets_account AS account
LEFT JOIN wallets_accountsnapshot AS snapshot ON snapshot.account_id = account.id
WHERE account.id = %s
"""


@dataclass(frozen=True, slots=True)
class Balance:
    """What a player holds in one currency."""

    currency: str
    main: Decimal
    vault: Decimal


def get_balances(*, player: Player) -> list[Balance]:
    """
    Return what the player holds, one entry a currency.

    A player whose wallet nobody has opened holds nothing in its currency.
    """
    rows = (
        Account.objects.filter(player=player)
        .order_by("currency")
        .values_list("currency", "kind", "balance")
    )
    held = {(currency, kind): balance or Decimal(0) for currency, kind, balance in rows}
    currencies = sorted({currency for currency, _kind in held}) or [player.currency]
    return [
        Balance(
            currency=currency,
            main=held.get((currency, AccountKind.PLAYER_MAIN), Decimal(0)),
            vault=held.get((currency, AccountKind.PLAYER_VAULT), Decimal(0)),
        )
        for currency in currencies
    ]


def get_hot_balance(*, account: Account) -> Decimal:
    """
    Return credits minus debits of a hot account, exact at the instant of reading.

    What the house paid out of an account counts against it, so a cost is below zero.
    """
    assert account.is_hot, f"the balance of {account} is a column"
    with connection.cursor() as cursor:
        cursor.execute(_HOT_BALANCE, [account.pk])
        balance: Decimal = cursor.fetchone()[0]
    return balance


def list_player_transactions(*, player: Player) -> OperatorQuerySet[TransferSide]:
    """Return the transactions of the player's main account, newest first."""
    main_account = Account.objects.filter(
        operator_id=player.operator_id,
        kind=AccountKind.PLAYER_MAIN,
        currency=player.currency,
        player=player,
    )
    # The account as a subquery, and the balance that players' sides have: with these the
    # planner walks the indexes of players' sides, and never the whole ledger.
    return TransferSide.objects.filter(
        operator_id=player.operator_id,
        account_id=Subquery(main_account.values("pk")),
        balance_after__isnull=False,
    ).order_by("-pk")


def list_transfers(*, operator: Operator, references: Iterable[str]) -> OperatorQuerySet[Transfer]:
    """Return the operator's transfers of those references, in the order of the ledger."""
    return (
        Transfer.objects.for_operator(operator)
        .filter(reference__in=list(references))
        .order_by("pk")
    )
