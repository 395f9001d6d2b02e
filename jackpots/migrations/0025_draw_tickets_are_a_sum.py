"""All tickets of a draw may be more than a bigint holds. There is one row for each raffle."""

from django.db import migrations

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
        )
    ]
