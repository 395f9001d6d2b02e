"""The index by which reports find the claims of a span of time."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("promos", "0004_approve_clawback")]

    operations = [
        AddIndexConcurrently(
            model_name="userpromo",
            index=models.Index(fields=["operator", "claimed_at"], name="user_promo_by_claim"),
        ),
    ]
