"""
The function that writes a contribution request decided upon remembered configuration.

What depends on configuration was decided in Python (jackpots.services.contributions), maybe
from memory, and comes in as legs; all that may change meanwhile is decided here, under the
advisory locks: the key, the player, the instances' revisions, the rates in force, opt-ins,
funds, tickets. docs/adr/0009 says what that costs and gives.

jackpots_record_contribution stays for processes of the release before, while they end.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION jackpots_contribute(
    p_operator_id bigint,
    p_player text,
    p_key text,
    p_fingerprint text,
    p_request jsonb,
    p_legs jsonb,
    p_locks integer[],
    p_rates jsonb,
    p_now timestamptz
) RETURNS jsonb
-- A plan made for one call costs more than the call.
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_answered record;
    v_player record;
    v_is_stale boolean;
    v_errors text[];
    v_leg record;
    v_written jsonb;
BEGIN
    -- The replay comes before every rule.
    SELECT fingerprint, answer INTO v_answered
        FROM core_claim_idempotency_key(p_operator_id, p_key);
    IF FOUND THEN
        IF v_answered.fingerprint <> p_fingerprint THEN
            RETURN '{"outcome": "reused"}';
        END IF;
        RETURN jsonb_build_object(
            'outcome', 'replayed', 'answer', jackpots_contribution_answer(v_answered.answer));
    END IF;

    SELECT id, self_excluded_until > p_now AS is_excluded, is_blocked INTO v_player
        FROM players_player WHERE operator_id = p_operator_id AND reference = p_player;
    IF NOT FOUND THEN
        RETURN '{"outcome": "unknown_player"}';
    END IF;

    -- Advisory locks in the order of core.locks.AdvisoryLock: the player's raffle tickets
    -- are counted one request after the other (2), and no instance may close, or change
    -- its terms, under a contribution (3, shared; the numbers come sorted).
    IF (p_request ->> 'counts_tickets')::boolean THEN
        PERFORM pg_advisory_xact_lock(2, hashint8(v_player.id));
    END IF;
    PERFORM pg_advisory_xact_lock_shared(3, number) FROM unnest(p_locks) AS number;

    IF p_rates IS NOT NULL AND NOT jackpots_rates_are_in_force(p_operator_id, p_rates, p_now) THEN
        RETURN '{"outcome": "stale"}';
    END IF;

    -- Each statement here has a snapshot of its own, so this sees what the locks waited for.
    -- A leg that configuration refused is looked at too: it may have been remembered wrongly.
    SELECT
        bool_or(leg.revision IS DISTINCT FROM (
            SELECT revision FROM jackpots_instance WHERE id = leg.instance_id)),
        array_agg(CASE
            WHEN leg.error IS NOT NULL THEN leg.error
            WHEN leg.opt_in_required AND NOT EXISTS (
                SELECT FROM jackpots_optin
                WHERE instance_id = leg.instance_id AND player_id = v_player.id
                    AND opted_out_at IS NULL
            ) THEN 'OPT_IN_REQUIRED'
            WHEN v_player.is_excluded THEN 'PLAYER_SELF_EXCLUDED'
            WHEN v_player.is_blocked THEN 'PLAYER_BLOCKED'
        END)
    INTO v_is_stale, v_errors
    FROM jsonb_to_recordset(p_legs) AS leg (
        instance_id uuid, revision integer, opt_in_required boolean, error text);
    IF v_is_stale THEN
        RETURN '{"outcome": "stale"}';
    END IF;

    -- Money last: what cannot be paid has passed every other rule.
    IF (p_request ->> 'debits')::boolean AND v_errors[1] IS NULL THEN
        FOR v_leg IN
            SELECT number, leg
            FROM jsonb_array_elements(p_legs) WITH ORDINALITY AS legs (leg, number)
            WHERE (leg ->> 'debit_amount')::numeric > 0
            ORDER BY number
        LOOP
            IF v_errors[v_leg.number] IS NULL AND jackpots_debit_player(
                p_operator_id, v_player.id, v_leg.leg, p_now) IS NULL
            THEN
                v_errors[v_leg.number] := 'INSUFFICIENT_FUNDS';
                EXIT WHEN v_leg.number = 1;
            END IF;
        END LOOP;
    END IF;

    -- A failed main leg ends the request; nothing has been written yet.
    IF v_errors[1] IS NOT NULL THEN
        RETURN jsonb_build_object('outcome', 'refused', 'error', v_errors[1]);
    END IF;

    WITH written AS (
        INSERT INTO jackpots_contribution (
            id, operator_id, request_id, position, role, instance_id, source_id, player_id,
            status, error_code, base_wager, base_currency, rate, rate_at, amount, currency,
            pot_amounts, hits, debit_amount, debit_currency, accumulated, tickets_earned,
            tickets_total, gameround_id, metadata, created_at
        )
        SELECT
            leg.id, p_operator_id, (p_request ->> 'request_id')::uuid, leg.number - 1,
            CASE WHEN leg.number = 1 THEN 'main' ELSE 'linked' END, leg.instance_id,
            CASE WHEN leg.number > 1 THEN (p_request ->> 'instance_id')::uuid END, v_player.id,
            CASE WHEN error IS NULL THEN 'accepted' ELSE 'failed' END, coalesce(error, ''),
            (p_request ->> 'base_wager')::numeric, p_request ->> 'currency',
            leg.rate, leg.rate_at, CASE WHEN error IS NULL THEN leg.amount ELSE 0 END,
            leg.currency, CASE WHEN error IS NULL THEN leg.parts ELSE '{}' END,
            CASE WHEN error IS NULL THEN coalesce(leg.hits, '{}') ELSE '{}' END,
            CASE WHEN error IS NULL THEN leg.debit_amount END,
            coalesce(leg.debit_currency, ''), before + leg.amount,
            div(before + leg.amount, leg.ticket_cost)::bigint
                - div(before, leg.ticket_cost)::bigint,
            div(before + leg.amount, leg.ticket_cost)::bigint,
            coalesce(p_request ->> 'gameround_id', ''),
            CASE WHEN leg.number = 1 THEN nullif(p_request -> 'metadata', 'null') END, p_now
        FROM (
            -- What was contributed before; null where no tickets are counted, and then so is
            -- all that is made of it. A CASE, because a join would look it up all the same.
            SELECT leg.*, CASE WHEN leg.ticket_cost IS NOT NULL AND leg.error IS NULL THEN
                coalesce((
                    SELECT accumulated FROM jackpots_contribution AS earlier
                    WHERE earlier.player_id = v_player.id
                        AND earlier.instance_id = leg.instance_id
                        AND earlier.accumulated IS NOT NULL
                    ORDER BY earlier.number DESC LIMIT 1
                ), 0)
            END AS before
            FROM ROWS FROM (
                jsonb_to_recordset(p_legs) AS (
                    id uuid, instance_id uuid, currency text, rate numeric,
                    rate_at timestamptz, amount numeric, parts numeric[], hits smallint[],
                    debit_amount numeric, debit_currency text, ticket_cost numeric),
                unnest(v_errors)
            ) WITH ORDINALITY AS leg (
                id, instance_id, currency, rate, rate_at, amount, parts, hits, debit_amount,
                debit_currency, ticket_cost, error, number)
            OFFSET 0
        ) AS leg
        ORDER BY leg.number
        RETURNING position, error_code, tickets_earned, tickets_total
    )
    SELECT jsonb_agg(
        jsonb_build_array(nullif(error_code, ''), tickets_earned, tickets_total)
        ORDER BY position
    ) INTO v_written FROM written;

    INSERT INTO core_idempotencyrecord (operator_id, key, fingerprint, answer, created_at)
        VALUES (p_operator_id, p_key, p_fingerprint, p_request ->> 'request_id', p_now);
    RETURN jsonb_build_object('outcome', 'accepted', 'legs', v_written);
END
$$;

-- Whether the rates that a decision was made with (currency: id, null for none) are those
-- in force. Rates are append-only, so the id says it all.
CREATE FUNCTION jackpots_rates_are_in_force(
    p_operator_id bigint, p_rates jsonb, p_now timestamptz
) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM jsonb_each_text(p_rates) AS used (currency, rate_id)
        WHERE used.rate_id::uuid IS DISTINCT FROM (
            SELECT id FROM operators_exchangerate
            WHERE operator_id = p_operator_id AND currency = used.currency
                AND valid_from <= p_now
            ORDER BY valid_from DESC, id DESC
            LIMIT 1
        )
    )
$$;

-- The answer to a request, made of its rows; the stored text names the request. Answers
-- from before this function were stored whole.
CREATE FUNCTION jackpots_contribution_answer(p_stored text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_stored LIKE '{%' THEN
        RETURN p_stored::jsonb;
    END IF;
    RETURN (
        SELECT jsonb_build_object(
            'request_id', leg.request_id,
            'base_wager', min(leg.base_wager)::text,
            'currency', min(leg.base_currency),
            'created_at', min(leg.created_at),
            'results', jsonb_agg(jsonb_build_object(
                'instance_id', leg.instance_id,
                'role', leg.role,
                'contribution_id', CASE WHEN leg.error_code = '' THEN leg.id END,
                'amount', leg.amount::text,
                'currency', leg.currency,
                'pots', coalesce((
                    SELECT jsonb_agg(
                        jsonb_build_object(
                            'name', pot.name, 'amount', leg.pot_amounts[pot.position + 1]::text)
                        ORDER BY pot.position)
                    FROM jackpots_pot AS pot
                    WHERE pot.instance_id = leg.instance_id AND leg.error_code = ''
                ), '[]'),
                'hits', leg.hits,
                'tickets', CASE WHEN leg.tickets_total IS NOT NULL THEN jsonb_build_object(
                    'earned', leg.tickets_earned, 'total', leg.tickets_total) END,
                'error', nullif(leg.error_code, '')
            ) ORDER BY leg.position))
        FROM jackpots_contribution AS leg
        WHERE leg.request_id = p_stored::uuid
        GROUP BY leg.request_id
    );
END
$$;
"""

BACKWARD = """
DROP FUNCTION jackpots_contribute(
    bigint, text, text, text, jsonb, jsonb, integer[], jsonb, timestamptz);
DROP FUNCTION jackpots_rates_are_in_force(bigint, jsonb, timestamptz);
DROP FUNCTION jackpots_contribution_answer(text);
"""


class Migration(migrations.Migration):
    dependencies = [("jackpots", "0006_open_pots")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
