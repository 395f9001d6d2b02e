"""Load the demo world, once."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from activity.demo.bonuses import TEMPLATES
from activity.demo.catalogue import GAMES, demo_jackpots
from activity.demo.credentials import keep_credentials
from activity.demo.loading import load_world
from activity.demo.people import PLAYERS_COUNT
from activity.demo.promos import PROMOS

PRODUCTION = "config.settings.production"


class Command(BaseCommand):
    """Load an operator with players, games, linked jackpots and a day of contributions."""

    help = (
        "Load the demo world: an operator with players, games, linked jackpots and a day of "
        "contributions. A world that is there already is left as it is. The login and an API "
        "key with every scope are kept in a file that only you can read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--credentials",
            type=Path,
            metavar="FILE",
            default=settings.DATA_DIR / "demo.json",
            help="where the login and the API key are kept (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.SETTINGS_MODULE == PRODUCTION:
            raise CommandError("The demo world has a password that everybody knows: not here.")
        path: Path = options["credentials"]
        now = timezone.now()
        world = load_world(now=now, report=self.stdout.write)
        try:
            credentials = keep_credentials(path=path, world=world, now=now)
        except OSError as error:
            raise CommandError(f"{path} cannot be written ({error.strerror}).") from error
        self.stdout.write(
            f"{world.operator.name}: {PLAYERS_COUNT} players, {len(GAMES)} games, "
            f"{len(demo_jackpots(now, now))} jackpots, {len(PROMOS)} promos, "
            f"{len(TEMPLATES)} bonus templates.\n"
            f"Operator {credentials.operator}, login {credentials.login}, password "
            f"{credentials.password}; the API key is in {path}."
        )
