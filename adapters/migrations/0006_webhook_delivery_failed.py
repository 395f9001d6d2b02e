# Concurrently: deliveries are written all the time.

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('adapters', '0005_settled_deliveries_may_go'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('status', 'failed')), fields=['created_at'], name='webhook_delivery_failed'),
        ),
    ]
