\set player random(1, 100000)
SELECT twin.bet(:player, gen_random_uuid(), 1.00, 1.00);
