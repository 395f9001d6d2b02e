"""Drive HTTP traffic at a running server and compare its meters with its answers."""

import os
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from activity.demo.credentials import read_api_key
from activity.traffic.driving import Pace, drive, plan_requests
from activity.traffic.progress import Progress
from activity.traffic.report import judge, render_report
from activity.traffic.server import Server, ServerTrouble

THREADS_COUNT = 16
#: They are planned before the first is sent, so that planning costs none of the time.
REQUESTS_MAX = 1_000_000
EPILOG = """\
Players of the demo world contribute to random active jackpots, links followed, and every
fourth request is a bet, as their casino would: over HTTP, with an Idempotency-Key each.
What is answered 429 or 503 is sent again, under the same key, when the answer says so.

exit status:
  0  the meters gained exactly what the answers said
  1  they gained less, or a request was never answered, or the server cannot be used
  2  they gained more: somebody else contributed meanwhile

example:
  python manage.py play --rate 50 --seconds 30
"""


class Command(BaseCommand):
    """Let the demo's players play, and prove that every cent of it is in a meter."""

    help = "Drive HTTP traffic at a running server and show what its meters gained."

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(
            *args, epilog=EPILOG, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        port = os.environ.get("PORT") or "8000"
        parser.add_argument(
            "--rate",
            type=_positive,
            default=50.0,
            metavar="N",
            help="requests a second (default: 50)",
        )
        parser.add_argument(
            "--seconds", type=_positive, default=30.0, metavar="N", help="how long (default: 30)"
        )
        parser.add_argument(
            "--url", default=f"http://127.0.0.1:{port}", help="the server (default: %(default)s)"
        )
        key = parser.add_mutually_exclusive_group()
        key.add_argument("--api-key", metavar="KEY", help="a key with the scopes read and play")
        key.add_argument(
            "--credentials",
            type=Path,
            metavar="FILE",
            default=settings.DATA_DIR / "demo.json",
            help="the file with the demo's key (default: %(default)s)",
        )
        parser.add_argument(
            "--threads",
            type=int,
            choices=range(1, 257),
            default=THREADS_COUNT,
            metavar="N",
            help=f"requests under way at once, at most (default: {THREADS_COUNT})",
        )
        parser.add_argument(
            "--seed", type=int, metavar="N", help="the same players and wagers for the same number"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        pace = Pace(rate=options["rate"], seconds=options["seconds"])
        if pace.request_count > REQUESTS_MAX:
            raise CommandError(
                f"That is {pace.request_count:,} requests; {REQUESTS_MAX:,} at most."
            )
        api_key = options["api_key"] or _kept_key(options["credentials"])
        try:
            with Server(options["url"], api_key, connections_max=options["threads"]) as server:
                self._play(
                    server,
                    pace=pace,
                    threads_count=options["threads"],
                    random=Random(options["seed"]),  # noqa: S311 -- bets, not secrets
                )
        except ServerTrouble as trouble:
            raise CommandError(str(trouble)) from trouble

    def _play(self, server: Server, *, pace: Pace, threads_count: int, random: Random) -> None:
        before = server.read_instances()
        if not any(instance.is_accruing for instance in before):
            raise CommandError("No jackpot is active there: load the demo world first.")
        requests = plan_requests(
            before, how_many=pace.request_count, run=uuid4().hex, random=random
        )
        with Progress(len(requests)) as progress:
            tally, elapsed_s = drive(
                server, requests, pace=pace, threads_count=threads_count, watch=progress.show
            )
        gains = tally.gains(before, server.read_instances())
        self.stdout.write(render_report(gains, tally, elapsed_s=elapsed_s))
        verdict = judge(gains, tally)
        text = "\n".join(verdict.sentences)
        if verdict.exit_status:
            raise CommandError(text, returncode=verdict.exit_status)
        self.stdout.write(text)


def _kept_key(path: Path) -> str:
    api_key = read_api_key(path)
    if api_key is None:
        raise CommandError(
            f"There is no API key in {path}: start `make run`, which writes it, or give one with "
            "--api-key or --credentials."
        )
    return api_key


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1_000_000:
        raise ArgumentTypeError(f"{text!r} is not a number above zero")
    return number
