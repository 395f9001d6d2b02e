"""`make bench`: servers, measurements, one table."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.growth import run_growth
from bench.options import Options
from bench.servers import Bench
from bench.standard import run_standard
from core.embedded.accounts import choose_account
from core.embedded.console import say, tail
from core.embedded.errors import CannotRun, StopRequested
from core.embedded.folder import DataFolder
from core.embedded.guard import Guard
from core.embedded.interrupts import StopSignals
from core.embedded.placement import shelter_of_cluster
from core.embedded.processes import die_with_parent
from core.embedded.supervisor import Supervisor

INEXACT = 2
SIGNALLED = 128


def main(argv: Sequence[str] | None = None) -> int:
    """
    Measure, and return the exit status.

    That is 0 if everything was exact, whatever the ratios; 2 if something was not; 1 if
    something could not be measured.
    """
    options = Options.parse(sys.argv[1:] if argv is None else argv, os.environ)
    if (end := die_with_parent(signal.SIGTERM)) is not None:
        end()
    signals = StopSignals()
    signals.install()
    try:
        with _temporary_folder() as folder:
            return _run(options, folder, signals)
    except StopRequested:
        assert signals.received is not None, "nobody else asks us to stop"
        return SIGNALLED + signals.received
    except CannotRun as reason:
        say(f"\n{reason.message}")
        return 1


def _run(options: Options, folder: DataFolder, signals: StopSignals) -> int:
    say("Windfall bench")
    with Supervisor(logs=folder.logs, signals=signals, guard=Guard()) as nest:
        try:
            bench = Bench.start(nest, folder, threads=options.threads)
            is_exact = (run_growth if options.growth else run_standard)(bench, options)
        except CannotRun as reason:
            if reason.log is not None:
                say(tail(reason.log))
            raise
    return 0 if is_exact else INEXACT


@contextmanager
def _temporary_folder() -> Iterator[DataFolder]:
    path = Path(tempfile.mkdtemp(prefix="windfall-bench-"))
    # PostgreSQL does not run as root, and must pass through.
    path.chmod(0o711)
    try:
        yield DataFolder.open(path)
    finally:
        account = choose_account()
        if account is not None and not account.can_enter(path):
            shutil.rmtree(shelter_of_cluster(path, account), ignore_errors=True)
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
