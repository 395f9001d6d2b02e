"""The index of contributions that were rolled back, for the list that shows only those."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("jackpots", "0010_contribution_request_attempts")]

    operations = [
        AddIndexConcurrently(
            model_name="contribution",
            index=models.Index(
                condition=models.Q(("status", "reversal")),
                fields=["operator", "reverses"],
                name="contribution_rolled_back",
            ),
        )
    ]
