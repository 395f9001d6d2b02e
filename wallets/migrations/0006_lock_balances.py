"""The function that locks what a bet may be paid from, in one round trip and one order."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION wallets_lock_balances(
    p_operator_id bigint, p_player_id bigint, p_currency text, p_owners text[]
) RETURNS TABLE (owner text, balance numeric)
LANGUAGE sql VOLATILE AS $$
    SELECT account.owner::text, account.balance FROM wallets_account AS account
    WHERE account.operator_id = p_operator_id AND account.currency = p_currency
      AND account.player_id = p_player_id
      AND ((account.kind = 'PLAYER_MAIN' AND account.owner = '')
        OR (account.kind = 'PLAYER_BONUS' AND account.owner = ANY (p_owners)))
    ORDER BY account.id
    FOR NO KEY UPDATE
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0005_bonus_accounts")]

    operations = [
        migrations.RunSQL(FORWARD, "DROP FUNCTION wallets_lock_balances(bigint, bigint, text, text[])")
    ]
