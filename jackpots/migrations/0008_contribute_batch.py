"""
The function that writes a batch of contribution requests in one statement.

Every request is decided by itself, by the rules of jackpots_contribute; what differs is
how one waits for another. Keys are claimed by the ordered insert of their answers, not
by a lock each: a thousand locks a batch would exhaust the server's table of them. For
the same reason a raffle that counts tickets is locked as a whole, for the moment, and not
a thousand players. docs/adr/0009 has more.
"""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION jackpots_contribute_batch(
    p_operator_id bigint,
    p_items jsonb,
    p_legs jsonb,
    p_targets jsonb,
    p_rates jsonb,
    p_now timestamptz
) RETURNS jsonb
-- In a plan made for one call the arrays below are constants: every look into one walks it.
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_lock record;
    -- One entry for each item, or for each leg, in their order.
    v_player_ids bigint[];
    v_player_errors text[];
    v_known jsonb[];
    v_leg_errors text[];
    v_item_errors text[];
    v_is_new boolean[];
    v_claimed uuid[];
    -- One entry for each item that was written.
    v_written jsonb[];
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
        END ORDER BY item.number),
        -- The replay comes before every rule.
        array_agg(CASE
            WHEN answered.fingerprint <> item.fingerprint THEN '{"outcome": "reused"}'
            WHEN answered.fingerprint = item.fingerprint THEN jsonb_build_object(
                'outcome', 'replayed',
                'answer', jackpots_contribution_answer(answered.answer))
            WHEN player.id IS NULL THEN '{"outcome": "unknown_player"}'
        END ORDER BY item.number)
    INTO v_player_ids, v_player_errors, v_known
    FROM ROWS FROM (
        jsonb_to_recordset(p_items) AS (key text, fingerprint text, player text)
    ) WITH ORDINALITY AS item (key, fingerprint, player, number)
    LEFT JOIN players_player AS player
        ON player.operator_id = p_operator_id AND player.reference = item.player
    LEFT JOIN core_idempotencyrecord AS answered
        ON answered.operator_id = p_operator_id AND answered.key = item.key;

    SELECT
        array_agg(error ORDER BY number),
        array_agg(error ORDER BY number) FILTER (WHERE position = 0)
    INTO v_leg_errors, v_item_errors
    FROM (
        SELECT leg.number, leg.position, CASE
            WHEN leg.refusal IS NOT NULL THEN leg.refusal
            WHEN leg.opt_in_to IS NOT NULL AND NOT EXISTS (
                SELECT FROM jackpots_optin AS opt_in
                WHERE opt_in.instance_id = leg.opt_in_to
                    AND opt_in.player_id = v_player_ids[leg.item]
                    AND opt_in.opted_out_at IS NULL
            ) THEN 'OPT_IN_REQUIRED'
            ELSE v_player_errors[leg.item]
        END AS error
        FROM ROWS FROM (jsonb_to_recordset(p_legs) AS (
            item integer, position integer, opt_in_to uuid, error text
        )) WITH ORDINALITY AS leg (item, position, opt_in_to, refusal, number)
    ) AS leg;

    -- In one order everywhere, so that two batches never wait for each other in a circle.
    WITH claimed AS (
        INSERT INTO core_idempotencyrecord (operator_id, key, fingerprint, answer, created_at)
        SELECT p_operator_id, key, fingerprint, request_id, p_now
        FROM ROWS FROM (
            jsonb_to_recordset(p_items) AS (key text, fingerprint text, request_id text)
        ) WITH ORDINALITY AS item (key, fingerprint, request_id, number)
        WHERE v_known[number] IS NULL AND v_item_errors[number] IS NULL
        ORDER BY key COLLATE "C"
        ON CONFLICT DO NOTHING
        RETURNING answer::uuid AS request_id
    )
    SELECT array_agg(request_id) INTO v_claimed FROM claimed;

    SELECT array_agg(
        v_known[number] IS NULL AND v_item_errors[number] IS NULL
        AND request_id = ANY (v_claimed) ORDER BY number)
    INTO v_is_new
    FROM ROWS FROM (jsonb_to_recordset(p_items) AS (request_id uuid))
        WITH ORDINALITY AS item (request_id, number);

    WITH leg AS (
        SELECT leg.*, v_leg_errors[leg.number] AS error, v_player_ids[leg.item] AS player_id
        FROM ROWS FROM (jsonb_to_recordset(p_legs) AS (
            item integer, position integer, target integer, id uuid, rate numeric,
            rate_at timestamptz, amount numeric, parts numeric[], hits smallint[]
        )) WITH ORDINALITY AS leg (
            item, position, target, id, rate, rate_at, amount, parts, hits, number)
        WHERE v_is_new[leg.item]
    ), counted AS (
        SELECT leg.*, target.instance_id, target.currency, target.ticket_cost,
            -- What the player had contributed before: stored, and earlier in the batch.
            CASE WHEN target.ticket_cost IS NOT NULL AND leg.error IS NULL THEN coalesce((
                SELECT accumulated FROM jackpots_contribution AS earlier
                WHERE earlier.player_id = leg.player_id
                    AND earlier.instance_id = target.instance_id
                    AND earlier.accumulated IS NOT NULL
                ORDER BY earlier.number DESC LIMIT 1
            ), 0) + coalesce(sum(leg.amount) FILTER (WHERE leg.error IS NULL) OVER (
                PARTITION BY leg.player_id, target.instance_id ORDER BY leg.number
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0) END AS before
        FROM leg
        JOIN ROWS FROM (jsonb_to_recordset(p_targets) AS (
            instance_id uuid, currency text, ticket_cost numeric
        )) WITH ORDINALITY AS target (instance_id, currency, ticket_cost, number)
            ON target.number = leg.target
    ), written AS (
        INSERT INTO jackpots_contribution (
            id, operator_id, request_id, position, role, instance_id, source_id, player_id,
            status, error_code, base_wager, base_currency, rate, rate_at, amount, currency,
            pot_amounts, hits, debit_currency, accumulated, tickets_earned, tickets_total,
            gameround_id, metadata, created_at
        )
        SELECT
            leg.id, p_operator_id, item.request_id, leg.position,
            CASE WHEN leg.position = 0 THEN 'main' ELSE 'linked' END, leg.instance_id,
            CASE WHEN leg.position > 0 THEN item.instance_id END, leg.player_id,
            CASE WHEN leg.error IS NULL THEN 'accepted' ELSE 'failed' END,
            coalesce(leg.error, ''), item.base_wager, item.currency,
            coalesce(leg.rate, 1), leg.rate_at,
            CASE WHEN leg.error IS NULL THEN leg.amount ELSE 0 END, leg.currency,
            CASE WHEN leg.error IS NULL THEN leg.parts ELSE '{}' END,
            CASE WHEN leg.error IS NULL THEN coalesce(leg.hits, '{}') ELSE '{}' END, '',
            before + leg.amount,
            div(before + leg.amount, leg.ticket_cost)::bigint
                - div(before, leg.ticket_cost)::bigint,
            div(before + leg.amount, leg.ticket_cost)::bigint,
            coalesce(item.gameround_id, ''),
            CASE WHEN leg.position = 0 THEN nullif(item.metadata, 'null') END, p_now
        FROM counted AS leg
        JOIN ROWS FROM (jsonb_to_recordset(p_items) AS (
            request_id uuid, instance_id uuid, base_wager numeric, currency text,
            gameround_id text, metadata jsonb
        )) WITH ORDINALITY AS item (
            request_id, instance_id, base_wager, currency, gameround_id, metadata, number)
            ON item.number = leg.item
        ORDER BY leg.number
        RETURNING request_id, position, number, error_code, tickets_earned, tickets_total
    )
    SELECT array_agg(legs ORDER BY first) INTO v_written
    FROM (
        SELECT min(number) AS first, jsonb_agg(
            jsonb_build_array(nullif(error_code, ''), tickets_earned, tickets_total)
            ORDER BY position) AS legs
        FROM written GROUP BY request_id
    ) AS told;

    SELECT jsonb_agg(CASE
        WHEN known IS NOT NULL THEN known
        WHEN v_item_errors[number] IS NOT NULL THEN
            jsonb_build_object('outcome', 'refused', 'error', v_item_errors[number])
        WHEN is_new THEN jsonb_build_object('outcome', 'accepted', 'legs', v_written[place])
        -- Somebody else has answered the key at this very moment.
        ELSE '{"outcome": "overtaken"}'
    END ORDER BY number)
    INTO v_outcomes
    FROM (
        SELECT *, sum(is_new::integer) OVER (ORDER BY number)::integer AS place
        FROM unnest(v_known, v_is_new) WITH ORDINALITY AS item (known, is_new, number)
    ) AS item;
    RETURN v_outcomes;
END
$$;
"""

BACKWARD = """
DROP FUNCTION jackpots_contribute_batch(bigint, jsonb, jsonb, jsonb, jsonb, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("jackpots", "0014_late_rows_of_drawn_raffles")]

    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
