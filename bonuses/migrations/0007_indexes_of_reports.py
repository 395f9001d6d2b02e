"""The indexes by which reports find the grants that were issued, or ended, in a span of time."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("bonuses", "0006_approve_manual_grant")]

    operations = [
        AddIndexConcurrently(
            model_name="bonusgrant",
            # With what the home page sums up of a period, so that one index serves both.
            index=models.Index(
                fields=["operator", "granted_at"],
                include=["status", "base_currency_code", "bonus_amount_base"],
                name="bonus_grant_by_issue",
            ),
        ),
        AddIndexConcurrently(
            model_name="bonusgrant",
            index=models.Index(
                models.F("operator"),
                Coalesce("completed_at", "forfeited_at", "expired_at", "cancelled_at"),
                condition=models.Q(("status", "active"), _negated=True),
                name="bonus_grant_by_end",
            ),
        ),
    ]
