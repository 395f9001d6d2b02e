SELECT twin.claim(1, nextval('twin.claimant'), gen_random_uuid());
