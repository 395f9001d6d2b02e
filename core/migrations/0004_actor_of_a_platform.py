from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0003_outbox'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='actor_kind',
            field=models.CharField(choices=[('api_key', 'API key'), ('staff', 'Staff'), ('task', 'Background task'), ('command', 'Command line'), ('platform', 'Casino platform')], max_length=16),
        ),
    ]
