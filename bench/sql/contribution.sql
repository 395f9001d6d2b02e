\set player random(1, 100000)
SELECT twin.contribute(ARRAY[1, 2, 3], gen_random_uuid(), :player, 1.00);
