"""Keeps the balances of hot accounts cheap to read: folds their newer rows into snapshots."""

import logging
from datetime import datetime

from django.db import connection, transaction

from core import locks
from core.errors import ResourceBusy
from wallets.models import AccountSnapshot

logger = logging.getLogger(__name__)

# Hot accounts with rows to fold: two look-ups in an index for each hot account.
_DUE = """
SELECT account.id
FROM wallets_account AS account
LEFT JOIN wallets_accountsnapshot AS snapshot ON snapshot.account_id = account.id
WHERE account.player_id IS NULL
  AND (
    EXISTS (
        SELECT FROM wallets_transfer
        WHERE credit_account_id = account.id AND credit_balance_after IS NULL
          AND xid >= coalesce(snapshot.watermark, '0')
          AND xid < pg_snapshot_xmin(pg_current_snapshot()))
    OR EXISTS (
        SELECT FROM wallets_transfer
        WHERE debit_account_id = account.id AND debit_balance_after IS NULL
          AND xid >= coalesce(snapshot.watermark, '0')
          AND xid < pg_snapshot_xmin(pg_current_snapshot()))
  )
ORDER BY snapshot.taken_at NULLS FIRST, account.id
LIMIT %s
"""

# Every transaction below the horizon is over, so its rows are all visible or never will
# be: what is added here is whole, and what comes later is at or above the new watermark.
_FOLD = """
WITH horizon AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xid)
UPDATE wallets_accountsnapshot AS snapshot
SET balance = snapshot.balance
        + coalesce((
            SELECT sum(amount) FROM wallets_transfer
            WHERE credit_account_id = snapshot.account_id AND credit_balance_after IS NULL
              AND xid >= snapshot.watermark AND xid < horizon.xid), 0)
        - coalesce((
            SELECT sum(amount) FROM wallets_transfer
            WHERE debit_account_id = snapshot.account_id AND debit_balance_after IS NULL
              AND xid >= snapshot.watermark AND xid < horizon.xid), 0),
    watermark = horizon.xid,
    taken_at = %s
FROM horizon
WHERE snapshot.account_id = %s AND snapshot.watermark < horizon.xid
"""


def snapshot_hot_accounts(*, now: datetime, limit: int) -> int:
    """
    Fold the newer rows of up to ``limit`` hot accounts and return how many were folded.

    The accounts folded longest ago come first, each in its own transaction. Rows of
    transactions that are still running stay for a later run: a long transaction anywhere
    delays the fold, never the truth.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [limit])
        account_ids = [account_id for (account_id,) in cursor.fetchall()]
    folded_count = 0
    for account_id in account_ids:
        try:
            folded_count += _fold_account(account_id, now=now)
        except ResourceBusy:
            logger.info("the snapshot of account %s is in use; left for the next run", account_id)
        except Exception:
            # One account that cannot be folded must not stop the folding of all others.
            logger.exception("account %s could not be folded", account_id)
    return folded_count


@transaction.atomic(durable=True)
def _fold_account(account_id: int, *, now: datetime) -> bool:
    AccountSnapshot.objects.bulk_create(
        [AccountSnapshot(account_id=account_id, balance=0, watermark=0, taken_at=now)],
        ignore_conflicts=True,
    )
    # A statement of its own, so that the fold's snapshot is younger than the lock: what an
    # UPDATE sums that has had to wait, nobody should have to work out.
    locks.lock_one(AccountSnapshot.objects.filter(account_id=account_id))
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, [now, account_id])
        return bool(cursor.rowcount)
