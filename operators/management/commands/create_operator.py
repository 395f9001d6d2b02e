"""Create a tenant and print its first key (API.md, bootstrap)."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.actors import Actor, ActorKind
from core.errors import DomainError
from operators.services import credentials


class Command(BaseCommand):
    """Print one JSON object: the operator's slug and its key, which is shown this once."""

    help = (
        "Create an operator and print its first API key, which has every scope, as one JSON "
        "object. The key is shown once and stored hashed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="lower-case letters, digits and dashes, e.g. lucky-star")
        parser.add_argument("--name", help="display name (default: the slug)")
        parser.add_argument("--base-currency", default="USD", help="currency of reports")
        parser.add_argument(
            "--time-zone", default="UTC", help="where its days begin, e.g. Europe/Malta"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"]
        try:
            issued = credentials.create_operator(
                slug=slug,
                name=options["name"] or slug,
                base_currency=options["base_currency"],
                time_zone=options["time_zone"],
                actor=Actor(kind=ActorKind.COMMAND, ref="create_operator"),
                now=timezone.now(),
            )
        except DomainError as error:
            details = [each["detail"] for each in error.members.get("errors", [])]
            raise CommandError(" ".join(details) or error.detail) from error
        except ValidationError as error:
            raise CommandError(
                f"{slug!r} cannot be a slug: 1 to 50 lower-case letters, digits and dashes."
            ) from error
        self.stdout.write(json.dumps({"operator": slug, "api_key": issued.secret}))
