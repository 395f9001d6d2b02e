"""
The indexes off which cashback reads what a player lost on bets that are decided.

Made concurrently: bets go on being written meanwhile, and only the catalogue is locked.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("activity", "0003_bets_of_a_player")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="bet",
            index=models.Index(
                name="bets_settled_later_of_player",
                fields=["operator", "player", "settled_at"],
                condition=Q(is_settled_at_once=False, settled_at__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            model_name="bet",
            index=models.Index(
                name="bets_undone_of_player",
                fields=["operator", "player", "rolled_back_at"],
                condition=Q(settled_at__isnull=False, rolled_back_at__isnull=False),
            ),
        ),
    ]
