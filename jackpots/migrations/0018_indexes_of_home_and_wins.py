"""
The order of the list of all wins, and what the home page counts of jackpots.

Each is made concurrently. That takes two scans of the table, and SHARE UPDATE EXCLUSIVE on
it: contributions, folds and payouts go on, and only another change of the table's shape waits.
A plain CREATE INDEX would keep every payout waiting for as long as it takes. It waits itself
for transactions that began before it, and if it is broken off it leaves an invalid index,
which is dropped by hand before the migration is run again.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("jackpots", "0017_approve_live_terms")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="win",
            index=models.Index(fields=["-found_at", "-id"], name="win_newest_first"),
        ),
        AddIndexConcurrently(
            model_name="rollbackloss",
            index=models.Index(
                condition=models.Q(("explained_at", None)), fields=["id"], name="rollback_loss_open"
            ),
        ),
        AddIndexConcurrently(
            model_name="linktraffic",
            index=models.Index(
                condition=models.Q(("error_code", ""), _negated=True),
                fields=["hour"],
                name="link_traffic_failed",
            ),
        ),
    ]
