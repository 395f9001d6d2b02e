"""Makes the groups of Django from the table of roles."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from core import audit
from core.actors import Actor
from staff.roles import ROLES


@dataclass(frozen=True, slots=True)
class SyncedRole:
    """What had to be done to one role, and what could not be."""

    name: str
    added: list[str]
    removed: list[str]
    unknown: list[str]


@transaction.atomic(durable=True)
def sync_roles(*, actor: Actor, now: datetime) -> list[SyncedRole]:
    """
    Give every role what the table says and nothing else, and return what changed.

    Members of a role that changed sign in again. Roles that are not in the table, which
    somebody made by hand, stay as they are.
    """
    return [_sync_role(name, actor, now) for name in ROLES]


def _sync_role(name: str, actor: Actor, now: datetime) -> SyncedRole:
    wanted = {_name(permission): permission for permission in _permissions(ROLES[name])}
    group, _created = Group.objects.get_or_create(name=name)
    had = {
        _name(permission): permission
        for permission in group.permissions.select_related("content_type")
    }
    added, removed = sorted(set(wanted) - set(had)), sorted(set(had) - set(wanted))
    if added or removed:
        group.permissions.add(*[wanted[each] for each in added])
        group.permissions.remove(*[had[each] for each in removed])
        audit.record_action(
            operator=None,
            actor=actor,
            action="staff.group.synced",
            subject=group,
            before={"permissions": removed},
            after={"permissions": added},
            now=now,
        )
    return SyncedRole(name, added, removed, sorted(ROLES[name] - set(wanted)))


def _permissions(names: frozenset[str]) -> list[Permission]:
    wanted = Q(pk=None)
    for name in names:
        app_label, _dot, codename = name.partition(".")
        wanted |= Q(content_type__app_label=app_label, codename=codename)
    return list(Permission.objects.filter(wanted).select_related("content_type"))


def _name(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"
