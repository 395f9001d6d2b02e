"""Who may approve a bonus that is given by hand above the limit."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("bonuses", "0005_scope_of_a_reconciliation")]

    operations: ClassVar = [
        migrations.AlterModelOptions(
            name="bonusgrant",
            options={
                "verbose_name": "bonus grant",
                "permissions": [
                    ("cancel_bonusgrant", "Can cancel a grant"),
                    ("forfeit_bonusgrant", "Can forfeit a grant"),
                    ("issue_bonusgrant", "Can grant a bonus by hand"),
                    (
                        "approve_manual_grant",
                        "Can approve or reject a bonus by hand above the limit",
                    ),
                ],
            },
        ),
    ]
