"""The indexes by which reports find a span of time among the rows of all times."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("jackpots", "0018_indexes_of_home_and_wins")]

    operations = [
        AddIndexConcurrently(
            model_name="contribution",
            index=BrinIndex(fields=["created_at"], name="contribution_by_time", autosummarize=True),
        ),
        AddIndexConcurrently(
            model_name="linktraffic",
            index=models.Index(fields=["source", "hour"], name="link_traffic_by_hour"),
        ),
    ]
