"""The time zone in which an operator's days begin: the days of its reports."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operators", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="operator",
            name="time_zone",
            field=models.CharField(
                default="UTC",
                db_default="UTC",
                help_text="Where its days begin: the days of reports. An IANA name.",
                max_length=64,
            ),
        ),
        migrations.AddConstraint(
            model_name="operator",
            constraint=models.CheckConstraint(
                name="operator_has_a_time_zone", condition=~models.Q(("time_zone", ""))
            ),
        ),
    ]
