-- What does not add up among the twins, if anything: a name and by how much.
SELECT 'pots', sum(difference) FROM (
    SELECT pot.amount - coalesce(sum(contribution.amount), 0) AS difference
    FROM twin.pot LEFT JOIN twin.contribution ON contribution.pot_id = pot.id GROUP BY pot.id
) AS pots WHERE difference <> 0 HAVING count(*) > 0
UNION ALL
SELECT 'wallets', wallets.total - 1000000 * 100000.0 - ledger.total
    FROM (SELECT sum(balance) AS total FROM twin.wallet) AS wallets,
        (SELECT coalesce(sum(amount), 0) AS total FROM twin.ledger) AS ledger
    WHERE wallets.total - 1000000 * 100000.0 <> ledger.total
UNION ALL
SELECT 'claims', 1000000000 - promo.claims_left - count(claim.id)
    FROM twin.promo LEFT JOIN twin.claim ON claim.promo_id = promo.id
    GROUP BY promo.id HAVING 1000000000 - promo.claims_left <> count(claim.id)
UNION ALL
SELECT 'bonuses', bonuses.total - ledger.total
    FROM (SELECT sum(progress) AS total FROM twin.bonus) AS bonuses,
        (SELECT coalesce(sum(amount), 0) AS total FROM twin.bonus_ledger) AS ledger
    WHERE bonuses.total <> ledger.total;
