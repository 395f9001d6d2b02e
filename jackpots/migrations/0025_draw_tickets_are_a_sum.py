"""All tickets of a draw may be more than a bigint holds. There is one row for each raffle."""

from decimal import Decimal

from django.db import migrations, models

import jackpots.models.fields


class Migration(migrations.Migration):
    dependencies = [("jackpots", "0024_tickets_of_batches_bounded")]

    operations = [
        migrations.AlterField(
            model_name="draw",
            name="tickets_total",
            field=jackpots.models.fields.TicketSumField(
                blank=True, decimal_places=0, max_digits=38, null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="draw",
            constraint=models.CheckConstraint(
                condition=models.Q(("tickets_total__gte", 0), ("tickets_total__lt", Decimal("1E+30"))),
                name="draw_tickets_not_negative",
            ),
        ),
    ]
