"""Set the roles back to the table (staff/roles.py)."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.actors import Actor, ActorKind
from staff.services.role_groups import sync_roles


class Command(BaseCommand):
    """Print for each role what was given to it and what was taken from it."""

    help = (
        "Give every role the permissions of the table in staff/roles.py and no others. Roles "
        "made by hand stay as they are; members of a role that changed sign in again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor(kind=ActorKind.COMMAND, ref="sync_roles")
        for role in sync_roles(actor=actor, now=timezone.now()):
            changes = [
                *(f"  + {name}" for name in role.added),
                *(f"  - {name}" for name in role.removed),
                *(f"  ? {name}: nothing asks for it yet" for name in role.unknown),
            ]
            self.stdout.write(
                f"{role.name}: {'changed' if role.added or role.removed else 'as it should be'}"
            )
            for line in changes:
                self.stdout.write(line)
