"""
The indexes off which the home page finds the bonuses paid, and taken back, in a period.

Made concurrently: claims go on being written meanwhile, and only the catalogue is locked.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("promos", "0005_index_of_reports")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="userpromo",
            index=models.Index(
                Coalesce("activated_at", "completed_at"),
                condition=models.Q(("bonus_amount__gt", 0)),
                name="user_promo_paid",
            ),
        ),
        AddIndexConcurrently(
            model_name="userpromo",
            index=models.Index(
                Coalesce("cancelled_at", "expired_at"),
                condition=models.Q(("clawback_amount__gt", 0)),
                name="user_promo_taken_back",
            ),
        ),
    ]
