"""Help somebody who is locked out."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.actors import Actor, ActorKind
from staff.services.sign_ins import unlock_account


class Command(BaseCommand):
    """Say that the account is open again."""

    help = "Forget somebody's wrong passwords and codes, so that they can sign in at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--reason", required=True, help="kept in the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"Nobody is called {options['username']!r}.")
        unlock_account(
            user=user,
            reason=options["reason"],
            actor=Actor(kind=ActorKind.COMMAND, ref="unlock_staff"),
            now=timezone.now(),
        )
        self.stdout.write(f"{user.get_username()} can sign in again.")
