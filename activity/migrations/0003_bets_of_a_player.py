"""
The index off which the page of a player sums up their newest bets.

Made concurrently: bets go on being written meanwhile, and only the catalogue is locked.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("activity", "0002_bonus_money")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="bet",
            index=models.Index(
                fields=["operator", "player", "-placed_at", "-id"], name="bets_of_player"
            ),
        ),
    ]
