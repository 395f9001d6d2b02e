"""
The index off which the home page sums up what active grants were given.

Made concurrently: grants go on being written meanwhile, and only the catalogue is locked.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("bonuses", "0007_indexes_of_reports")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="bonusgrant",
            index=models.Index(
                condition=models.Q(("status", "active")),
                fields=["base_currency_code", "bonus_currency"],
                include=["bonus_amount", "bonus_amount_base"],
                name="bonus_grant_outstanding",
            ),
        ),
    ]
