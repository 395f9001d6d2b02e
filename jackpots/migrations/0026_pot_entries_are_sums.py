"""
What a pot holds may be more than one amount, and moves to another pot as one entry.

The column grows by digits before the point only, so no row is written again.
"""

from decimal import Decimal

from django.db import migrations, models

import jackpots.models.fields


class Migration(migrations.Migration):
    dependencies = [("jackpots", "0025_draw_tickets_are_a_sum")]

    operations = [
        migrations.RemoveConstraint(model_name="potentry", name="pot_entry_amount_positive"),
        migrations.AlterField(
            model_name="potentry",
            name="amount",
            field=jackpots.models.fields.MeterField(
                decimal_places=8, default=Decimal(0), max_digits=38
            ),
        ),
        migrations.AddConstraint(
            model_name="potentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("amount__lt", Decimal("1E+30"))),
                name="pot_entry_amount_positive",
            ),
        ),
    ]
