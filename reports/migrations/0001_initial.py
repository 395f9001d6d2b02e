"""The permissions of reports: they have no table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Report",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "managed": False,
                "default_permissions": (),
                "permissions": [
                    ("view_report", "Can see reports"),
                    ("export_report", "Can download reports"),
                    ("export_audit", "Can download the audit trail"),
                    ("view_personal_data", "Can see personal data in the audit report"),
                ],
            },
        ),
    ]
