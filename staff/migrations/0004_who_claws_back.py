"""
Whoever could take another amount than the rule takes still can: it has a permission of its own.

But not Compliance, which sets the limit of such amounts.
"""

from typing import Any, ClassVar

from django.contrib.auth.management import create_permissions
from django.db import migrations

from staff.roles import COMPLIANCE_ROLE


def give_to_who_cancels(apps: Any, schema_editor: Any) -> None:
    # Permissions are made after all migrations, as a rule; this one is needed now.
    promos = apps.get_app_config("promos")
    module = getattr(promos, "models_module", None)
    promos.models_module = True
    create_permissions(promos, apps=apps, verbosity=0)
    promos.models_module = module

    Permission = apps.get_model("auth", "Permission")
    cancel, claw_back = (
        Permission.objects.get(content_type__app_label="promos", codename=codename)
        for codename in ("cancel_userpromo", "claw_back_userpromo")
    )
    for group in apps.get_model("auth", "Group").objects.filter(permissions=cancel):
        if group.name != COMPLIANCE_ROLE:
            group.permissions.add(claw_back)
    for user in apps.get_model("auth", "User").objects.filter(user_permissions=cancel):
        user.user_permissions.add(claw_back)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("promos", "0008_claw_back_another_amount"),
        ("staff", "0003_roles"),
    ]

    operations: ClassVar = [
        migrations.RunPython(give_to_who_cancels, migrations.RunPython.noop),
    ]
