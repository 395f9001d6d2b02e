"""When the clock last tried to take a raffle on: those tried longest ago come first."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("jackpots", "0027_wins_wait_by_default")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="instance",
            name="step_tried_at",
            field=models.DateTimeField(
                blank=True, help_text="Raffle: when the clock last tried to take it on.", null=True
            ),
        ),
    ]
