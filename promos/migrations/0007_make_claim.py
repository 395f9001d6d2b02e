"""A claim with all that it does at once: no round trip is made while its promo is held."""

from django.db import migrations

MAKE_CLAIM = """
CREATE FUNCTION promos_make_claim(
    p_claim jsonb, p_revision integer, p_locked_until timestamptz, p_entry jsonb,
    p_postings jsonb, p_messages jsonb, p_answer jsonb
) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_operator_id bigint := p_claim ->> 'operator_id';
    v_now timestamptz := p_claim ->> 'claimed_at';
    v_outcome text;
BEGIN
    IF p_answer IS NOT NULL THEN
        PERFORM FROM core_claim_idempotency_key(v_operator_id, p_answer ->> 'key');
        IF FOUND THEN
            RETURN 'ANSWERED';
        END IF;
    END IF;
    v_outcome := promos_record_claim(p_claim, p_revision, p_locked_until, p_entry);
    IF v_outcome IS NOT NULL THEN
        RETURN v_outcome;
    END IF;
    IF jsonb_array_length(p_postings) > 0 THEN
        PERFORM FROM wallets_post_transfers(v_operator_id, p_postings, v_now);
    END IF;
    INSERT INTO core_outboxmessage
    SELECT * FROM jsonb_populate_recordset(NULL::core_outboxmessage, p_messages);
    IF p_answer IS NOT NULL THEN
        INSERT INTO core_idempotencyrecord (operator_id, key, fingerprint, answer, created_at)
        VALUES (
            v_operator_id, p_answer ->> 'key', p_answer ->> 'fingerprint', p_answer ->> 'answer',
            v_now
        );
    END IF;
    RETURN NULL;
END
$$;
"""

BACKWARD = """
DROP FUNCTION promos_make_claim(jsonb, integer, timestamptz, jsonb, jsonb, jsonb, jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("promos", "0006_indexes_of_costs"),
        ("core", "0005_audit_by_time"),
        ("wallets", "0007_moves_but_play"),
    ]

    operations = [migrations.RunSQL(MAKE_CLAIM, BACKWARD)]
