"""The functions of a claim: its record in one round trip, and the balance its ending meets."""

from django.db import migrations

RECORD_CLAIM = """
CREATE FUNCTION promos_record_claim(
    p_claim jsonb, p_revision integer, p_locked_until timestamptz, p_entry jsonb
) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_claim promos_userpromo;
    v_revision integer;
    v_claims_left integer;
BEGIN
    v_claim := jsonb_populate_record(NULL::promos_userpromo, p_claim);

    -- With a cap, claims of one promo take turns; whoever waited looks at what is left now.
    UPDATE promos_promo SET claims_left = claims_left - 1
    WHERE id = v_claim.promo_id AND operator_id = v_claim.operator_id
      AND revision = p_revision AND claims_left > 0;
    IF NOT FOUND THEN
        -- Looked at without a lock: whoever shared the row here and then came back to update
        -- it would wait for the others who had done the same, and they for each other.
        SELECT revision, claims_left INTO v_revision, v_claims_left FROM promos_promo
        WHERE id = v_claim.promo_id AND operator_id = v_claim.operator_id;
        IF v_revision IS DISTINCT FROM p_revision OR v_claims_left > 0 THEN
            RETURN 'STALE';
        ELSIF v_claims_left = 0 THEN
            RETURN 'EXHAUSTED';
        END IF;
        -- Without a cap, claims share the row, and only a change of the terms makes them wait.
        SELECT revision, claims_left INTO v_revision, v_claims_left FROM promos_promo
        WHERE id = v_claim.promo_id AND operator_id = v_claim.operator_id
        FOR SHARE;
        IF v_revision IS DISTINCT FROM p_revision THEN
            -- Changed at this moment. The share ends with the transaction only: see above.
            RETURN 'BUSY';
        END IF;
    END IF;

    IF v_claim.batch_code_id IS NOT NULL THEN
        -- Shared, so that codes of one batch never wait for each other.
        PERFORM FROM promos_codebatch AS batch
        JOIN promos_promobatchcode AS code ON code.batch_id = batch.id
        WHERE code.id = v_claim.batch_code_id AND batch.disabled_at IS NULL
        FOR SHARE OF batch;
        IF NOT FOUND THEN
            -- Disabled since it was looked at: with a cap, the claim taken out goes back.
            UPDATE promos_promo SET claims_left = claims_left + 1
            WHERE id = v_claim.promo_id AND claims_left IS NOT NULL;
            RETURN 'STALE';
        END IF;
    END IF;

    INSERT INTO promos_userpromo SELECT v_claim.*;

    IF p_locked_until IS NOT NULL THEN
        INSERT INTO promos_withdrawallock (
            operator_id, player_id, user_promo_id, source, until, created_at,
            lifted_by, lift_reason
        ) VALUES (
            v_claim.operator_id, v_claim.player_id, v_claim.id, 'CLAIM', p_locked_until,
            v_claim.claimed_at, '', ''
        );
    END IF;

    INSERT INTO core_auditentry (
        operator_id, actor_kind, actor_ref, action, subject_type, subject_id,
        before, after, reason, request_id, created_at
    ) VALUES (
        v_claim.operator_id, p_entry ->> 'actor_kind', p_entry ->> 'actor_ref',
        'promo.claim.made', 'promos.userpromo', v_claim.id::text,
        '{}', p_entry -> 'after', '', p_entry ->> 'request_id', v_claim.claimed_at
    );
    RETURN NULL;
END
$$;
"""

LOCK_MAIN_BALANCE = """
CREATE FUNCTION promos_lock_main_balance(
    p_operator_id bigint, p_player_id bigint, p_currency text
) RETURNS numeric
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_balance numeric;
BEGIN
    SELECT balance INTO v_balance FROM wallets_account
    WHERE operator_id = p_operator_id AND kind = 'PLAYER_MAIN' AND currency = p_currency
      AND player_id = p_player_id AND owner = ''
    FOR NO KEY UPDATE;
    RETURN coalesce(v_balance, 0);
END
$$;
"""

BACKWARD = """
DROP FUNCTION promos_record_claim(jsonb, integer, timestamptz, jsonb);
DROP FUNCTION promos_lock_main_balance(bigint, bigint, text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("promos", "0001_initial"),
        ("core", "0002_claim_idempotency_key"),
        ("wallets", "0004_room_for_balances"),
    ]

    operations = [migrations.RunSQL(RECORD_CLAIM + LOCK_MAIN_BALANCE, BACKWARD)]
