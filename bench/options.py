"""What `make bench` is asked to do: the command line, and the same names in the environment."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.embedded.application import PROJECT, WEB_THREADS

GROUPS = ("contribution", "batch", "bet", "claim", "webhook", "peer")
GROWING = ("contribution", "batch")
SIZES = (100_000, 1_000_000, 10_000_000)
DESCRIPTION = """\
Measure Windfall beside the limit of its database: pgbench runs lean twins of the same work on
the same server in the same minutes, in turns with the API. Only the ratios mean anything.
"""
EPILOG = """\
environment (what `make bench NAME=value` sets; an option wins):
  ROUNDS, SECONDS, ONLY, CONNECTIONS, THREADS, GROWTH, SIZES   as the options of the same name
  DATA_DIR   the peer's environment is kept in DATA_DIR/bench (.data)

examples:
  make bench                                 everything but growth, about ten minutes
  make bench ONLY=contribution,batch ROUNDS=3
  make bench GROWTH=1                        contribution and batch at 10^5, 10^6, 10^7 rows
  make bench GROWTH=1 SIZES=100000,1000000
"""


@dataclass(frozen=True)
class Options:
    """What to measure, and for how long."""

    rounds: int
    seconds: int
    only: tuple[str, ...]
    connections: int
    threads: int
    growth: bool
    sizes: tuple[int, ...]
    results: Path
    data: Path

    @classmethod
    def parse(cls, argv: Sequence[str], environment: Mapping[str, str]) -> "Options":
        """Read the command line; what it does not say, the environment does."""
        parser = _parser(environment)
        found = parser.parse_args(argv)
        if len(found.sizes) < 2 and found.growth:
            parser.error("growth compares at least two sizes")
        return cls(
            rounds=found.rounds,
            seconds=found.seconds,
            only=found.only,
            connections=found.connections,
            threads=found.threads,
            growth=found.growth,
            sizes=tuple(sorted(found.sizes)),
            results=found.results,
            data=Path(environment.get("DATA_DIR") or ".data").expanduser().absolute() / "bench",
        )


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    def default(name: str, otherwise: str) -> str:
        return environment.get(name) or otherwise

    parser = argparse.ArgumentParser(
        prog="make bench",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # argparse converts a default that is a string, and complains of it like of any other.
    parser.add_argument(
        "--rounds",
        type=_number(1, 1000),
        default=default("ROUNDS", "5"),
        metavar="N",
        help="how often each side is measured (5); the table has medians",
    )
    parser.add_argument(
        "--seconds",
        type=_number(1, 600),
        default=default("SECONDS", "3"),
        metavar="N",
        help="how long each measurement takes (3)",
    )
    parser.add_argument(
        "--only",
        type=_groups,
        default=default("ONLY", ",".join(GROUPS)),
        metavar="NAMES",
        help=f"some of {','.join(GROUPS)}",
    )
    parser.add_argument(
        "--connections",
        type=_number(1, 64),
        default=default("CONNECTIONS", "16"),
        metavar="N",
        help="connections to the API (16); pgbench has 4 clients",
    )
    parser.add_argument(
        "--threads",
        type=_number(1, 64),
        default=default("THREADS", str(WEB_THREADS)),
        metavar="N",
        help=f"threads of each worker of granian ({WEB_THREADS}, as `make run`)",
    )
    parser.add_argument(
        "--growth",
        action="store_true",
        default=default("GROWTH", "0") not in ("0", "no", "false"),
        help="measure at growing numbers of contributions instead",
    )
    parser.add_argument(
        "--sizes",
        type=_sizes,
        default=default("SIZES", ",".join(map(str, SIZES))),
        metavar="NUMBERS",
        help="contributions to have for --growth",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=PROJECT / "bench" / "results",
        metavar="FOLDER",
        help="where the JSON goes (bench/results)",
    )
    return parser


class _number:  # noqa: N801
    """Parses whole numbers within bounds; argparse shows the name of the type."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most
        self.__name__ = f"number from {least} to {most}"

    def __call__(self, text: str) -> int:
        number = int(text)
        if not self._least <= number <= self._most:
            raise ValueError(text)
        return number


def _groups(text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = sorted(set(names) - set(GROUPS))
    if unknown or not names:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown) or 'nothing'}: choose from {', '.join(GROUPS)}"
        )
    return tuple(name for name in GROUPS if name in names)


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(size) for size in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: numbers with commas between") from error
    if min(sizes) < 1000 or len(set(sizes)) < len(sizes):
        raise argparse.ArgumentTypeError("each size once, and none below 1000")
    return sizes
