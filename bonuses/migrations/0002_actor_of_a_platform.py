from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bonuses', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='bonusissuance',
            name='actor_kind',
            field=models.CharField(choices=[('api_key', 'API key'), ('staff', 'Staff'), ('task', 'Background task'), ('command', 'Command line'), ('platform', 'Casino platform')], max_length=16),
        ),
    ]
