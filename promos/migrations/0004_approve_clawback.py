"""Who may approve a custom clawback above the limit."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("promos", "0003_terms_are_numbers")]

    operations: ClassVar = [
        migrations.AlterModelOptions(
            name="userpromo",
            options={
                "verbose_name": "user promo",
                "permissions": [
                    ("cancel_userpromo", "Can cancel a player's claim"),
                    (
                        "approve_clawback",
                        "Can approve or reject a custom clawback above the limit",
                    ),
                ],
            },
        ),
    ]
