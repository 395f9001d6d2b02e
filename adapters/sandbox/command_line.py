"""The options of the platform, and running it: the same from manage.py and without Django."""

import os
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from adapters.http.signing import SecretMalformed, decode_secret
from adapters.sandbox.demo import DEMO_SECRET, DEMO_SLUG
from adapters.sandbox.platform import Platform, Settings
from adapters.sandbox.server import SandboxServer

LOOPBACK = ("127.0.0.1", "::1", "localhost")
SUMMARY = "Run a sandbox casino platform: grants, cancels, webhooks back, and misbehaviour."
EPILOG = """\
It grants bonuses to an adapter of kind http, and plays them on when you say so under
/sandbox/, which is for demos and tests: whoever reaches the port may use it without a key.
That is why it listens on the loopback address only, unless --host says otherwise.

example:
  python manage.py sandbox_platform --port 8001
  curl http://127.0.0.1:8001/sandbox/
"""


class CannotListen(Exception):
    """The address is not free to listen on; the message is a sentence."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options to a parser."""
    web = f"http://127.0.0.1:{os.environ.get('PORT') or '8000'}"
    parser.add_argument(
        "--host", default=LOOPBACK[0], help="the address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port",
        type=int,
        choices=range(65536),
        default=8001,
        metavar="N",
        help="the port to listen on; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--secret",
        type=_secret,
        default=DEMO_SECRET,
        metavar="whsec_…",
        help="the adapter's secret, for signatures both ways (default: the demo's); "
        "empty: nothing is signed or checked",
    )
    parser.add_argument(
        "--windfall-url",
        default=web,
        metavar="URL",
        help="the Windfall that webhooks go to (default: %(default)s)",
    )
    parser.add_argument(
        "--adapter-slug",
        default=DEMO_SLUG,
        metavar="SLUG",
        help="the adapter that they are for (default: %(default)s)",
    )
    parser.add_argument(
        "--autoplay",
        type=_seconds,
        metavar="SECONDS",
        help="credit every bonus by itself, so long after its grant",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="keep the bonuses in a file, so that a restart does not forget them",
    )


def serve(options: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """
    Run the platform until Ctrl-C or SIGTERM.

    :raises CannotListen: if somebody else has the port.
    """
    platform = Platform(
        settings=Settings(
            secret=options["secret"] or None,
            windfall_url=options["windfall_url"],
            adapter_slug=options["adapter_slug"],
            autoplay_s=options["autoplay"],
        ),
        kept_in=options["state"],
    )
    host, port = options["host"], options["port"]
    try:
        server = SandboxServer((host, port), platform)
    except OSError as error:
        raise CannotListen(f"{host}:{port} is not free to listen on ({error.strerror}).") from error
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        say(f"The sandbox platform listens on {server.url}")
        say(f"Its control calls, for demos and tests: {server.url}/sandbox/")
        if host not in LOOPBACK:
            say("Whoever reaches that address may use them.")
        server.serve_forever()
    except KeyboardInterrupt:
        return
    finally:
        server.server_close()


def _secret(text: str) -> str:
    try:
        if text:
            decode_secret(text)
    except SecretMalformed as malformed:
        raise ArgumentTypeError(str(malformed)) from malformed
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
    return seconds
