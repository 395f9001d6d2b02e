"""How often a promised contribution could not be applied, and when it is tried again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jackpots", "0007_contribute")]

    operations = [
        migrations.AddField(
            model_name="contributionrequest",
            name="attempts",
            field=models.PositiveIntegerField(
                default=0,
                help_text="How often it could not be applied, through no fault of its own.",
            ),
        ),
        migrations.AddField(
            model_name="contributionrequest",
            name="next_attempt_at",
            field=models.DateTimeField(
                blank=True, help_text="Not before; null: at once.", null=True
            ),
        ),
    ]
