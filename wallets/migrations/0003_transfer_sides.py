"""The view behind TransferSide: each transfer twice, as its two accounts saw it."""

from django.db import migrations

# Without a WHERE in the halves: only so does the planner merge the two indexes (account, id)
# in their order, and a page of a statement costs the same however long the statement is.
FORWARD = """
CREATE VIEW wallets_transferside AS
SELECT id, public_id, operator_id, debit_account_id AS account_id, 'WITHDRAW'::varchar AS type,
       tag, amount, currency, debit_balance_after AS balance_after, reference, posted_at, xid
FROM wallets_transfer
UNION ALL
SELECT id, public_id, operator_id, credit_account_id, 'DEPOSIT'::varchar,
       tag, amount, currency, credit_balance_after, reference, posted_at, xid
FROM wallets_transfer;
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0002_posting")]

    operations = [migrations.RunSQL(FORWARD, "DROP VIEW wallets_transferside")]
