"""Pots that exist already: their cycle began with the seed, which the house put in."""

from django.db import migrations

FORWARD = """
UPDATE jackpots_pot SET opening = seed;

INSERT INTO jackpots_potentry (id, operator_id, pot_id, cycle, kind, amount, created_at)
SELECT gen_random_uuid(), instance.operator_id, pot.id, 1, 'seed', pot.seed, instance.activated_at
FROM jackpots_pot AS pot
JOIN jackpots_instance AS instance ON instance.id = pot.instance_id
WHERE instance.activated_at IS NOT NULL AND pot.seed > 0;
"""


class Migration(migrations.Migration):
    dependencies = [("jackpots", "0005_drops_draws_wins")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
