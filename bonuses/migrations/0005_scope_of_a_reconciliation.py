from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bonuses', '0004_campaign_keeps_its_budget'),
    ]

    operations = [
        migrations.AddField(
            model_name='reconciliationrun',
            name='adapter_slug',
            field=models.CharField(blank=True, default='', help_text='Whose grants; empty: those of all.', max_length=64, verbose_name='adapter'),
            preserve_default=False,
        ),
    ]
