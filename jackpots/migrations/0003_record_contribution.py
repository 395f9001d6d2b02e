"""
The function that writes a contribution request: one statement, no row lock on an instance.

What depends on configuration was decided in Python (jackpots.services.contributions) and
comes in as legs; what depends on the player, on funds and on concurrency is decided here,
under the advisory locks. docs/adr/0003 says why this is a database function.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION jackpots_record_contribution(
    p_operator_id bigint,
    p_player_id bigint,
    p_key text,
    p_fingerprint text,
    p_request jsonb,
    p_legs jsonb,
    p_now timestamptz
) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_answered record;
    v_lock integer;
    v_player record;
    v_leg jsonb;
    v_error text;
    v_source uuid := (p_legs -> 0 ->> 'instance_id')::uuid;
    v_before numeric;
    v_accumulated numeric;
    v_ticket_cost numeric;
    v_total bigint;
    v_tickets jsonb;
    v_results jsonb := '[]';
    v_answer jsonb;
BEGIN
    -- The replay comes before every rule.
    SELECT fingerprint, answer INTO v_answered
        FROM core_claim_idempotency_key(p_operator_id, p_key);
    IF FOUND THEN
        IF v_answered.fingerprint <> p_fingerprint THEN
            RETURN jsonb_build_object('outcome', 'reused');
        END IF;
        RETURN jsonb_build_object('outcome', 'replayed', 'answer', v_answered.answer::jsonb);
    END IF;

    -- Advisory locks in the order of core.locks.AdvisoryLock: the player's raffle tickets
    -- are counted one request after the other (2), and no instance may close, or change
    -- its terms, under a contribution (3, shared).
    IF p_legs @? '$[*] ? (@.ticket_cost != null && @.error == null)' THEN
        PERFORM pg_advisory_xact_lock(2, hashint8(p_player_id));
    END IF;
    FOR v_lock IN
        SELECT DISTINCT hashtext(leg ->> 'instance_id') AS number
        FROM jsonb_array_elements(p_legs) AS leg
        WHERE leg ->> 'error' IS NULL
        ORDER BY number
    LOOP
        PERFORM pg_advisory_xact_lock_shared(3, v_lock);
    END LOOP;

    -- Each statement here has a snapshot of its own, so this sees what the locks waited for.
    IF EXISTS (
        SELECT FROM jsonb_array_elements(p_legs) AS leg
        JOIN jackpots_instance AS instance ON instance.id = (leg ->> 'instance_id')::uuid
        WHERE leg ->> 'error' IS NULL AND instance.revision <> (leg ->> 'revision')::integer
    ) THEN
        RETURN jsonb_build_object('outcome', 'stale');
    END IF;

    SELECT is_blocked, self_excluded_until > p_now AS is_excluded INTO STRICT v_player
        FROM players_player WHERE id = p_player_id AND operator_id = p_operator_id;

    FOR v_leg IN
        SELECT leg FROM jsonb_array_elements(p_legs) WITH ORDINALITY AS legs (leg, number)
        ORDER BY number
    LOOP
        v_error := v_leg ->> 'error';
        IF v_error IS NULL AND (v_leg ->> 'opt_in_required')::boolean AND NOT EXISTS (
            SELECT FROM jackpots_optin
            WHERE instance_id = (v_leg ->> 'instance_id')::uuid
                AND player_id = p_player_id AND opted_out_at IS NULL
        ) THEN
            v_error := 'OPT_IN_REQUIRED';
        ELSIF v_error IS NULL AND v_player.is_excluded THEN
            v_error := 'PLAYER_SELF_EXCLUDED';
        ELSIF v_error IS NULL AND v_player.is_blocked THEN
            v_error := 'PLAYER_BLOCKED';
        END IF;
        -- Money last, and in a condition of its own: the order inside one is not promised.
        IF v_error IS NULL AND (v_leg ->> 'debit_amount')::numeric > 0 THEN
            IF jackpots_debit_player(p_operator_id, p_player_id, v_leg, p_now) IS NULL THEN
                v_error := 'INSUFFICIENT_FUNDS';
            END IF;
        END IF;

        -- A failed main leg ends the request; nothing has been written yet.
        IF v_error IS NOT NULL AND v_leg ->> 'role' = 'main' THEN
            RETURN jsonb_build_object('outcome', 'refused', 'error', v_error);
        END IF;

        v_ticket_cost := CASE WHEN v_error IS NULL THEN (v_leg ->> 'ticket_cost')::numeric END;
        v_accumulated := NULL;
        v_total := NULL;
        v_tickets := 'null';
        IF v_ticket_cost IS NOT NULL THEN
            SELECT accumulated INTO v_before FROM jackpots_contribution
                WHERE player_id = p_player_id
                    AND instance_id = (v_leg ->> 'instance_id')::uuid
                    AND accumulated IS NOT NULL
                ORDER BY number DESC LIMIT 1;
            v_before := coalesce(v_before, 0);
            v_accumulated := v_before + (v_leg ->> 'amount')::numeric;
            v_total := div(v_accumulated, v_ticket_cost);
            v_tickets := jsonb_build_object(
                'earned', v_total - div(v_before, v_ticket_cost)::bigint, 'total', v_total);
        END IF;

        INSERT INTO jackpots_contribution (
            id, operator_id, request_id, position, role, instance_id, source_id, player_id,
            status, error_code, base_wager, base_currency, rate, rate_at, amount, currency,
            pot_amounts, debit_amount, debit_currency, accumulated, tickets_earned,
            tickets_total, gameround_id, metadata, created_at
        ) VALUES (
            (v_leg ->> 'id')::uuid, p_operator_id, (p_request ->> 'request_id')::uuid,
            jsonb_array_length(v_results), v_leg ->> 'role', (v_leg ->> 'instance_id')::uuid,
            CASE WHEN v_leg ->> 'role' = 'linked' THEN v_source END, p_player_id,
            CASE WHEN v_error IS NULL THEN 'accepted' ELSE 'failed' END, coalesce(v_error, ''),
            (p_request ->> 'base_wager')::numeric, p_request ->> 'currency',
            (v_leg ->> 'rate')::numeric, (v_leg ->> 'rate_at')::timestamptz,
            CASE WHEN v_error IS NULL THEN (v_leg ->> 'amount')::numeric ELSE 0 END,
            v_leg ->> 'currency',
            CASE WHEN v_error IS NULL THEN ARRAY(
                SELECT (pot ->> 'amount')::numeric
                FROM jsonb_array_elements(v_leg -> 'pots') WITH ORDINALITY AS pots (pot, number)
                ORDER BY number
            ) ELSE '{}' END,
            CASE WHEN v_error IS NULL THEN (v_leg ->> 'debit_amount')::numeric END,
            coalesce(v_leg ->> 'debit_currency', ''),
            v_accumulated, (v_tickets ->> 'earned')::bigint, v_total,
            coalesce(p_request ->> 'gameround_id', ''),
            CASE WHEN v_leg ->> 'role' = 'main' THEN nullif(p_request -> 'metadata', 'null') END,
            p_now
        );
        v_results := v_results || jsonb_build_object(
            'instance_id', v_leg ->> 'instance_id',
            'role', v_leg ->> 'role',
            'contribution_id', CASE WHEN v_error IS NULL THEN v_leg ->> 'id' END,
            'amount', CASE WHEN v_error IS NULL THEN v_leg ->> 'amount' ELSE '0' END,
            'currency', v_leg ->> 'currency',
            'pots', CASE WHEN v_error IS NULL THEN v_leg -> 'pots' ELSE '[]' END,
            'tickets', v_tickets,
            'error', v_error
        );
    END LOOP;

    v_answer := jsonb_build_object(
        'request_id', p_request -> 'request_id', 'base_wager', p_request -> 'base_wager',
        'currency', p_request -> 'currency', 'created_at', p_request -> 'created_at',
        'results', v_results);
    INSERT INTO core_idempotencyrecord (operator_id, key, fingerprint, answer, created_at)
        VALUES (p_operator_id, p_key, p_fingerprint, v_answer::text, p_now);
    RETURN jsonb_build_object('outcome', 'accepted', 'answer', v_answer);
END
$$;

-- Debit the player for one leg, into the money of the instance: the transfer's id, or
-- NULL when the player's balance does not cover it.
CREATE FUNCTION jackpots_debit_player(
    p_operator_id bigint, p_player_id bigint, p_leg jsonb, p_now timestamptz
) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    SELECT wallets_post_transfer(
        p_operator_id,
        (p_leg ->> 'id')::uuid,
        wallets_account_id(
            p_operator_id, 'PLAYER_MAIN', p_leg ->> 'debit_currency', p_player_id, '', p_now),
        wallets_account_id(
            p_operator_id, 'JACKPOT_POOL', p_leg ->> 'debit_currency', NULL,
            p_leg ->> 'instance_id', p_now),
        (p_leg ->> 'debit_amount')::numeric,
        p_leg ->> 'debit_currency',
        'JACKPOT',
        'contribution:' || (p_leg ->> 'id'),
        NULL, NULL, NULL, NULL, NULL,
        p_now)
$$;
"""

BACKWARD = """
DROP FUNCTION jackpots_record_contribution(
    bigint, bigint, text, text, jsonb, jsonb, timestamptz);
DROP FUNCTION jackpots_debit_player(bigint, bigint, jsonb, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("jackpots", "0002_contribution_guards"),
        ("core", "0002_claim_idempotency_key"),
        ("wallets", "0002_posting"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
