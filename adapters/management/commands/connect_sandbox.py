"""Make the sandbox platform an adapter of the demo's operator."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from adapters.sandbox.demo import DEMO_SECRET, DEMO_SLUG
from adapters.services.configs import put_adapter
from core.actors import Actor, ActorKind
from core.errors import DomainError
from operators.selectors import get_operator


class Command(BaseCommand):
    """Point an operator's adapter at a sandbox platform."""

    help = (
        f"Add the adapter {DEMO_SLUG} to an operator, or point it at another address. It does "
        "not become the default: bonuses go through it once somebody says so."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--operator", default="demo", help="its slug (default: %(default)s)")
        parser.add_argument(
            "--url", required=True, help="where the platform listens: http://127.0.0.1:8001"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            put_adapter(
                operator=get_operator(slug=options["operator"]),
                slug=DEMO_SLUG,
                kind="http",
                details={"base_url": options["url"], "secret": DEMO_SECRET},
                actor=Actor(kind=ActorKind.COMMAND, ref="connect_sandbox"),
                now=timezone.now(),
            )
        except DomainError as refusal:
            raise CommandError(_told(refusal)) from refusal
        self.stdout.write(f"{DEMO_SLUG} is at {options['url']}.")


def _told(refusal: DomainError) -> str:
    errors = refusal.members.get("errors") or [{"detail": refusal.detail}]
    return " ".join(error["detail"] for error in errors)
