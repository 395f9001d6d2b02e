"""
The function that writes a batch, leaving out who may come to hold too many tickets by it.

It is the one of 0022, which failed as a whole where somebody's tickets passed a bigint. Their
items come back as to be sent alone, and nothing of them is written.
"""

from importlib import import_module
from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION jackpots_contribute_batch(
    p_operator_id bigint,
    -- One entry for each item.
    p_keys jsonb,
    p_fingerprints text[],
    p_players jsonb,
    p_request_ids uuid[],
    -- One entry for each leg, item by item: its id, its item, and which of the terms apply.
    p_leg_ids uuid[],
    p_leg_items integer[],
    p_leg_terms integer[],
    -- What few batches have: gameround_ids and metadata of items, hits of legs.
    p_extras jsonb,
    p_terms jsonb,
    p_targets jsonb,
    p_rates jsonb,
    p_now timestamptz
) RETURNS jsonb
-- In a plan made for one call the arrays below are constants: every look into one walks it.
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
DECLARE
    -- As in jackpots_accept_contribution.
    c_tickets_limit CONSTANT numeric := 9223372036854775808;
    v_lock record;
    -- One entry for each item, or for each leg, in their order; null for none at all.
    v_keys text[] := ARRAY(SELECT jsonb_array_elements_text(p_keys));
    v_gamerounds text[] := ARRAY(SELECT jsonb_array_elements_text(p_extras -> 'gameround_ids'));
    v_hits text[] := ARRAY(SELECT jsonb_array_elements_text(p_extras -> 'hits'));
    v_metadata jsonb := p_extras -> 'metadata';
    v_player_ids bigint[];
    v_player_errors text[];
    v_leg_errors text[];
    v_item_errors text[];
    v_is_new boolean[];
    v_known jsonb[];
    v_claimed bigint;
    v_counts_tickets boolean := false;
    v_before numeric[];
    v_alone integer[];
    v_accumulated numeric[];
    v_earned bigint[];
    v_totals bigint[];
    v_outcomes jsonb;
BEGIN
    -- In the order of jackpots_accept_contribution. A raffle's tickets are counted under its
    -- exclusive lock: no other contribution to it is under way, of whichever player.
    FOR v_lock IN
        SELECT lock_number, bool_or(ticket_cost IS NOT NULL) AS counts_tickets
        FROM jsonb_to_recordset(p_targets) AS target (lock_number integer, ticket_cost numeric)
        GROUP BY lock_number
        ORDER BY lock_number
    LOOP
        IF v_lock.counts_tickets THEN
            v_counts_tickets := true;
            PERFORM pg_advisory_xact_lock(3, v_lock.lock_number);
        ELSE
            PERFORM pg_advisory_xact_lock_shared(3, v_lock.lock_number);
        END IF;
    END LOOP;

    -- Each statement here has a snapshot of its own, so this sees what the locks waited for.
    IF EXISTS (
        SELECT FROM jsonb_to_recordset(p_targets) AS target (instance_id uuid, revision integer)
        WHERE revision IS DISTINCT FROM (
            SELECT revision FROM jackpots_instance WHERE id = target.instance_id)
    ) OR NOT jackpots_rates_are_in_force(p_operator_id, p_rates, p_now) THEN
        RETURN NULL;
    END IF;

    SELECT
        array_agg(player.id ORDER BY item.number),
        array_agg(CASE
            WHEN player.self_excluded_until > p_now THEN 'PLAYER_SELF_EXCLUDED'
            WHEN player.is_blocked THEN 'PLAYER_BLOCKED'
        END ORDER BY item.number)
    INTO v_player_ids, v_player_errors
    FROM jsonb_array_elements_text(p_players) WITH ORDINALITY AS item (player, number)
    LEFT JOIN players_player AS player
        ON player.operator_id = p_operator_id AND player.reference = item.player;

    IF p_terms @? '$[*] ? (exists (@.error) || @.opt_in_required == true)'
        OR array_remove(v_player_errors, NULL) <> '{}'
    THEN
        SELECT
            array_agg(error ORDER BY number),
            array_agg(error ORDER BY number) FILTER (WHERE position = 0)
        INTO v_leg_errors, v_item_errors
        FROM (
            SELECT leg.number, terms.position, CASE
                WHEN terms.error IS NOT NULL THEN terms.error
                WHEN terms.opt_in_required AND NOT EXISTS (
                    SELECT FROM jackpots_optin AS opt_in
                    WHERE opt_in.instance_id = terms.instance_id
                        AND opt_in.player_id = v_player_ids[leg.item]
                        AND opt_in.opted_out_at IS NULL
                ) THEN 'OPT_IN_REQUIRED'
                ELSE v_player_errors[leg.item]
            END AS error
            FROM unnest(p_leg_items, p_leg_terms) WITH ORDINALITY AS leg (item, terms, number)
            JOIN ROWS FROM (jsonb_to_recordset(p_terms) AS (
                position integer, instance_id uuid, opt_in_required boolean, error text
            )) WITH ORDINALITY AS terms (position, instance_id, opt_in_required, error, number)
                ON terms.number = leg.terms
        ) AS leg;
    END IF;

    IF v_counts_tickets THEN
        -- To what the player had contributed before: stored (null where none are counted), and
        -- earlier in the batch. From the leg on by which somebody would hold too many tickets,
        -- their items are sent alone: so that one can fail, and the next one count without it.
        -- OFFSET 0 keeps the planner from working each value out once for each time it is used.
        SELECT array_agg(before ORDER BY number),
                array_agg(DISTINCT item) FILTER (WHERE total >= c_tickets_limit),
                array_agg(CASE WHEN total < c_tickets_limit THEN earlier + amount END
                    ORDER BY number),
                array_agg(CASE WHEN total < c_tickets_limit
                    THEN (total - div(earlier, ticket_cost))::bigint END ORDER BY number),
                array_agg(CASE WHEN total < c_tickets_limit THEN total::bigint END
                    ORDER BY number)
            INTO v_before, v_alone, v_accumulated, v_earned, v_totals
            FROM (
                SELECT *, before + since AS earlier,
                    div(before + since + amount, ticket_cost) AS total
                FROM (
                    SELECT *, CASE WHEN is_counted THEN coalesce((
                        SELECT accumulated FROM jackpots_contribution AS stored
                        WHERE stored.player_id = leg.player_id
                            AND stored.instance_id = leg.instance_id
                            AND stored.accumulated IS NOT NULL
                        ORDER BY stored.number DESC LIMIT 1
                    ), 0) END AS before, coalesce(sum(amount) FILTER (WHERE is_counted) OVER (
                        PARTITION BY player_id, instance_id ORDER BY number
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                    ), 0) AS since
                    FROM (
                        SELECT leg.item, leg.number, terms.instance_id, terms.amount,
                            terms.ticket_cost, v_player_ids[leg.item] AS player_id,
                            terms.ticket_cost IS NOT NULL AND v_leg_errors[leg.number] IS NULL
                                AS is_counted
                        FROM unnest(p_leg_items, p_leg_terms) WITH ORDINALITY
                            AS leg (item, terms, number)
                        JOIN ROWS FROM (jsonb_to_recordset(p_terms) AS (
                            instance_id uuid, amount numeric, ticket_cost numeric
                        )) WITH ORDINALITY AS terms (instance_id, amount, ticket_cost, number)
                            ON terms.number = leg.terms
                    ) AS leg
                ) AS leg
                OFFSET 0
            ) AS counted;
        IF v_alone IS NOT NULL THEN
            SELECT array_agg(coalesce(
                    v_item_errors[number], CASE WHEN number = ANY (v_alone) THEN 'alone' END
                ) ORDER BY number)
                INTO v_item_errors
                FROM generate_series(1, cardinality(v_keys)) AS number;
        END IF;
    END IF;

    -- In one order everywhere, so that two batches never wait for each other in a circle.
    INSERT INTO core_idempotencyrecord (operator_id, key, fingerprint, answer, created_at)
    SELECT p_operator_id, key, fingerprint, request_id, p_now
    FROM unnest(v_keys, p_fingerprints, p_request_ids)
        WITH ORDINALITY AS item (key, fingerprint, request_id, number)
    WHERE v_player_ids[number] IS NOT NULL AND v_item_errors[number] IS NULL
    ORDER BY key COLLATE "C"
    ON CONFLICT (operator_id, key) DO NOTHING;
    GET DIAGNOSTICS v_claimed = ROW_COUNT;

    IF v_claimed < cardinality(v_keys) THEN
        -- Some were refused, or answered before; and the replay comes before every rule.
        SELECT
            array_agg(coalesce(answered.answer = item.request_id::text, false) ORDER BY number),
            array_agg(CASE
                WHEN answered.answer = item.request_id::text THEN NULL
                WHEN answered.fingerprint <> item.fingerprint THEN '{"outcome": "reused"}'
                WHEN answered.fingerprint = item.fingerprint THEN jsonb_build_object(
                    'outcome', 'replayed',
                    'answer', jackpots_contribution_answer(answered.answer))
                WHEN v_player_ids[number] IS NULL THEN '{"outcome": "unknown_player"}'
                WHEN v_item_errors[number] = 'alone' THEN '{"outcome": "alone"}'
                ELSE jsonb_build_object('outcome', 'refused', 'error', v_item_errors[number])
            END ORDER BY number)
        INTO v_is_new, v_known
        FROM unnest(v_keys, p_fingerprints, p_request_ids)
            WITH ORDINALITY AS item (key, fingerprint, request_id, number)
        LEFT JOIN core_idempotencyrecord AS answered
            ON answered.operator_id = p_operator_id AND answered.key = item.key;
    END IF;

    IF v_counts_tickets AND v_is_new IS NOT NULL THEN
        -- Again without the items that are not written.
        SELECT array_agg(before + amount ORDER BY number),
                array_agg(div(before + amount, ticket_cost)::bigint
                    - div(before, ticket_cost)::bigint ORDER BY number),
                array_agg(div(before + amount, ticket_cost)::bigint ORDER BY number)
            INTO v_accumulated, v_earned, v_totals
            FROM (
                SELECT *, CASE WHEN is_counted THEN v_before[number]
                    + coalesce(sum(amount) FILTER (WHERE is_counted) OVER (
                        PARTITION BY player_id, instance_id ORDER BY number
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                    ), 0) END AS before
                FROM (
                    SELECT leg.number, terms.instance_id, terms.amount, terms.ticket_cost,
                        v_player_ids[leg.item] AS player_id,
                        terms.ticket_cost IS NOT NULL AND v_leg_errors[leg.number] IS NULL
                            AND v_is_new[leg.item] AS is_counted
                    FROM unnest(p_leg_items, p_leg_terms) WITH ORDINALITY
                        AS leg (item, terms, number)
                    JOIN ROWS FROM (jsonb_to_recordset(p_terms) AS (
                        instance_id uuid, amount numeric, ticket_cost numeric
                    )) WITH ORDINALITY AS terms (instance_id, amount, ticket_cost, number)
                        ON terms.number = leg.terms
                ) AS leg
            ) AS counted;
    END IF;

    INSERT INTO jackpots_contribution (
        id, operator_id, request_id, position, role, instance_id, source_id, player_id,
        status, error_code, base_wager, base_currency, rate, rate_at, amount, currency,
        pot_amounts, hits, debit_currency, accumulated, tickets_earned, tickets_total,
        gameround_id, metadata, created_at
    )
    SELECT
        leg.id, p_operator_id, p_request_ids[leg.item], position, role, instance_id, source_id,
        v_player_ids[leg.item],
        CASE WHEN v_leg_errors[leg.number] IS NULL THEN 'accepted' ELSE 'failed' END,
        coalesce(v_leg_errors[leg.number], ''), base_wager, base_currency, rate, rate_at,
        CASE WHEN v_leg_errors[leg.number] IS NULL THEN amount ELSE 0 END, currency,
        CASE WHEN v_leg_errors[leg.number] IS NULL THEN parts ELSE '{}' END,
        CASE WHEN v_leg_errors[leg.number] IS NULL
            THEN coalesce(v_hits[leg.number]::smallint[], '{}') ELSE '{}' END,
        '', v_accumulated[leg.number], v_earned[leg.number], v_totals[leg.number],
        coalesce(v_gamerounds[leg.item], ''),
        CASE WHEN position = 0 THEN nullif(v_metadata -> (leg.item - 1), 'null') END, p_now
    FROM unnest(p_leg_ids, p_leg_items, p_leg_terms) WITH ORDINALITY
        AS leg (id, item, terms, number)
    JOIN ROWS FROM (jsonb_to_recordset(p_terms) AS (
        position smallint, role text, instance_id uuid, source_id uuid, base_wager numeric,
        base_currency text, rate numeric, rate_at timestamptz, amount numeric,
        currency text, parts numeric[]
    )) WITH ORDINALITY AS terms (
        position, role, instance_id, source_id, base_wager, base_currency, rate, rate_at,
        amount, currency, parts, number) ON terms.number = leg.terms
    WHERE v_is_new IS NULL OR v_is_new[leg.item]
    ORDER BY leg.number;

    IF v_leg_errors IS NOT NULL OR v_counts_tickets THEN
        SELECT jsonb_object_agg(item, jsonb_build_object('outcome', 'accepted', 'legs', legs))
            INTO v_outcomes
            FROM (
                SELECT item, jsonb_agg(jsonb_build_array(
                    p_terms -> (terms - 1) -> 'position', v_leg_errors[number],
                    v_earned[number], v_totals[number]) ORDER BY number) AS legs
                FROM unnest(p_leg_items, p_leg_terms) WITH ORDINALITY AS leg (item, terms, number)
                WHERE (v_is_new IS NULL OR v_is_new[item])
                    AND (v_leg_errors[number] IS NOT NULL OR v_totals[number] IS NOT NULL)
                GROUP BY item
            ) AS told;
    END IF;

    v_outcomes := coalesce(v_outcomes, '{}') || coalesce((
        SELECT jsonb_object_agg(number, known)
        FROM unnest(v_known) WITH ORDINALITY AS item (known, number)
        WHERE known IS NOT NULL
    ), '{}');
    RETURN v_outcomes;
END
$$;
"""

_BEFORE = import_module("jackpots.migrations.0022_batch_without_detours").FORWARD


class Migration(migrations.Migration):
    dependencies: ClassVar = [("jackpots", "0023_tickets_of_contributions_bounded")]

    operations: ClassVar = [migrations.RunSQL(FORWARD, _BEFORE)]
