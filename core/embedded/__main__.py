"""The command line that the Makefile calls."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from core.embedded.checks import CHECKS, run_checks, write_schema
from core.embedded.processes import die_with_parent
from core.embedded.run import run
from core.embedded.throwaway import run_with_servers

CHECK_NAMES = [check.name for check in CHECKS]
DESCRIPTION = """\
Run Windfall, or something that needs its servers, without any service on the machine.
PostgreSQL and Valkey come from pip and run as ordinary processes of yours.
"""
EPILOG = """\
environment:
  PORT          where `run` listens (8000)
  HOST          on which address (127.0.0.1)
  DATA_DIR      where `run` keeps the database, passwords and logs (.data)
  DATABASE_URL  a PostgreSQL to use instead of the embedded one
  BROKER_URL    a broker for Celery to use instead of the embedded Valkey
  CACHE_URL     a cache to use instead of the embedded Valkey
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit status."""
    arguments = _parser().parse_args(argv)
    if arguments.end_with_parent and (end := die_with_parent(signal.SIGTERM)) is not None:
        end()
    if arguments.command == "run":
        return run(os.environ)
    if arguments.command == "test":
        if not arguments.argv:
            _parser().error("test needs a command, for example: test -- pytest")
        return run_with_servers(arguments.argv, os.environ)
    if arguments.command == "check":
        return run_checks([name for name in CHECK_NAMES if name not in arguments.without])
    return write_schema()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core.embedded",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--end-with-parent",
        action="store_true",
        help="stop everything also when the caller, make for instance, is killed",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", help="start everything, print the URLs, run until Ctrl-C")
    test = commands.add_parser(
        "test", help="run a command on throw-away servers: test -- COMMAND ARGUMENT..."
    )
    test.add_argument("argv", nargs="*", metavar="COMMAND", help="after `--`, with arguments")
    check = commands.add_parser("check", help="run the checks of `make test`")
    check.add_argument(
        "--without", action="append", default=[], choices=CHECK_NAMES, help="leave one out"
    )
    commands.add_parser("openapi", help="write openapi.yaml from the code")
    return parser


if __name__ == "__main__":
    sys.exit(main())
