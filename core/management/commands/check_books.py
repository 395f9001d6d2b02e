"""Recompute every balance and meter from rows; exit 1 on one minor unit."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core import books


class Command(BaseCommand):
    """Print every difference between a stored number and the rows behind it."""

    help = "Recompute every balance and meter from its rows. Exits 1 if one of them differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--list", action="store_true", help="only name the checks")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            for name in books.check_names():
                self.stdout.write(name)
            return
        check = books.check_books(started_at=timezone.now(), clock=timezone.now)
        for difference in check.differences:
            self.stdout.write(
                "{check}: {subject} is {recorded}, its rows say {computed}".format(**difference)
            )
        if not check.is_balanced:
            self.stderr.write(f"{len(check.differences)} differences.")
            sys.exit(1)
        self.stdout.write(f"The books balance ({check.checked_count} checks).")
