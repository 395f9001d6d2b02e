"""One run of pgbench, and the number that it prints."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bench.servers import Bench
from core.embedded.application import PROJECT
from core.embedded.errors import CannotRun
from core.embedded.processes import Command

CLIENTS = 4
THREADS = 2
SCRIPTS = PROJECT / "bench" / "sql"
#: On top of the seconds that are measured.
CONNECTS_WITHIN_S = 30

_TPS = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)", re.MULTILINE)
_TRANSACTIONS = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: ([1-9]\d*)", re.MULTILINE)


@dataclass(frozen=True)
class PgbenchResult:
    """What one run did."""

    rate: float
    transactions: int


def run_script(
    bench: Bench,
    script: Path,
    *,
    seconds: int,
    clients: int = CLIENTS,
    database: str | None = None,
) -> PgbenchResult:
    """
    Run a script with prepared statements for some seconds.

    :raises CannotRun: if pgbench fails, or a transaction does.
    """
    name = f"pgbench-{script.stem}"
    bench.nest.run_to_end(
        Command(
            name=name,
            argv=(
                bench.program("pgbench"),
                "--no-vacuum",
                "--protocol=prepared",
                f"--client={clients}",
                f"--jobs={min(THREADS, clients)}",
                f"--time={seconds}",
                f"--file={script}",
            ),
            environment=_environment(bench.database_url(database)),
            folder=SCRIPTS,
        ),
        seconds=seconds + CONNECTS_WITHIN_S,
    )
    log = bench.folder.logs / f"{name}.log"
    try:
        return parse_output(log.read_text(errors="replace"))
    except ValueError as error:
        raise CannotRun(f"{name}: {error}", log=log) from error


def parse_output(text: str) -> PgbenchResult:
    """
    Return what pgbench's summary says.

    :raises ValueError: if it says nothing, or that a transaction failed.
    """
    rate, transactions = _TPS.search(text), _TRANSACTIONS.search(text)
    if rate is None or transactions is None:
        raise ValueError("pgbench printed no result")
    if failed := _FAILED.search(text):
        raise ValueError(f"{failed[1]} transactions failed")
    return PgbenchResult(rate=float(rate[1]), transactions=int(transactions[1]))


def _environment(url: str) -> dict[str, str]:
    # Not on the command line, where everybody sees the password.
    parts = urlsplit(url)
    return {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/"),
    }
