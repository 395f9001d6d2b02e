"""
The function that writes a batch, told of like wagers once, and of what nobody expects only.

It takes the place of the one of 0008 and keeps its rules and its order of locks. What a wager
does (its terms) comes once for all items with that wager, and items come as arrays, so
little JSON is read. Keys are claimed before they are looked up, so a batch of new keys looks up
none; and what went as decided, as nearly all does, is not told again.
"""

from importlib import import_module
from typing import ClassVar

from django.db import migrations

FORWARD = """
DROP FUNCTION jackpots_contribute_batch(bigint, jsonb, jsonb, jsonb, jsonb, timestamptz);

CREATE FUNCTION jackpots_contribute_batch(
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
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
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
    v_outcomes jsonb;
BEGIN
    -- In the order of jackpots_contribute. A raffle's tickets are counted under its
    -- exclusive lock: no other contribution to it is under way, of whichever player.
    FOR v_lock IN
        SELECT lock_number, bool_or(ticket_cost IS NOT NULL) AS counts_tickets
        FROM jsonb_to_recordset(p_targets) AS target (lock_number integer, ticket_cost numeric)
        GROUP BY lock_number
        ORDER BY lock_number
    LOOP
        IF v_lock.counts_tickets THEN
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

    -- In one order everywhere, so that two batches never wait for each other in a circle.
    INSERT INTO core_idempotencyrecord (operator_id, key, fingerprint, answer, created_at)
    SELECT p_operator_id, key, fingerprint, request_id, p_now
    FROM unnest(v_keys, p_fingerprints, p_request_ids)
        WITH ORDINALITY AS item (key, fingerprint, request_id, number)
    WHERE v_player_ids[number] IS NOT NULL AND v_item_errors[number] IS NULL
    ORDER BY key COLLATE "C"
    ON CONFLICT DO NOTHING;
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
                ELSE jsonb_build_object('outcome', 'refused', 'error', v_item_errors[number])
            END ORDER BY number)
        INTO v_is_new, v_known
        FROM unnest(v_keys, p_fingerprints, p_request_ids)
            WITH ORDINALITY AS item (key, fingerprint, request_id, number)
        LEFT JOIN core_idempotencyrecord AS answered
            ON answered.operator_id = p_operator_id AND answered.key = item.key;
    END IF;

    WITH terms AS (
        SELECT *
        FROM ROWS FROM (jsonb_to_recordset(p_terms) AS (
            position smallint, role text, instance_id uuid, source_id uuid, base_wager numeric,
            base_currency text, rate numeric, rate_at timestamptz, amount numeric,
            currency text, parts numeric[], ticket_cost numeric, error text
        )) WITH ORDINALITY AS terms (
            position, role, instance_id, source_id, base_wager, base_currency, rate, rate_at,
            amount, currency, parts, ticket_cost, refusal, number)
    ), leg AS (
        SELECT terms.*, leg.id, leg.item, leg.number AS leg_number,
            v_player_ids[leg.item] AS player_id, v_leg_errors[leg.number] AS error
        FROM unnest(p_leg_ids, p_leg_items, p_leg_terms)
            WITH ORDINALITY AS leg (id, item, terms, number)
        JOIN terms ON terms.number = leg.terms
        WHERE v_is_new IS NULL OR v_is_new[leg.item]
    ), counted AS (
        SELECT leg.*,
            -- What the player had contributed before: stored, and earlier in the batch.
            CASE WHEN leg.ticket_cost IS NOT NULL AND leg.error IS NULL THEN coalesce((
                SELECT accumulated FROM jackpots_contribution AS earlier
                WHERE earlier.player_id = leg.player_id
                    AND earlier.instance_id = leg.instance_id
                    AND earlier.accumulated IS NOT NULL
                ORDER BY earlier.number DESC LIMIT 1
            ), 0) + coalesce(sum(leg.amount) FILTER (WHERE leg.error IS NULL) OVER (
                PARTITION BY leg.player_id, leg.instance_id ORDER BY leg.leg_number
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0) END AS before
        FROM leg
    ), written AS (
        INSERT INTO jackpots_contribution (
            id, operator_id, request_id, position, role, instance_id, source_id, player_id,
            status, error_code, base_wager, base_currency, rate, rate_at, amount, currency,
            pot_amounts, hits, debit_currency, accumulated, tickets_earned, tickets_total,
            gameround_id, metadata, created_at
        )
        SELECT
            id, p_operator_id, p_request_ids[item], position, role, instance_id, source_id,
            player_id, CASE WHEN error IS NULL THEN 'accepted' ELSE 'failed' END,
            coalesce(error, ''), base_wager, base_currency, rate, rate_at,
            CASE WHEN error IS NULL THEN amount ELSE 0 END, currency,
            CASE WHEN error IS NULL THEN parts ELSE '{}' END,
            CASE WHEN error IS NULL THEN coalesce(v_hits[leg_number]::smallint[], '{}')
                ELSE '{}' END, '',
            before + amount,
            div(before + amount, ticket_cost)::bigint - div(before, ticket_cost)::bigint,
            div(before + amount, ticket_cost)::bigint,
            coalesce(v_gamerounds[item], ''),
            CASE WHEN position = 0 THEN nullif(v_metadata -> (item - 1), 'null') END, p_now
        FROM counted
        ORDER BY leg_number
        RETURNING request_id, position, error_code, tickets_earned, tickets_total
    ), told AS (
        SELECT request_id, jsonb_agg(jsonb_build_array(
            position, nullif(error_code, ''), tickets_earned, tickets_total)) AS legs
        FROM written WHERE error_code <> '' OR tickets_total IS NOT NULL GROUP BY request_id
    )
    SELECT jsonb_object_agg(number, jsonb_build_object('outcome', 'accepted', 'legs', legs))
    INTO v_outcomes
    FROM told
    JOIN unnest(p_request_ids) WITH ORDINALITY AS item (request_id, number) USING (request_id);

    v_outcomes := coalesce(v_outcomes, '{}') || coalesce((
        SELECT jsonb_object_agg(number, known)
        FROM unnest(v_known) WITH ORDINALITY AS item (known, number)
        WHERE known IS NOT NULL
    ), '{}');
    RETURN v_outcomes;
END
$$;
"""

BACKWARD = """
DROP FUNCTION jackpots_contribute_batch(
    bigint, jsonb, text[], jsonb, uuid[], uuid[], integer[], integer[], jsonb, jsonb, jsonb,
    jsonb, timestamptz);
"""

_BEFORE = import_module("jackpots.migrations.0008_contribute_batch").FORWARD


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("jackpots", "0009_contribution_player_without_constraint"),
        ("jackpots", "0011_contribution_rolled_back"),
    ]

    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD + _BEFORE)]
