"""The functions that open accounts and post transfers, each in one round trip."""

from django.db import migrations

ACCOUNT_ID = """
CREATE FUNCTION wallets_account_id(
    p_operator_id bigint, p_kind text, p_currency text, p_player_id bigint, p_owner text,
    p_now timestamptz
) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_id bigint;
BEGIN
    LOOP
        -- Two queries, because an index does not serve IS NOT DISTINCT FROM.
        IF p_player_id IS NULL THEN
            SELECT id INTO v_id FROM wallets_account
            WHERE operator_id = p_operator_id AND kind = p_kind AND currency = p_currency
              AND player_id IS NULL AND owner = p_owner;
        ELSE
            SELECT id INTO v_id FROM wallets_account
            WHERE operator_id = p_operator_id AND kind = p_kind AND currency = p_currency
              AND player_id = p_player_id AND owner = p_owner;
        END IF;
        EXIT WHEN v_id IS NOT NULL;

        -- Under the player's lock, so that the currency cannot change at this moment, nor
        -- ever after.
        IF p_player_id IS NOT NULL THEN
            UPDATE players_player SET currency_locked_at = coalesce(currency_locked_at, p_now)
            WHERE id = p_player_id AND operator_id = p_operator_id AND currency = p_currency;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'player % of operator % has no wallet in %',
                        p_player_id, p_operator_id, p_currency
                    USING ERRCODE = 'WF002';
            END IF;
        END IF;

        INSERT INTO wallets_account (operator_id, kind, currency, player_id, owner, balance)
        VALUES (p_operator_id, p_kind, p_currency, p_player_id, p_owner,
                CASE WHEN p_player_id IS NOT NULL THEN 0 END)
        ON CONFLICT DO NOTHING
        RETURNING id INTO v_id;
        EXIT WHEN v_id IS NOT NULL;
        -- Another transaction has opened it meanwhile: it will be found now.
    END LOOP;
    RETURN v_id;
END
$$;
"""

POST_TRANSFER = """
CREATE FUNCTION wallets_post_transfer(
    p_operator_id bigint, p_public_id uuid, p_debit bigint, p_credit bigint, p_amount numeric,
    p_currency text, p_tag text, p_reference text, p_reverses bigint,
    p_original_amount numeric, p_original_currency text, p_rate numeric, p_rate_at timestamptz,
    p_now timestamptz
) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_debit_is_hot boolean;
    v_credit_is_hot boolean;
    v_debit_after numeric;
    v_credit_after numeric;
    v_id bigint;
BEGIN
    -- Balance and row would each round on their own, and then differ.
    IF p_amount <> round(p_amount, 8) THEN
        RAISE EXCEPTION 'an amount with more than 8 decimals: %', p_amount
            USING ERRCODE = 'check_violation';
    END IF;

    -- Read without a lock: whether an account is hot never changes.
    SELECT debit.balance IS NULL, credit.balance IS NULL
    INTO STRICT v_debit_is_hot, v_credit_is_hot
    FROM wallets_account AS debit, wallets_account AS credit
    WHERE debit.id = p_debit AND credit.id = p_credit;

    -- Rows are locked in the order of their ids; the debit, which may fail, is still first
    -- to change, so that a refusal has changed nothing.
    IF p_credit < p_debit AND NOT v_debit_is_hot AND NOT v_credit_is_hot THEN
        PERFORM 1 FROM wallets_account WHERE id = p_credit FOR NO KEY UPDATE;
    END IF;

    IF NOT v_debit_is_hot THEN
        UPDATE wallets_account SET balance = balance - p_amount
        WHERE id = p_debit AND balance >= p_amount
        RETURNING balance INTO v_debit_after;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    IF NOT v_credit_is_hot THEN
        UPDATE wallets_account SET balance = balance + p_amount
        WHERE id = p_credit
        RETURNING balance INTO v_credit_after;
    END IF;

    INSERT INTO wallets_transfer (
        public_id, operator_id, debit_account_id, credit_account_id, amount, currency, tag,
        reference, reverses_id, debit_balance_after, credit_balance_after,
        original_amount, original_currency, rate, rate_at, posted_at
    ) VALUES (
        p_public_id, p_operator_id, p_debit, p_credit, p_amount, p_currency, p_tag,
        p_reference, p_reverses, v_debit_after, v_credit_after,
        p_original_amount, p_original_currency, p_rate, p_rate_at, p_now
    ) RETURNING id INTO v_id;
    RETURN v_id;
END
$$;
"""

POST_TRANSFERS = """
CREATE FUNCTION wallets_post_transfers(
    p_operator_id bigint, p_postings jsonb, p_now timestamptz
) RETURNS SETOF wallets_transfer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_key jsonb;
    v_account_id bigint;
    -- The id of every account that takes part, by its key as text.
    v_account_ids jsonb := '{}';
    v_player_account_ids bigint[] := '{}';
    v_posting record;
    v_debit bigint;
    v_credit bigint;
    v_id bigint;
    v_transfer wallets_transfer;
BEGIN
    -- Opening an account locks its player: in the order of the players.
    FOR v_key IN
        SELECT side.key
        FROM jsonb_array_elements(p_postings) AS posting,
             LATERAL (VALUES (posting -> 'debit'), (posting -> 'credit')) AS side (key)
        GROUP BY side.key
        ORDER BY (side.key ->> 'player_id')::bigint NULLS LAST, side.key
    LOOP
        v_account_id := wallets_account_id(
            p_operator_id, v_key ->> 'kind', v_key ->> 'currency',
            (v_key ->> 'player_id')::bigint, v_key ->> 'owner', p_now);
        v_account_ids := v_account_ids || jsonb_build_object(v_key::text, v_account_id);
        IF v_key ->> 'player_id' IS NOT NULL THEN
            v_player_account_ids := v_player_account_ids || v_account_id;
        END IF;
    END LOOP;

    PERFORM 1 FROM wallets_account WHERE id = ANY (v_player_account_ids)
    ORDER BY id FOR NO KEY UPDATE;

    FOR v_posting IN
        SELECT * FROM jsonb_to_recordset(p_postings) AS posting (
            public_id uuid, debit jsonb, credit jsonb, amount numeric, tag text,
            reference text, reverses_id bigint, original_amount numeric,
            original_currency text, rate numeric, rate_at timestamptz)
    LOOP
        v_debit := v_account_ids ->> v_posting.debit::text;
        v_credit := v_account_ids ->> v_posting.credit::text;

        -- The replay comes before every rule, and under the lock, so that of two at once
        -- the second finds the first.
        SELECT * INTO v_transfer FROM wallets_transfer
        WHERE operator_id = p_operator_id AND reference = v_posting.reference;
        IF FOUND THEN
            IF (v_transfer.debit_account_id, v_transfer.credit_account_id, v_transfer.amount,
                v_transfer.tag, v_transfer.reverses_id, v_transfer.original_amount,
                v_transfer.original_currency, v_transfer.rate)
               IS DISTINCT FROM
               (v_debit, v_credit, v_posting.amount,
                v_posting.tag, v_posting.reverses_id, v_posting.original_amount,
                v_posting.original_currency, v_posting.rate)
            THEN
                RAISE EXCEPTION 'another transfer has the reference %', v_posting.reference
                    USING ERRCODE = 'WF003';
            END IF;
        ELSE
            v_id := wallets_post_transfer(
                p_operator_id, v_posting.public_id, v_debit, v_credit, v_posting.amount,
                v_posting.debit ->> 'currency', v_posting.tag, v_posting.reference,
                v_posting.reverses_id, v_posting.original_amount, v_posting.original_currency,
                v_posting.rate, v_posting.rate_at, p_now);
            IF v_id IS NULL THEN
                RAISE EXCEPTION 'account % holds less than %', v_debit, v_posting.amount
                    USING ERRCODE = 'WF001';
            END IF;
            SELECT * INTO STRICT v_transfer FROM wallets_transfer WHERE id = v_id;
        END IF;
        RETURN NEXT v_transfer;
    END LOOP;
END
$$;
"""

BACKWARD = """
DROP FUNCTION wallets_post_transfers(bigint, jsonb, timestamptz);
DROP FUNCTION wallets_post_transfer(
    bigint, uuid, bigint, bigint, numeric, text, text, text, bigint, numeric, text, numeric,
    timestamptz, timestamptz);
DROP FUNCTION wallets_account_id(bigint, text, text, bigint, text, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0001_initial"), ("players", "0001_initial")]

    operations = [migrations.RunSQL(ACCOUNT_ID + POST_TRANSFER + POST_TRANSFERS, BACKWARD)]
