"""
The function that writes a contribution request, refusing tickets beyond what can be stored.

It is the one of 0021, which failed as a whole where a leg's tickets passed a bigint. Tickets
are counted before money moves, so that nobody pays for a leg that is refused.
"""

from importlib import import_module
from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION jackpots_accept_contribution(
    p_operator_id bigint,
    p_player text,
    p_key text,
    p_fingerprint text,
    p_request_id uuid,
    p_base_wager numeric,
    p_currency text,
    p_gameround_id text,
    p_metadata jsonb,
    p_locks integer[],
    -- One entry for each leg, the main one first.
    p_ids uuid[],
    p_instance_ids uuid[],
    p_revisions integer[],
    p_currencies text[],
    p_amounts numeric[],
    p_parts text[],
    -- Null, or an object for each leg with what few have: error, opt_in_required, rate,
    -- rate_at, hits, ticket_cost; debit_amount and debit_currency, with id and instance_id.
    p_more jsonb,
    p_rates jsonb,
    p_now timestamptz
) RETURNS jsonb
-- A plan made for one call costs more than the call; one made while there were few records
-- would read all of them later.
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
DECLARE
    -- Of one player in one raffle: what a bigint holds is below it.
    c_tickets_limit CONSTANT numeric := 9223372036854775808;
    v_fingerprint text;
    v_answer text;
    v_player_id bigint;
    v_is_excluded boolean;
    v_is_blocked boolean;
    v_leg record;
    -- One entry for each leg; null for none at all.
    v_errors text[];
    v_opt_ins boolean[];
    v_leg_rates numeric[];
    v_rates_at timestamptz[];
    v_hits text[];
    v_debits numeric[];
    v_debit_currencies text[];
    v_ticket_costs numeric[];
    v_counts_tickets boolean;
    v_accumulated numeric[];
    v_earned bigint[];
    v_totals bigint[];
BEGIN
    -- Advisory locks in the order of core.locks.AdvisoryLock: the key (1), then below the
    -- player's raffle tickets, counted one request after the other (2), and the instances, of
    -- which none may close, or change its terms, under a contribution (3, shared; the
    -- numbers come sorted). Each statement has a snapshot of its own, so what comes after a
    -- lock sees what the lock waited for.
    PERFORM pg_advisory_xact_lock(1, hashtext(p_operator_id || ':' || p_key));
    SELECT record.fingerprint, record.answer, player.id, player.self_excluded_until > p_now,
            player.is_blocked
        INTO v_fingerprint, v_answer, v_player_id, v_is_excluded, v_is_blocked
        FROM (SELECT) AS asked
        LEFT JOIN core_idempotencyrecord AS record
            ON record.operator_id = p_operator_id AND record.key = p_key
        LEFT JOIN players_player AS player
            ON player.operator_id = p_operator_id AND player.reference = p_player;
    -- The replay comes before every rule.
    IF v_fingerprint <> p_fingerprint THEN
        RETURN '{"outcome": "reused"}';
    ELSIF v_answer IS NOT NULL THEN
        RETURN jsonb_build_object(
            'outcome', 'replayed', 'answer', jackpots_contribution_answer(v_answer));
    ELSIF v_player_id IS NULL THEN
        RETURN '{"outcome": "unknown_player"}';
    END IF;

    IF p_more IS NOT NULL THEN
        SELECT array_agg(error ORDER BY number), array_agg(opt_in_required ORDER BY number),
                array_agg(rate ORDER BY number), array_agg(rate_at ORDER BY number),
                array_agg(hits ORDER BY number), array_agg(debit_amount ORDER BY number),
                array_agg(debit_currency ORDER BY number), array_agg(ticket_cost ORDER BY number),
                bool_or(ticket_cost IS NOT NULL)
            INTO v_errors, v_opt_ins, v_leg_rates, v_rates_at, v_hits, v_debits,
                v_debit_currencies, v_ticket_costs, v_counts_tickets
            FROM ROWS FROM (jsonb_to_recordset(p_more) AS (
                error text, opt_in_required boolean, rate numeric, rate_at timestamptz,
                hits text, debit_amount numeric, debit_currency text, ticket_cost numeric
            )) WITH ORDINALITY AS more (error, opt_in_required, rate, rate_at, hits,
                debit_amount, debit_currency, ticket_cost, number);
        IF v_counts_tickets THEN
            PERFORM pg_advisory_xact_lock(2, hashint8(v_player_id));
        END IF;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(3, number) FROM unnest(p_locks) AS number;

    -- A leg that configuration refused is looked at too: it may have been remembered wrongly.
    PERFORM FROM unnest(p_instance_ids, p_revisions) AS leg (instance_id, revision)
        WHERE revision IS DISTINCT FROM (
            SELECT instance.revision FROM jackpots_instance AS instance
            WHERE instance.id = instance_id);
    IF FOUND OR p_rates IS NOT NULL
        AND NOT jackpots_rates_are_in_force(p_operator_id, p_rates, p_now)
    THEN
        RETURN '{"outcome": "stale"}';
    END IF;

    IF v_is_excluded OR v_is_blocked OR p_more IS NOT NULL THEN
        SELECT array_agg(CASE
                WHEN v_errors[number] IS NOT NULL THEN v_errors[number]
                WHEN v_opt_ins[number] AND NOT EXISTS (
                    SELECT FROM jackpots_optin
                    WHERE instance_id = p_instance_ids[number] AND player_id = v_player_id
                        AND opted_out_at IS NULL
                ) THEN 'OPT_IN_REQUIRED'
                WHEN v_is_excluded THEN 'PLAYER_SELF_EXCLUDED'
                WHEN v_is_blocked THEN 'PLAYER_BLOCKED'
            END ORDER BY number)
            INTO v_errors
            FROM generate_series(1, cardinality(p_ids)) AS number;
    END IF;

    IF v_counts_tickets THEN
        -- What comes after it adds to what was contributed before; null where none are counted.
        -- OFFSET 0 keeps the planner from working each value out once for each time it is used.
        SELECT array_agg(CASE WHEN total < c_tickets_limit THEN before + amount END
                    ORDER BY number),
                array_agg(CASE WHEN total < c_tickets_limit
                    THEN (total - div(before, cost))::bigint END ORDER BY number),
                array_agg(CASE WHEN total < c_tickets_limit THEN total::bigint END
                    ORDER BY number),
                array_agg(CASE WHEN total >= c_tickets_limit THEN 'INVALID_REQUEST'
                    ELSE v_errors[number] END ORDER BY number)
            INTO v_accumulated, v_earned, v_totals, v_errors
            FROM (
                SELECT number, before, amount, cost, div(before + amount, cost) AS total
                FROM (
                    SELECT number, p_amounts[number] AS amount, v_ticket_costs[number] AS cost,
                        CASE WHEN v_ticket_costs[number] IS NOT NULL AND v_errors[number] IS NULL
                        THEN coalesce((
                            SELECT accumulated FROM jackpots_contribution AS earlier
                            WHERE earlier.player_id = v_player_id
                                AND earlier.instance_id = p_instance_ids[leg.number]
                                AND earlier.accumulated IS NOT NULL
                            ORDER BY earlier.number DESC LIMIT 1
                        ), 0) END AS before
                    FROM generate_series(1, cardinality(p_ids)) AS leg (number)
                    OFFSET 0
                ) AS leg
                OFFSET 0
            ) AS counted;
    END IF;

    -- Money last: what cannot be paid has passed every other rule.
    IF v_debits IS NOT NULL AND v_errors[1] IS NULL THEN
        FOR v_leg IN
            SELECT number, leg
            FROM jsonb_array_elements(p_more) WITH ORDINALITY AS legs (leg, number)
            WHERE v_debits[number] > 0
            ORDER BY number
        LOOP
            IF v_errors[v_leg.number] IS NULL AND jackpots_debit_player(
                p_operator_id, v_player_id, v_leg.leg, p_now) IS NULL
            THEN
                v_errors[v_leg.number] := 'INSUFFICIENT_FUNDS';
                v_accumulated[v_leg.number] := NULL;
                v_earned[v_leg.number] := NULL;
                v_totals[v_leg.number] := NULL;
                EXIT WHEN v_leg.number = 1;
            END IF;
        END LOOP;
    END IF;

    -- A failed main leg ends the request; nothing has been written yet.
    IF v_errors[1] IS NOT NULL THEN
        RETURN jsonb_build_object('outcome', 'refused', 'error', v_errors[1]);
    END IF;

    INSERT INTO jackpots_contribution (
        id, operator_id, request_id, position, role, instance_id, source_id, player_id,
        status, error_code, base_wager, base_currency, rate, rate_at, amount, currency,
        pot_amounts, hits, debit_amount, debit_currency, accumulated, tickets_earned,
        tickets_total, gameround_id, metadata, created_at
    )
    SELECT
        p_ids[number], p_operator_id, p_request_id, number - 1,
        CASE WHEN number = 1 THEN 'main' ELSE 'linked' END, p_instance_ids[number],
        CASE WHEN number > 1 THEN p_instance_ids[1] END, v_player_id,
        CASE WHEN v_errors[number] IS NULL THEN 'accepted' ELSE 'failed' END,
        coalesce(v_errors[number], ''), p_base_wager, p_currency,
        coalesce(v_leg_rates[number], 1), v_rates_at[number],
        CASE WHEN v_errors[number] IS NULL THEN p_amounts[number] ELSE 0 END,
        p_currencies[number],
        CASE WHEN v_errors[number] IS NULL THEN p_parts[number]::numeric[] ELSE '{}' END,
        CASE WHEN v_errors[number] IS NULL AND v_hits[number] IS NOT NULL
            THEN v_hits[number]::smallint[] ELSE '{}' END,
        CASE WHEN v_errors[number] IS NULL THEN v_debits[number] END,
        coalesce(v_debit_currencies[number], ''), v_accumulated[number], v_earned[number],
        v_totals[number], p_gameround_id, CASE WHEN number = 1 THEN p_metadata END, p_now
    FROM generate_series(1, cardinality(p_ids)) AS number;

    INSERT INTO core_idempotencyrecord (operator_id, key, fingerprint, answer, created_at)
        VALUES (p_operator_id, p_key, p_fingerprint, p_request_id, p_now);

    IF v_errors IS NULL THEN
        -- It went as decided, as nearly all do.
        RETURN '{"outcome": "accepted"}';
    END IF;
    RETURN jsonb_build_object('outcome', 'accepted', 'legs', (
        SELECT jsonb_agg(
            jsonb_build_array(v_errors[number], v_earned[number], v_totals[number])
            ORDER BY number)
        FROM generate_series(1, cardinality(p_ids)) AS number));
END
$$;
"""

BACKWARD = (
    "CREATE OR REPLACE FUNCTION"
    + import_module("jackpots.migrations.0021_accept_contribution").FORWARD.partition(
        "CREATE FUNCTION"
    )[2]
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("jackpots", "0022_batch_without_detours")]

    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
