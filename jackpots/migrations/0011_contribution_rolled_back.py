"""The indexes of what was rolled back and of what failed: few among very many rows."""

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
        ),
        AddIndexConcurrently(
            model_name="contribution",
            index=models.Index(
                condition=models.Q(("status", "failed")),
                fields=["operator", "id"],
                name="contribution_failed",
            ),
        ),
    ]
