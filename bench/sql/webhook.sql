\set bonus random(1, 100000)
SELECT twin.wagered(gen_random_uuid(), :bonus, 1.00);
