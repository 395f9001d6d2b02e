"""`python -m adapters.sandbox`: as `manage.py sandbox_platform`, in a tenth of the time."""

import logging
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter

from adapters.sandbox.command_line import EPILOG, SUMMARY, CannotListen, add_arguments, serve


def main() -> int:
    """Run the platform and return the exit status."""
    parser = ArgumentParser(
        prog="python -m adapters.sandbox",
        description=SUMMARY,
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    options = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        serve(options, _say)
    except CannotListen as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
