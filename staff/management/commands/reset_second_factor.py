"""Help somebody who lost their phone."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.actors import Actor, ActorKind
from staff.services.second_factor import reset_second_factor


class Command(BaseCommand):
    """Say what was taken away."""

    help = (
        "Take somebody's authenticator and recovery codes away, and end their sessions. First "
        "make sure that it is they who ask: from now on their password alone lets them in, "
        "until they have set up another."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--reason", required=True, help="kept in the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"Nobody is called {options['username']!r}.")
        had_any = reset_second_factor(
            user=user,
            reason=options["reason"],
            actor=Actor(kind=ActorKind.COMMAND, ref="reset_second_factor"),
            now=timezone.now(),
        )
        self.stdout.write(
            f"The second factor of {user.get_username()} was "
            + ("reset, and their sessions have ended." if had_any else "not set up.")
        )
