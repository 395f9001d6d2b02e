"""The index by which the audit trail of a span of time is read, in the order of its entries."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("core", "0004_actor_of_a_platform")]

    operations = [
        AddIndexConcurrently(
            model_name="auditentry",
            index=models.Index(
                fields=["operator_id", "created_at", "id"], name="audit_by_time"
            ),
        ),
    ]
