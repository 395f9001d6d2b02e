"""The checks of the ledger: every balance is the sum of its rows, every row is sound."""

from collections.abc import Iterator

from django.db import connection

from core.books import Difference, register_check

# Each query yields the account, the transfer (null when it is the account's own number), the
# number that is recorded, and the number that the rows say it is.

_BALANCES = """
WITH sums AS (
    SELECT account_id, sum(CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END) AS total
    FROM wallets_transferside WHERE balance_after IS NOT NULL GROUP BY account_id
)
SELECT account.id, NULL, account.balance, coalesce(sums.total, 0)
FROM wallets_account AS account LEFT JOIN sums ON sums.account_id = account.id
WHERE account.balance IS NOT NULL AND account.balance <> coalesce(sums.total, 0)
ORDER BY account.id
"""

_CHAINS = """
WITH steps AS (
    SELECT account_id, id, balance_after,
           lag(balance_after, 1, 0) OVER (PARTITION BY account_id ORDER BY id)
               + CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END AS expected
    FROM wallets_transferside WHERE balance_after IS NOT NULL
)
SELECT account_id, id, balance_after, expected
FROM steps WHERE balance_after <> expected
ORDER BY account_id, id
"""

# The whole ledger is read once, whatever the number of hot accounts.
_SNAPSHOTS = """
WITH sums AS (
    SELECT side.account_id,
           sum(CASE side.type WHEN 'DEPOSIT' THEN side.amount ELSE -side.amount END) AS total
    FROM wallets_accountsnapshot AS snapshot
    JOIN wallets_transferside AS side
      ON side.account_id = snapshot.account_id AND side.xid < snapshot.watermark
    GROUP BY side.account_id
)
SELECT snapshot.account_id, NULL, snapshot.balance, coalesce(sums.total, 0)
FROM wallets_accountsnapshot AS snapshot
LEFT JOIN sums ON sums.account_id = snapshot.account_id
WHERE snapshot.balance <> coalesce(sums.total, 0)
ORDER BY snapshot.account_id
"""

# A reversal that goes elsewhere, or is called something else, gave nothing back.
_REVERSALS = """
WITH pairs AS (
    SELECT reversal.id, reversal.debit_account_id, reversal.amount,
           CASE WHEN reversal.debit_account_id = original.credit_account_id
                 AND reversal.credit_account_id = original.debit_account_id
                 AND reversal.tag = 'ROLLBACK'
                THEN original.amount ELSE 0 END AS expected
    FROM wallets_transfer AS reversal
    JOIN wallets_transfer AS original ON original.id = reversal.reverses_id
)
SELECT debit_account_id, id, amount, expected FROM pairs WHERE amount <> expected ORDER BY id
"""

# A side that does not agree with its account is an amount that the account never had.
_SIDES = """
SELECT side.account_id, side.id, side.amount, 0::numeric
FROM wallets_transferside AS side LEFT JOIN wallets_account AS account
  ON account.id = side.account_id
WHERE account.id IS NULL
   OR account.operator_id <> side.operator_id
   OR account.currency <> side.currency
   OR (account.balance IS NULL) <> (side.balance_after IS NULL)
ORDER BY side.id, side.account_id
"""


@register_check("wallets.balances")
def check_balances() -> Iterator[Difference]:
    """Find players' accounts whose balance is not the sum of their transfers."""
    yield from _differences("wallets.balances", _BALANCES)


@register_check("wallets.balance_chains")
def check_balance_chains() -> Iterator[Difference]:
    """Find transfers after which a balance is not the one before it and the amount."""
    yield from _differences("wallets.balance_chains", _CHAINS)


@register_check("wallets.snapshots")
def check_snapshots() -> Iterator[Difference]:
    """Find snapshots of hot accounts that are not the sum of the rows below the watermark."""
    yield from _differences("wallets.snapshots", _SNAPSHOTS)


@register_check("wallets.reversals")
def check_reversals() -> Iterator[Difference]:
    """Find reversals that do not move back what their original moved."""
    yield from _differences("wallets.reversals", _REVERSALS)


@register_check("wallets.accounts_of_transfers")
def check_accounts_of_transfers() -> Iterator[Difference]:
    """Find transfers that differ from their accounts in operator, currency or kind."""
    yield from _differences("wallets.accounts_of_transfers", _SIDES)


def _differences(check: str, query: str) -> Iterator[Difference]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()
    for account_id, transfer_id, recorded, computed in rows:
        at_transfer = "" if transfer_id is None else f" at transfer {transfer_id}"
        yield Difference(
            check=check,
            subject=f"account {account_id}{at_transfer}",
            recorded=recorded,
            computed=computed,
        )
