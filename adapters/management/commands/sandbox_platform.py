"""Run the casino platform to play with."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from adapters.sandbox import command_line


class Command(BaseCommand):
    """Serve a casino platform over HTTP; it uses no database."""

    help = command_line.SUMMARY
    requires_system_checks = ()

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(
            *args,
            epilog=command_line.EPILOG,
            formatter_class=RawDescriptionHelpFormatter,
            **kwargs,
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        command_line.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            command_line.serve(options, self._say)
        except command_line.CannotListen as reason:
            raise CommandError(str(reason)) from reason

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
