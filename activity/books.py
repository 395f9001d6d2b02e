"""
The checks of activity: totals, deposits, withdrawals and bets, each from its rows.

Imported when the app starts, so that core.books knows them.
"""

from collections.abc import Iterator

from django.db import connection

from core.books import Difference, register_check

# Each query yields subject, recorded number, and the number that the rows say it is.

_TOTALS = """
WITH deposits AS (
    SELECT player_id, sum(usd_amount) AS total, count(*) AS count
    FROM activity_deposit GROUP BY player_id
), wagers AS (
    SELECT player_id, sum(stake_usd) AS total
    FROM activity_bet WHERE status = 'settled' GROUP BY player_id
)
SELECT label || ' of player ' || player.id, recorded, computed
FROM players_player AS player
LEFT JOIN deposits ON deposits.player_id = player.id
LEFT JOIN wagers ON wagers.player_id = player.id
CROSS JOIN LATERAL (VALUES
    ('total_deposit_usd', player.total_deposit_usd, coalesce(deposits.total, 0)),
    ('deposit_count', player.deposit_count, coalesce(deposits.count, 0)),
    ('total_wager_usd', player.total_wager_usd, coalesce(wagers.total, 0))
) AS number (label, recorded, computed)
WHERE recorded <> computed
ORDER BY player.id, label
"""

# What each row says should have moved a player's main account, and what did. What bonus money
# paid and got is for bonuses.books to prove.
_MOVES = """
WITH expected AS (
    SELECT operator_id, player_id, currency, 'deposit:' || reference AS reference,
           'DEPOSIT' AS tag, amount
    FROM activity_deposit
    UNION ALL
    SELECT operator_id, player_id, currency, 'withdrawal:' || reference, 'WITHDRAWAL', -amount
    FROM activity_withdrawal
    UNION ALL
    SELECT operator_id, player_id, currency, 'bet:' || player_id || ':' || bet_id, 'BET',
           bonus_stake - stake
    FROM activity_bet
    UNION ALL
    SELECT operator_id, player_id, currency, 'win:' || player_id || ':' || bet_id, 'WIN',
           payout - bonus_payout
    FROM activity_bet WHERE payout > 0
), moved AS (
    SELECT transfer.operator_id, transfer.reference, transfer.tag, transfer.currency,
           coalesce(credit.player_id, debit.player_id) AS player_id,
           CASE WHEN credit.player_id IS NULL THEN -transfer.amount ELSE transfer.amount END
               AS amount
    FROM wallets_transfer AS transfer
    JOIN wallets_account AS debit ON debit.id = transfer.debit_account_id
    JOIN wallets_account AS credit ON credit.id = transfer.credit_account_id
    WHERE transfer.tag IN ('DEPOSIT', 'WITHDRAWAL', 'BET', 'WIN')
)
SELECT 'transfer ' || expected.reference || ' of operator ' || expected.operator_id,
       coalesce(moved.amount, 0), expected.amount
FROM expected LEFT JOIN moved USING (operator_id, reference, tag, currency, player_id)
WHERE coalesce(moved.amount, 0) <> expected.amount
ORDER BY 1
"""

# A bet that was rolled back has moved nothing in the end; any other has not been reversed.
_ROLLBACKS = """
WITH reversed AS (
    SELECT original.operator_id, original.reference, reversal.amount
    FROM wallets_transfer AS original
    JOIN wallets_transfer AS reversal ON reversal.reverses_id = original.id
    WHERE original.tag IN ('BET', 'WIN')
), bets AS (
    SELECT id, operator_id, status, part.reference, part.amount
    FROM activity_bet CROSS JOIN LATERAL (VALUES
        ('bet:' || player_id || ':' || bet_id, stake - bonus_stake),
        ('win:' || player_id || ':' || bet_id, coalesce(payout, 0) - bonus_payout)
    ) AS part (reference, amount)
)
SELECT 'rollback of ' || reference || ' of bet ' || bets.id,
       coalesce(reversed.amount, 0),
       CASE WHEN status = 'rolled_back' THEN bets.amount ELSE 0 END
FROM bets LEFT JOIN reversed USING (operator_id, reference)
WHERE coalesce(reversed.amount, 0)
    <> CASE WHEN status = 'rolled_back' THEN bets.amount ELSE 0 END
ORDER BY 1
"""


# What a bet says of bonus money, and what the fundings of its stake say.
_BONUS_PARTS = """
WITH fundings AS (
    SELECT bet_ref, sum(stake_amount) AS stake, sum(coalesce(payout_share, 0)) AS payout
    FROM bonuses_betfunding GROUP BY bet_ref
)
SELECT label || ' of bet ' || coalesce(bet.id::text, fundings.bet_ref), recorded, computed
FROM activity_bet AS bet FULL JOIN fundings ON fundings.bet_ref = bet.id::text
CROSS JOIN LATERAL (VALUES
    ('bonus_stake', coalesce(bet.bonus_stake, 0), coalesce(fundings.stake, 0)),
    ('bonus_payout', coalesce(bet.bonus_payout, 0), coalesce(fundings.payout, 0))
) AS number (label, recorded, computed)
WHERE recorded <> computed
ORDER BY 1
"""


@register_check("activity.totals")
def check_totals() -> Iterator[Difference]:
    """Find players whose totals are not the sums of their deposits and settled bets."""
    return _differences("activity.totals", _TOTALS)


@register_check("activity.transfers")
def check_transfers() -> Iterator[Difference]:
    """Find deposits, withdrawals and bets that have not moved what they say."""
    return _differences("activity.transfers", _MOVES)


@register_check("activity.rollbacks")
def check_rollbacks() -> Iterator[Difference]:
    """Find bets that are rolled back and were not reversed, or the other way round."""
    return _differences("activity.rollbacks", _ROLLBACKS)


@register_check("activity.bonus_parts")
def check_bonus_parts() -> Iterator[Difference]:
    """Find bets whose bonus parts are not the sums of their fundings."""
    return _differences("activity.bonus_parts", _BONUS_PARTS)


def _differences(check: str, query: str) -> Iterator[Difference]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        for subject, recorded, computed in cursor.fetchall():
            yield Difference(check, subject, recorded, computed)
