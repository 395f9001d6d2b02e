"""Who may approve new terms of a live pot, and the index of wins that somebody decided."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("jackpots", "0016_reversals_cost_reversals_only")]

    operations: ClassVar = [
        migrations.AlterModelOptions(
            name="instance",
            options={
                "verbose_name": "jackpot instance",
                "permissions": [
                    ("activate_instance", "Can activate a jackpot instance"),
                    ("pause_instance", "Can pause and resume a jackpot instance"),
                    ("close_instance", "Can close a jackpot instance"),
                    ("cancel_instance", "Can cancel a draft of a jackpot instance"),
                    ("link_instance", "Can link jackpot instances"),
                    ("draw_instance", "Can draw a raffle"),
                    ("drop_pot", "Can drop a pot to a player"),
                    ("change_live_terms", "Can change the terms of a live pot"),
                    ("approve_live_terms", "Can approve or reject new terms of a live pot"),
                ],
            },
        ),
        AddIndexConcurrently(
            model_name="win",
            index=models.Index(
                fields=["-decided_at", "-id"],
                condition=models.Q(("decided_at__isnull", False)),
                name="win_decided",
            ),
        ),
    ]
