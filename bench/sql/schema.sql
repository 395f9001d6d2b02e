-- The twins: what the same work costs PostgreSQL when nothing else is done. Lean tables and one
-- function for each path; idempotency, the effect and its ledger row, nothing more.
DROP SCHEMA IF EXISTS twin CASCADE;
CREATE SCHEMA twin;
SET search_path = twin;

-- contribution: one direct UPDATE per pot, in ascending order, the value afterwards kept.
CREATE TABLE pot (
    id integer PRIMARY KEY,
    state text NOT NULL DEFAULT 'active',
    amount numeric(28, 8) NOT NULL DEFAULT 0,
    n bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
INSERT INTO pot (id) SELECT generate_series(1, 4);

CREATE TABLE contribution (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pot_id integer NOT NULL,
    request_id uuid NOT NULL,
    player_id bigint NOT NULL,
    amount numeric(28, 8) NOT NULL,
    pot_after numeric(28, 8),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (request_id, pot_id)
);

CREATE FUNCTION contribute(pots integer[], k uuid, pl bigint, amt numeric) RETURNS numeric
LANGUAGE plpgsql SET search_path = twin AS $$
DECLARE
    x integer;
    a numeric;
BEGIN
    FOREACH x IN ARRAY pots LOOP
        UPDATE pot SET amount = amount + amt, n = n + 1
            WHERE id = x AND state = 'active' RETURNING amount INTO a;
        INSERT INTO contribution (pot_id, request_id, player_id, amount, pot_after)
            VALUES (x, k, pl, amt, a);
    END LOOP;
    RETURN a;
END
$$;

-- batch: insert what is new, then add only what was really inserted.
CREATE FUNCTION contribute_batch(
    keys uuid[], pots bigint[], players bigint[], amounts numeric[]
) RETURNS bigint
LANGUAGE sql SET search_path = twin AS $$
    WITH x AS (
        SELECT * FROM unnest(keys, pots, players, amounts)
            AS t (request_id, pot_id, player_id, amount)
    ), i AS (
        INSERT INTO contribution (request_id, pot_id, player_id, amount)
        SELECT request_id, pot_id, player_id, amount FROM x ORDER BY request_id, pot_id
        ON CONFLICT DO NOTHING RETURNING pot_id, amount
    ), s AS (
        SELECT pot_id, sum(amount) AS a, count(*) AS c FROM i GROUP BY 1
    ), l AS MATERIALIZED (
        SELECT pot.id, s.a, s.c FROM pot JOIN s ON s.pot_id = pot.id
        ORDER BY pot.id FOR NO KEY UPDATE OF pot
    ), u AS (
        UPDATE pot SET amount = pot.amount + l.a, n = n + l.c FROM l WHERE pot.id = l.id
        RETURNING l.c
    )
    SELECT sum(c)::bigint FROM u
$$;

-- In life the arrays come from the client. Here the server makes them, because pgbench has no
-- arrays: the twin is a little slower for it.
CREATE FUNCTION batch_of(size integer) RETURNS bigint
LANGUAGE sql SET search_path = twin AS $$
    SELECT contribute_batch(
        array_agg(gen_random_uuid()), array_agg(4::bigint),
        array_agg(1 + (random() * 99999)::bigint), array_agg(1.00::numeric)
    ) FROM generate_series(1, size)
$$;

-- wallets, shared by bet and claim: 100 000 players.
CREATE TABLE wallet (
    player_id bigint PRIMARY KEY,
    balance numeric(28, 8) NOT NULL CHECK (balance >= 0)
) WITH (fillfactor = 70);
INSERT INTO wallet SELECT id, 1000000 FROM generate_series(1, 100000) AS id;

CREATE TABLE ledger (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    player_id bigint NOT NULL,
    amount numeric(28, 8) NOT NULL,
    tag text NOT NULL,
    reference uuid NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- bet: wallet, ledger and wagering.
CREATE TABLE wagering (
    player_id bigint PRIMARY KEY,
    progress numeric(28, 8) NOT NULL DEFAULT 0,
    required numeric(28, 8) NOT NULL DEFAULT 1000000000
) WITH (fillfactor = 70);
INSERT INTO wagering SELECT id FROM generate_series(1, 100000) AS id;

CREATE FUNCTION bet(pl bigint, k uuid, stake numeric, payout numeric) RETURNS numeric
LANGUAGE plpgsql SET search_path = twin AS $$
DECLARE
    b numeric;
BEGIN
    UPDATE wallet SET balance = balance - stake + payout
        WHERE player_id = pl AND balance >= stake RETURNING balance INTO b;
    INSERT INTO ledger (player_id, amount, tag, reference) VALUES (pl, payout - stake, 'BET', k);
    UPDATE wagering SET progress = least(progress + stake, required) WHERE player_id = pl;
    RETURN b;
END
$$;

-- claim: take one of what is left, once for each player, and pay it.
CREATE TABLE promo (
    id integer PRIMARY KEY,
    claims_left bigint NOT NULL CHECK (claims_left >= 0)
) WITH (fillfactor = 20);
INSERT INTO promo VALUES (1, 1000000000);

CREATE TABLE claim (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    promo_id integer NOT NULL,
    player_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (promo_id, player_id)
);
CREATE SEQUENCE claimant;

CREATE FUNCTION claim(p integer, pl bigint, k uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path = twin AS $$
BEGIN
    INSERT INTO claim (promo_id, player_id) VALUES (p, pl) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO ledger (player_id, amount, tag, reference) VALUES (pl, 1, 'PROMO', k);
    UPDATE wallet SET balance = balance + 1 WHERE player_id = pl % 100000 + 1;
    UPDATE promo SET claims_left = claims_left - 1 WHERE id = p AND claims_left > 0;
    RETURN FOUND;
END
$$;

-- webhook: an event counts once, moves its grant on, and leaves a row.
CREATE TABLE platform_event (
    adapter integer NOT NULL,
    event_id uuid NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (adapter, event_id)
);
CREATE TABLE bonus (
    id bigint PRIMARY KEY,
    status text NOT NULL DEFAULT 'active',
    progress numeric(28, 8) NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
INSERT INTO bonus SELECT id FROM generate_series(1, 100000) AS id;
CREATE TABLE bonus_ledger (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bonus_id bigint NOT NULL,
    event_id uuid NOT NULL,
    amount numeric(28, 8) NOT NULL
);

CREATE FUNCTION wagered(e uuid, b bigint, amt numeric) RETURNS boolean
LANGUAGE plpgsql SET search_path = twin AS $$
BEGIN
    INSERT INTO platform_event (adapter, event_id, payload)
        VALUES (1, e, jsonb_build_object('event', 'bonus.wagered', 'bonus', b, 'amount', amt))
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE bonus SET progress = progress + amt WHERE id = b AND status = 'active';
    INSERT INTO bonus_ledger (bonus_id, event_id, amount) VALUES (b, e, amt);
    RETURN true;
END
$$;
