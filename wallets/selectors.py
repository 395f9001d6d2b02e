"""Reads of the ledger."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Subquery

from operators.models import Operator
from players.models import Player
from wallets.enums import PLAYER_CASH_KINDS, AccountKind
from wallets.models import Account, Transfer, TransferQuerySet, TransferSide, TransferSideQuerySet

# One statement, so one snapshot: whatever is folded or posted meanwhile, each row is
# counted once, below the watermark or from it on. (The bound above it bounds nothing: it tells
# the planner that the range is narrow.)
_HOT_BALANCE = """
SELECT coalesce(snapshot.balance, 0)
     + coalesce((
        SELECT sum(amount) FROM wallets_transfer
        WHERE credit_account_id = account.id AND credit_balance_after IS NULL
          AND xid BETWEEN coalesce(snapshot.watermark, '0') AND '18446744073709551615'), 0)
     - coalesce((
        SELECT sum(amount) FROM wallets_transfer
        WHERE debit_account_id = account.id AND debit_balance_after IS NULL
          AND xid BETWEEN coalesce(snapshot.watermark, '0') AND '18446744073709551615'), 0)
FROM wallets_account AS account
LEFT JOIN wallets_accountsnapshot AS snapshot ON snapshot.account_id = account.id
WHERE account.id = %s
"""

# The newest of each account, from indexes that hold no bets and no contributions: of these a
# player has thousands. The words of the conditions are those of the indexes.
_NEWEST_MOVES = """
SELECT moved.id, moved.posted_at, moved.tag, moved.amount, moved.currency,
       debit.kind AS debit_kind, debit.player_id AS debit_player_id,
       credit.kind AS credit_kind, credit.player_id AS credit_player_id,
       moved.debit_balance_after, moved.credit_balance_after
FROM (
    SELECT side.* FROM wallets_account AS account CROSS JOIN LATERAL (
        SELECT * FROM wallets_transfer AS transfer
        WHERE transfer.debit_account_id = account.id
          AND transfer.debit_balance_after IS NOT NULL AND transfer.tag NOT IN ('BET', 'JACKPOT')
          AND transfer.posted_at <= %(until)s
        ORDER BY transfer.posted_at DESC, transfer.id DESC LIMIT %(count)s
    ) AS side WHERE account.player_id = %(player)s
    UNION
    SELECT side.* FROM wallets_account AS account CROSS JOIN LATERAL (
        SELECT * FROM wallets_transfer AS transfer
        WHERE transfer.credit_account_id = account.id
          AND transfer.credit_balance_after IS NOT NULL AND transfer.tag <> 'WIN'
          AND transfer.posted_at <= %(until)s
        ORDER BY transfer.posted_at DESC, transfer.id DESC LIMIT %(count)s
    ) AS side WHERE account.player_id = %(player)s
) AS moved
JOIN wallets_account AS debit ON debit.id = moved.debit_account_id
JOIN wallets_account AS credit ON credit.id = moved.credit_account_id
ORDER BY moved.posted_at DESC, moved.id DESC LIMIT %(count)s
"""

#: Later than everything that is posted.
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Move:
    """Money of a player that moved, as a transfer says it, with the kinds of its accounts."""

    id: int
    posted_at: datetime
    tag: str
    amount: Decimal
    currency: str
    debit_kind: str
    debit_player_id: int | None
    credit_kind: str
    credit_player_id: int | None
    debit_balance_after: Decimal | None
    credit_balance_after: Decimal | None


@dataclass(frozen=True, slots=True)
class HeldMoney:
    """All that a player holds in one currency, the money of bonuses apart."""

    currency: str
    main: Decimal
    vault: Decimal
    bonus: Decimal
    #: How many bonuses hold something of it.
    bonus_count: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What a player holds in one currency."""

    currency: str
    main: Decimal
    vault: Decimal


def get_balances(*, player: Player) -> list[Balance]:
    """
    Return what the player holds, one entry a currency; the money of bonuses is not in it.

    A player whose wallet nobody has opened holds nothing in its currency.
    """
    rows = (
        Account.objects.filter(player=player, kind__in=PLAYER_CASH_KINDS)
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


def get_bonus_balances(*, player: Player) -> dict[str, Decimal]:
    """Return what is in the player's bonus accounts, by owner: the id of the grant."""
    rows = Account.objects.filter(player=player, kind=AccountKind.PLAYER_BONUS)
    return {owner: balance or Decimal(0) for owner, balance in rows.values_list("owner", "balance")}


def list_held_money(*, player: Player) -> list[HeldMoney]:
    """
    Return all that the player holds, one entry a currency, in one statement.

    A player whose wallet nobody has opened holds nothing in its currency.
    """
    held: dict[str, dict[str, Decimal]] = {}
    bonuses: Counter[str] = Counter()
    rows = Account.objects.filter(player=player).values_list("currency", "kind", "balance")
    for currency, kind, balance in rows:
        amounts = held.setdefault(currency, {})
        amounts[kind] = amounts.get(kind, Decimal(0)) + (balance or Decimal(0))
        bonuses[currency] += kind == AccountKind.PLAYER_BONUS and bool(balance)
    return [
        HeldMoney(
            currency=currency,
            main=held[currency].get(AccountKind.PLAYER_MAIN, Decimal(0)),
            vault=held[currency].get(AccountKind.PLAYER_VAULT, Decimal(0)),
            bonus=held[currency].get(AccountKind.PLAYER_BONUS, Decimal(0)),
            bonus_count=bonuses[currency],
        )
        for currency in sorted(held)
    ] or [HeldMoney(player.currency, Decimal(0), Decimal(0), Decimal(0), 0)]


def list_newest_moves(*, player: Player, until: datetime | None, count: int) -> list[Move]:
    """
    Return the player's ``count`` newest transfers posted up to ``until``, newest first.

    Without stakes and winnings of bets, and without what contributions to jackpots took: of
    these a player has thousands.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _NEWEST_MOVES,
            {"player": player.pk, "count": count, "until": until or _LATEST},
        )
        return [Move(*row) for row in cursor.fetchall()]


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


def list_player_transactions(*, player: Player) -> TransferSideQuerySet:
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


def list_transfers(*, operator: Operator, references: Iterable[str]) -> TransferQuerySet:
    """Return the operator's transfers of those references, in the order of the ledger."""
    return (
        Transfer.objects.for_operator(operator)
        .filter(reference__in=list(references))
        .order_by("pk")
    )
