"""
What keeps a draw exact while a long transaction holds the horizon of snapshots back.

A draw counts the ledger to its end, also what no fold has taken yet, and moves the
watermark behind its last row. From then on the watermark of the instance may lie above
the horizon, so a later fold must not move it back, and a reversal written by a transaction
that began before the draw would lie below it, where no fold looks: such a transaction is
told to begin again, as if the row had been in use.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION jackpots_keep_watermark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.folded_to := OLD.folded_to;
    RETURN NEW;
END
$$;

CREATE TRIGGER instance_watermark_only_rises BEFORE UPDATE OF folded_to ON jackpots_instance
    FOR EACH ROW WHEN (NEW.folded_to < OLD.folded_to)
    EXECUTE FUNCTION jackpots_keep_watermark();

CREATE FUNCTION jackpots_refuse_folded_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.xid < (SELECT folded_to FROM jackpots_instance WHERE id = NEW.instance_id) THEN
        RAISE EXCEPTION 'The instance was drawn after this transaction had begun: begin again.'
            USING ERRCODE = 'lock_not_available';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER contribution_reversal_is_still_to_fold BEFORE INSERT ON jackpots_contribution
    FOR EACH ROW WHEN (NEW.status = 'reversal')
    EXECUTE FUNCTION jackpots_refuse_folded_reversal();
"""

BACKWARD = """
DROP TRIGGER contribution_reversal_is_still_to_fold ON jackpots_contribution;
DROP FUNCTION jackpots_refuse_folded_reversal();
DROP TRIGGER instance_watermark_only_rises ON jackpots_instance;
DROP FUNCTION jackpots_keep_watermark();
"""


class Migration(migrations.Migration):
    dependencies = [("jackpots", "0012_pot_drop_anchor")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
