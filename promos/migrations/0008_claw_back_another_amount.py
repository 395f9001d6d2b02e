"""Who may take another amount than the rule takes, when a claim is cancelled."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("promos", "0007_make_claim")]

    operations: ClassVar = [
        migrations.AlterModelOptions(
            name="userpromo",
            options={
                "verbose_name": "user promo",
                "permissions": [
                    ("cancel_userpromo", "Can cancel a player's claim"),
                    ("claw_back_userpromo", "Can take back another amount than the rule takes"),
                    (
                        "approve_clawback",
                        "Can approve or reject a custom clawback above the limit",
                    ),
                ],
            },
        ),
    ]
