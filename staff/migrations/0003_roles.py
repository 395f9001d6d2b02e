from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.models import Q

from staff.roles import ROLES


def make_permissions(apps):
    # They are made after all migrations, as a rule; the groups need them now.
    for app_config in apps.get_app_configs():
        module = getattr(app_config, "models_module", None)
        app_config.models_module = True
        create_permissions(app_config, apps=apps, verbosity=0)
        app_config.models_module = module


def make_roles(apps, schema_editor):
    make_permissions(apps)
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for role, names in ROLES.items():
        wanted = Q(pk=None)
        for name in names:
            app_label, _dot, codename = name.partition(".")
            wanted |= Q(content_type__app_label=app_label, codename=codename)
        group, _created = Group.objects.get_or_create(name=role)
        group.permissions.set(Permission.objects.filter(wanted))


class Migration(migrations.Migration):

    # After every migration that permissions come from. What a later one brings is given to
    # the roles by `manage.py sync_roles`.
    dependencies = [
        ('activity', '0002_bonus_money'),
        ('adapters', '0006_webhook_delivery_failed'),
        ('approvals', '0001_initial'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('bonuses', '0006_approve_manual_grant'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('core', '0004_actor_of_a_platform'),
        ('games', '0001_initial'),
        ('jackpots', '0017_approve_live_terms'),
        ('operators', '0002_operator_time_zone'),
        ('players', '0001_initial'),
        ('promos', '0004_approve_clawback'),
        ('reports', '0001_initial'),
        ('simulations', '0001_initial'),
        ('staff', '0002_sessions_end_with_access'),
        ('wallets', '0005_bonus_accounts'),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
