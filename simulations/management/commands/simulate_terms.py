"""Simulate terms: what they are likely to cost, and who completes."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rest_framework.exceptions import APIException, ValidationError

from core.api.serializers import parsed
from core.errors import DomainError
from games.enums import GameCategory
from operators.models import Operator
from operators.selectors import get_operator
from promos.selectors import list_promos
from simulations.enums import Volatility
from simulations.representations.answers import represent_simulation
from simulations.representations.asking import simulate_as_asked
from simulations.representations.bodies import SimulateSerializer
from simulations.representations.told import tell_simulation

EPILOG = """\
Nothing is stored, and nobody is given anything. The same terms and the same seed have the
same answer. A file holds what POST /v1/simulations takes; options come before it.

exit status:
  0  the simulation was made, whatever it warns of
  1  it could not be made

examples:
  python manage.py simulate_terms --operator demo --promo WELCOME100
  python manage.py simulate_terms --operator demo --template 019a… --deposit 100 --stake 1 --json
  python manage.py simulate_terms --operator demo --file terms.json --game slots=4 --game table=1
"""
#: Options that are members of the body, and the members' names.
_TEXTS = (
    "currency",
    "deposit",
    "own_money",
    "loss",
    "rtp",
    "volatility",
    "gives_up_per_day",
    "acceptable_share",
)
_COUNTS = ("bets_per_hour", "hours_per_day", "horizon_days", "players", "seed")


class Command(BaseCommand):
    """Simulate the terms of a template, a promo or a file."""

    help = "Simulate terms: what they are likely to cost, and who completes."

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(
            *args, epilog=EPILOG, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--operator", required=True, metavar="SLUG", help="whose terms")
        terms = parser.add_mutually_exclusive_group(required=True)
        terms.add_argument("--template", metavar="ID", help="the terms of this bonus template")
        terms.add_argument("--promo", metavar="CODE", help="the terms of this promo (code or id)")
        terms.add_argument("--file", metavar="PATH", help="terms and players as JSON")
        for name in _TEXTS:
            choices = Volatility.values if name == "volatility" else None
            parser.add_argument(f"--{name.replace('_', '-')}", choices=choices)
        for name in _COUNTS:
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N")
        parser.add_argument(
            "--stake", action="append", default=[], metavar="AMOUNT[=PART]", help="may be repeated"
        )
        parser.add_argument(
            "--game",
            action="append",
            default=[],
            metavar="CATEGORY_OR_SLUG[=PART]",
            help="may be repeated",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            operator = get_operator(slug=options["operator"])
            simulation = simulate_as_asked(
                operator=operator,
                asked=parsed(SimulateSerializer, _body(operator, options)),
                now=timezone.now(),
            )
        except DomainError as refusal:
            raise CommandError("\n".join(_told_refusal(refusal))) from refusal
        except ValidationError as error:
            raise CommandError(json.dumps(error.detail, indent=2)) from error
        except APIException as error:
            raise CommandError(str(error.detail)) from error
        if options["json"]:
            self.stdout.write(json.dumps(represent_simulation(simulation), indent=2))
        else:
            self.stdout.write("\n".join(tell_simulation(simulation)))


def _body(operator: Operator, options: dict[str, Any]) -> Any:
    """Return the body that the options describe, on top of that of the file."""
    body = _read(options["file"]) if options["file"] else {}
    if not isinstance(body, dict):
        return body
    if options["template"]:
        body["template_id"] = options["template"]
    if options["promo"]:
        body["promo_id"] = _promo_id(operator, options["promo"])
    for name in (*_TEXTS, *_COUNTS):
        if options[name] is not None:
            body[name] = options[name]
    if options["stake"]:
        body["stakes"] = [{"stake": name, "share": part} for name, part in _parts(options["stake"])]
    if options["game"]:
        body["games"] = [_game(name, part) for name, part in _parts(options["game"])]
    return body


def _read(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{path} is not JSON: {error}") from error


def _promo_id(operator: Operator, name: str) -> str:
    """Return the id of the promo with that code; what is no code is an id."""
    promo = list_promos(operator=operator).with_code(name).first()
    if promo is not None:
        return str(promo.pk)
    try:
        return str(UUID(name))
    except ValueError as error:
        raise CommandError(f"There is no promo {name!r}.") from error


def _parts(given: list[str]) -> Iterator[tuple[str, str]]:
    for each in given:
        name, _equals, part = each.partition("=")
        yield name, part or "1"


def _game(name: str, part: str) -> dict[str, str]:
    kind = "category" if name in GameCategory.values else "game"
    return {kind: name, "share": part}


def _told_refusal(refusal: DomainError) -> Iterator[str]:
    yield refusal.detail
    for error in refusal.members.get("errors", ()):
        yield f"  {error['pointer']}: {error['detail']}"
