"""From when the drops of a pot are counted, so that a night of changing clocks leaves no mark."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jackpots", "0007_contribute"),
        ("jackpots", "0011_contribution_rolled_back"),
    ]

    operations = [
        migrations.AddField(
            model_name="pot",
            name="drop_anchor_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Must hit by a time: the first one, from which later ones are counted.",
                null=True,
            ),
        )
    ]
