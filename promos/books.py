"""
The checks of promos: bonuses and clawbacks against the ledger, progress, and what is left.

Imported when the app starts, so that core.books knows them.
"""

from collections.abc import Iterator
from decimal import Decimal

from django.db import connection

from core.books import Difference, register_check


def _differences(check: str, query: str) -> Iterator[Difference]:
    """Yield a difference for each row (subject, recorded, computed) of the query."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        for subject, recorded, computed in cursor.fetchall():
            yield Difference(check, subject, Decimal(recorded), Decimal(computed))


_MONEY = """
SELECT 'user promo ' || claim.id, coalesce(claim.{column}, 0), coalesce(transfer.amount, 0)
FROM promos_userpromo AS claim
LEFT JOIN wallets_transfer AS transfer
    ON transfer.operator_id = claim.operator_id
    AND transfer.reference = 'promo:' || claim.id || ':{kind}'
LEFT JOIN wallets_account AS account
    ON account.id = transfer.{side}_account_id
WHERE coalesce(claim.{column}, 0) <> coalesce(transfer.amount, 0)
    OR (transfer.id IS NOT NULL AND (account.player_id, account.currency, account.kind)
        IS DISTINCT FROM (claim.player_id, claim.bonus_currency, 'PLAYER_MAIN'))
UNION ALL
SELECT 'transfer ' || transfer.reference, 0, transfer.amount
FROM wallets_transfer AS transfer
WHERE transfer.tag = 'PROMO' AND transfer.reference LIKE 'promo:%:{kind}'
    AND NOT EXISTS (
        SELECT FROM promos_userpromo AS claim
        WHERE claim.operator_id = transfer.operator_id
          AND transfer.reference = 'promo:' || claim.id || ':{kind}')
"""


@register_check("promos.bonuses")
def check_bonuses() -> Iterator[Difference]:
    """Every bonus given has its transfer, to the player's main account, and no other has."""
    return _differences(
        "promos.bonuses", _MONEY.format(column="bonus_amount", kind="bonus", side="credit")
    )


@register_check("promos.clawbacks")
def check_clawbacks() -> Iterator[Difference]:
    """Every clawback has its transfer, out of the player's main account, and no other has."""
    return _differences(
        "promos.clawbacks", _MONEY.format(column="clawback_amount", kind="clawback", side="debit")
    )


@register_check("promos.progress")
def check_progress() -> Iterator[Difference]:
    """What was wagered for a claim is the sum of its wager records."""
    return _differences(
        "promos.progress",
        """
        SELECT 'user promo ' || claim.id, claim.wagered_usd_amount, coalesce(records.total, 0)
        FROM promos_userpromo AS claim
        LEFT JOIN (
            SELECT user_promo_id, sum(usd_amount) AS total FROM promos_wagerrecord GROUP BY 1
        ) AS records ON records.user_promo_id = claim.id
        WHERE claim.wagered_usd_amount <> coalesce(records.total, 0)
        """,
    )


@register_check("promos.claims")
def check_claims() -> Iterator[Difference]:
    """What is left of a cap is the cap less the claims."""
    return _differences(
        "promos.claims",
        """
        SELECT 'promo ' || promo.code || ' ' || promo.id, promo.claims_left,
            promo.claims_cap - coalesce(claims.total, 0)
        FROM promos_promo AS promo
        LEFT JOIN (
            SELECT promo_id, count(*) AS total FROM promos_userpromo GROUP BY 1
        ) AS claims ON claims.promo_id = promo.id
        WHERE promo.claims_left <> promo.claims_cap - coalesce(claims.total, 0)
        """,
    )


@register_check("promos.codes")
def check_codes() -> Iterator[Difference]:
    """A batch has as many codes as it counts."""
    return _differences(
        "promos.codes",
        """
        SELECT 'batch ' || batch.id, batch.made_count, coalesce(codes.total, 0)
        FROM promos_codebatch AS batch
        LEFT JOIN (
            SELECT batch_id, count(*) AS total FROM promos_promobatchcode GROUP BY 1
        ) AS codes ON codes.batch_id = batch.id
        WHERE batch.made_count <> coalesce(codes.total, 0)
        """,
    )
