"""The function that every command with an Idempotency-Key asks first."""

from django.db import migrations

# Two statements on purpose: the look-up must not use a snapshot from before the lock.
FORWARD = """
CREATE FUNCTION core_claim_idempotency_key(p_operator_id bigint, p_key text)
RETURNS TABLE (fingerprint varchar, answer text)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    -- 1 is core.locks.AdvisoryLock.IDEMPOTENCY_KEY.
    PERFORM pg_advisory_xact_lock(1, hashtext(p_operator_id || ':' || p_key));
    RETURN QUERY
        SELECT record.fingerprint, record.answer
        FROM core_idempotencyrecord AS record
        WHERE record.operator_id = p_operator_id AND record.key = p_key;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.RunSQL(
            FORWARD, "DROP FUNCTION core_claim_idempotency_key(bigint, text)"
        )
    ]
