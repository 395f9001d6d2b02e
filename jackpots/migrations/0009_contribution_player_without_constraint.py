"""
A contribution's player is looked up by the function that writes it, in the same transaction.

Checking the foreign key again at every commit locked the player's row for every leg; a batch
of a thousand asked a thousand times. Players are never deleted.
"""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("jackpots", "0008_contribute_batch")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="contribution",
            name="player",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="players.player",
            ),
        )
    ]
