"""
What keeps reversals right no longer costs every contribution something.

The unique index held an entry for every row that reverses nothing, and the foreign key queued
a check of every row, to find a null. The index is of reversals only now, and the trigger of
reversals looks for the row that is reversed: rows are never changed or deleted (trigger), so
once is enough.
"""

from importlib import import_module
from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

_DRAWN = import_module("jackpots.migrations.0014_late_rows_of_drawn_raffles").FORWARD
_DRAWN_CHECK = _DRAWN[_DRAWN.index("CREATE FUNCTION jackpots_refuse_folded_reversal") :].partition(
    "CREATE TRIGGER"
)[0]

FORWARD = """
CREATE OR REPLACE FUNCTION jackpots_refuse_folded_reversal() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reverses_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM jackpots_contribution WHERE id = NEW.reverses_id
    ) THEN
        RAISE EXCEPTION 'There is no contribution % to reverse.', NEW.reverses_id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF NEW.xid < (SELECT folded_to FROM jackpots_instance WHERE id = NEW.instance_id) THEN
        RAISE EXCEPTION 'The instance was drawn after this transaction had begun: begin again.'
            USING ERRCODE = 'lock_not_available';
    END IF;
    RETURN NEW;
END
$$
"""

BACKWARD = _DRAWN_CHECK.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("jackpots", "0015_batch_of_like_wagers")]

    operations: ClassVar = [
        migrations.RunSQL([FORWARD], [BACKWARD]),
        migrations.RunSQL(
            [
                "CREATE UNIQUE INDEX CONCURRENTLY contribution_is_reversed_once"
                " ON jackpots_contribution (reverses_id) WHERE reverses_id IS NOT NULL",
                "ALTER TABLE jackpots_contribution"
                " DROP CONSTRAINT jackpots_contribution_reverses_id_key",
            ],
            [
                "ALTER TABLE jackpots_contribution"
                " ADD CONSTRAINT jackpots_contribution_reverses_id_key UNIQUE (reverses_id)",
                "DROP INDEX CONCURRENTLY contribution_is_reversed_once",
            ],
        ),
        migrations.AlterField(
            model_name="contribution",
            name="reverses",
            field=models.OneToOneField(
                db_constraint=False,
                help_text="Of a reversal: the contribution that was rolled back.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reversal",
                to="jackpots.contribution",
            ),
        ),
    ]
