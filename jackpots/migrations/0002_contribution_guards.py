"""What Django's constraints cannot say about contributions, and the order of their ledger."""

from django.db import migrations

FORWARD = """
CREATE SEQUENCE jackpots_contribution_number;

-- NaN sorts above every number, so a lower bound alone would let it in.
ALTER TABLE jackpots_contribution
    ADD CONSTRAINT contribution_parts_not_negative
        CHECK (0 <= ALL (pot_amounts) AND 'NaN'::numeric <> ALL (pot_amounts)),
    ADD CONSTRAINT contribution_accumulated_not_negative
        CHECK (accumulated >= 0 AND accumulated <> 'NaN'::numeric),
    ALTER COLUMN number SET DEFAULT nextval('jackpots_contribution_number'),
    ALTER COLUMN xid SET DEFAULT pg_current_xact_id();
"""

BACKWARD = """
ALTER TABLE jackpots_contribution
    ALTER COLUMN xid DROP DEFAULT,
    ALTER COLUMN number DROP DEFAULT,
    DROP CONSTRAINT contribution_accumulated_not_negative,
    DROP CONSTRAINT contribution_parts_not_negative;
DROP SEQUENCE jackpots_contribution_number;
"""


class Migration(migrations.Migration):
    dependencies = [("jackpots", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
