"""
The checks of bonuses: grants and what they paid in bets against the ledger, and the counts.

Imported when the app starts, so that core.books knows them.
"""

from collections.abc import Iterator
from decimal import Decimal

from django.db import connection

from core.books import Difference, register_check

# Each query yields subject, recorded number, and the number that the rows say it is.

_PROGRESS = """
WITH events AS (
    SELECT grant_id, sum(weighted_amount) AS weighted, sum(wagered_amount) AS wagered
    FROM bonuses_wagerevent GROUP BY grant_id
)
SELECT label || ' of grant ' || bonus.id, recorded, computed
FROM bonuses_bonusgrant AS bonus LEFT JOIN events ON events.grant_id = bonus.id
CROSS JOIN LATERAL (VALUES
    ('wagering_progress', bonus.wagering_progress, coalesce(events.weighted, 0)),
    ('total_wagered', bonus.total_wagered, coalesce(events.wagered, 0))
) AS number (label, recorded, computed)
WHERE recorded <> computed
ORDER BY 1
"""

_COMPLETED = """
SELECT 'wagering_progress of completed grant ' || id, wagering_progress, wagering_required
FROM bonuses_bonusgrant
WHERE is_internal AND status = 'completed' AND wagering_progress < wagering_required
ORDER BY 1
"""

# An account without a grant of its own that is active has nothing left.
_ACCOUNTS = """
SELECT 'bonus account ' || account.id || ' of grant ' || account.owner, account.balance, 0
FROM wallets_account AS account
LEFT JOIN bonuses_bonusgrant AS bonus
    ON bonus.id::text = account.owner AND bonus.player_id = account.player_id
    AND bonus.bonus_currency = account.currency AND bonus.is_internal
WHERE account.kind = 'PLAYER_BONUS' AND account.balance <> 0
    AND bonus.status IS DISTINCT FROM 'active'
ORDER BY 1
"""

# What moved for a grant as a whole, between which kinds of accounts; the bonus's own account
# and the player's main one have to be the grant's.
_WHOLES = """
WITH moves AS (
    SELECT transfer.operator_id, transfer.reference, transfer.amount, transfer.currency,
        debit.kind || '>' || credit.kind AS way,
        coalesce(debit.player_id, credit.player_id) AS player_id,
        CASE WHEN debit.kind = 'PLAYER_BONUS' THEN debit.owner ELSE credit.owner END AS owner
    FROM wallets_transfer AS transfer
    JOIN wallets_account AS debit ON debit.id = transfer.debit_account_id
    JOIN wallets_account AS credit ON credit.id = transfer.credit_account_id
    WHERE transfer.tag = 'BONUS'
), expected AS (
    SELECT bonus.operator_id, bonus.player_id, bonus.bonus_currency AS currency,
        bonus.id::text AS owner, 'bonus:' || bonus.id || ':' || part.move AS reference,
        part.way, part.amount
    FROM bonuses_bonusgrant AS bonus CROSS JOIN LATERAL (VALUES
        ('credit', 'BONUS_COST>PLAYER_BONUS', bonus.bonus_amount),
        ('release', 'PLAYER_BONUS>PLAYER_MAIN', coalesce(bonus.released_amount, 0)),
        ('excess', 'PLAYER_BONUS>BONUS_EXCESS', coalesce(bonus.excess_amount, 0))
    ) AS part (move, way, amount)
    WHERE bonus.is_internal
)
SELECT 'transfer ' || reference, coalesce(expected.amount, 0), coalesce(moves.amount, 0)
FROM expected FULL JOIN moves USING (operator_id, reference, way, player_id, currency, owner)
WHERE coalesce(expected.amount, 0) <> coalesce(moves.amount, 0)
    AND (expected.reference IS NOT NULL OR split_part(reference, ':', 3)
        IN ('credit', 'release', 'excess'))
ORDER BY 1
"""

_CLAWBACKS = """
SELECT 'transfer ' || transfer.reference, 0, transfer.amount
FROM wallets_transfer AS transfer
JOIN wallets_account AS debit ON debit.id = transfer.debit_account_id
JOIN wallets_account AS credit ON credit.id = transfer.credit_account_id
LEFT JOIN bonuses_bonusgrant AS bonus
    ON bonus.operator_id = transfer.operator_id
    AND transfer.reference = 'bonus:' || bonus.id || ':clawback'
    AND debit.kind = 'PLAYER_BONUS' AND debit.owner = bonus.id::text
    AND debit.player_id = bonus.player_id AND credit.kind = 'BONUS_COST'
WHERE transfer.reference LIKE 'bonus:%:clawback'
    AND (bonus.id IS NULL OR bonus.status IN ('active', 'completed'))
ORDER BY 1
"""

# What the games paid for a bet's bonus part, below zero what they got: the ledger's view.
_FUNDINGS = """
WITH moved AS (
    SELECT transfer.operator_id, split_part(reference, ':', 2) AS grant_id,
        split_part(reference, ':', 4) AS bet_ref, split_part(reference, ':', 3) AS move,
        CASE WHEN debit.kind = 'HOUSE_GAMES' THEN transfer.amount ELSE -transfer.amount END
            AS amount
    FROM wallets_transfer AS transfer
    JOIN wallets_account AS debit ON debit.id = transfer.debit_account_id
    WHERE reference LIKE 'bonus:%:%:%'
), sums AS (
    SELECT operator_id, grant_id, bet_ref, sum(amount) AS total,
        coalesce(sum(amount) FILTER (WHERE move = 'stake'), 0) AS stake,
        coalesce(sum(amount) FILTER (WHERE move IN ('win', 'late-win')), 0) AS paid,
        coalesce(sum(amount) FILTER (WHERE move = 'late-excess'), 0) AS excess,
        coalesce(sum(amount) FILTER (WHERE move IN ('late-win', 'undo')), 0) AS late_main,
        coalesce(sum(amount) FILTER (WHERE move IN ('late-excess', 'undo-excess')), 0)
            AS late_excess,
        coalesce(sum(amount) FILTER (WHERE move = 'unstake-cost'), 0) AS to_cost
    FROM moved GROUP BY operator_id, grant_id, bet_ref
), fundings AS (
    SELECT bonus.operator_id, funding.grant_id::text AS grant_id, bet_ref, stake_amount,
        coalesce(funding.paid_amount, 0) AS paid_amount,
        coalesce(funding.excess_amount, 0) AS excess_amount,
        late_main_amount, late_excess_amount, rolled_back_at
    FROM bonuses_betfunding AS funding
    JOIN bonuses_bonusgrant AS bonus ON bonus.id = funding.grant_id
)
SELECT label || ' of bet ' || bet_ref || ' of grant ' || grant_id, recorded, computed
FROM fundings FULL JOIN sums USING (operator_id, grant_id, bet_ref)
CROSS JOIN LATERAL (VALUES
    ('stake_amount', coalesce(stake_amount, 0), -coalesce(stake, 0)),
    ('paid_amount', coalesce(paid_amount, 0), coalesce(paid, 0)),
    ('excess_amount', coalesce(excess_amount, 0), coalesce(excess, 0)),
    ('late_main_amount', coalesce(late_main_amount, 0), coalesce(late_main, 0)),
    ('late_excess_amount', coalesce(late_excess_amount, 0), coalesce(late_excess, 0)),
    -- What was rolled back has moved nothing in the end, but for what an end took meanwhile.
    ('total', CASE
        WHEN stake_amount IS NULL THEN 0
        WHEN rolled_back_at IS NULL THEN paid_amount + excess_amount - stake_amount
        WHEN to_cost > 0 THEN paid_amount
        ELSE 0
     END, coalesce(total, 0))
) AS number (label, recorded, computed)
WHERE recorded <> computed
ORDER BY 1
"""

_ISSUANCES = """
SELECT 'grants of issuance ' || issuance.id,
    CASE WHEN issuance.status = 'succeeded' THEN 1 ELSE 0 END,
    count(bonus.id)
FROM bonuses_bonusissuance AS issuance
LEFT JOIN bonuses_bonusgrant AS bonus
    ON bonus.issuance_id = issuance.id AND bonus.id = issuance.grant_id
    AND bonus.player_id = issuance.player_id AND bonus.template_id = issuance.template_id
GROUP BY issuance.id, issuance.status
HAVING count(bonus.id) <> CASE WHEN issuance.status = 'succeeded' THEN 1 ELSE 0 END
ORDER BY 1
"""

_CAMPAIGNS = """
SELECT 'targets of campaign ' || campaign.id, coalesce(campaign.audience_size, 0),
    count(target.id) FILTER (
        WHERE target.status IN ('pending', 'granted', 'skipped', 'failed')
    )
FROM bonuses_bonuscampaign AS campaign
LEFT JOIN bonuses_campaigntarget AS target ON target.campaign_id = campaign.id
GROUP BY campaign.id
HAVING coalesce(campaign.audience_size, 0) <> count(target.id) FILTER (
        WHERE target.status IN ('pending', 'granted', 'skipped', 'failed')
    )
ORDER BY 1
"""

_GRANTED = """
SELECT 'granted target ' || target.id || ' of campaign ' || campaign.id, 1, 0
FROM bonuses_campaigntarget AS target
JOIN bonuses_bonuscampaign AS campaign ON campaign.id = target.campaign_id
LEFT JOIN bonuses_bonusissuance AS issuance
    ON issuance.id = target.issuance_id AND issuance.player_id = target.player_id
    AND issuance.template_id = campaign.template_id
WHERE target.status = 'granted' AND issuance.id IS NULL
ORDER BY 1
"""

_BUDGETS = """
SELECT 'committed_base of campaign ' || campaign.id, campaign.committed_base,
    coalesce(sum(target.cost_base), 0)
FROM bonuses_bonuscampaign AS campaign
LEFT JOIN bonuses_campaigntarget AS target ON target.campaign_id = campaign.id
GROUP BY campaign.id
HAVING campaign.committed_base <> coalesce(sum(target.cost_base), 0)
ORDER BY 1
"""


@register_check("bonuses.progress")
def check_progress() -> Iterator[Difference]:
    """Find grants whose wagering is not the sum of their wager events."""
    return _differences("bonuses.progress", _PROGRESS)


@register_check("bonuses.completed")
def check_completed() -> Iterator[Difference]:
    """Find our own grants that completed below their requirement."""
    return _differences("bonuses.completed", _COMPLETED)


@register_check("bonuses.accounts")
def check_accounts() -> Iterator[Difference]:
    """Find bonus accounts that hold something without an active grant."""
    return _differences("bonuses.accounts", _ACCOUNTS)


@register_check("bonuses.money")
def check_money() -> Iterator[Difference]:
    """Find grants that were credited or released other than their columns say."""
    return _differences("bonuses.money", _WHOLES)


@register_check("bonuses.clawbacks")
def check_clawbacks() -> Iterator[Difference]:
    """Find clawbacks of what no grant lost."""
    return _differences("bonuses.clawbacks", _CLAWBACKS)


@register_check("bonuses.fundings")
def check_fundings() -> Iterator[Difference]:
    """Find bets for which bonus money has not moved as the rows of their funding say."""
    return _differences("bonuses.fundings", _FUNDINGS)


@register_check("bonuses.issuances")
def check_issuances() -> Iterator[Difference]:
    """Find issuances that succeeded without a grant, or have one and did not."""
    return _differences("bonuses.issuances", _ISSUANCES)


@register_check("bonuses.campaigns")
def check_campaigns() -> Iterator[Difference]:
    """Find campaigns whose targets are not as many as their audience."""
    return _differences("bonuses.campaigns", _CAMPAIGNS)


@register_check("bonuses.budgets")
def check_budgets() -> Iterator[Difference]:
    """Find campaigns that have committed other than their targets cost."""
    return _differences("bonuses.budgets", _BUDGETS)


@register_check("bonuses.campaign_grants")
def check_campaign_grants() -> Iterator[Difference]:
    """Find targets that count as granted without an issuance to that player."""
    return _differences("bonuses.campaign_grants", _GRANTED)


def _differences(check: str, query: str) -> Iterator[Difference]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        for subject, recorded, computed in cursor.fetchall():
            yield Difference(check, subject, Decimal(recorded), Decimal(computed))
