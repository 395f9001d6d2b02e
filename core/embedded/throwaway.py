"""`make test`: servers that live as long as one command, and nothing of them afterwards."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.embedded.accounts import choose_account
from core.embedded.application import PROJECT, without_make
from core.embedded.console import say, tail
from core.embedded.errors import CannotRun, StopRequested
from core.embedded.folder import DataFolder
from core.embedded.guard import Guard
from core.embedded.interrupts import StopSignals
from core.embedded.options import GivenUrls
from core.embedded.placement import shelter_of_cluster
from core.embedded.postgres import THROWAWAY
from core.embedded.processes import die_with_parent
from core.embedded.servers import start_servers
from core.embedded.supervisor import Supervisor

SETTINGS = "config.settings.test"
POLL_S = 0.1
# A Ctrl-C reaches the command from the terminal; this long it may take to sum up.
SUMMING_UP_S = 8.0
SIGNALLED = 128


def run_with_servers(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """
    Run ``argv`` on servers of its own and return its exit status.

    Those of DATABASE_URL, BROKER_URL and CACHE_URL that are set are used instead. The servers
    and their data are gone when this returns, also after Ctrl-C.
    """
    signals = StopSignals()
    signals.install()
    try:
        with _temporary_folder() as folder:
            return _run(argv, environment, folder, signals)
    except StopRequested:
        assert signals.received is not None, "nobody else asks us to stop"
        return SIGNALLED + signals.received
    except CannotRun as reason:
        # The folder with the log is gone; what it said was printed before.
        say(f"\n{reason.message}")
        return 1


def _run(
    argv: Sequence[str],
    environment: Mapping[str, str],
    folder: DataFolder,
    signals: StopSignals,
) -> int:
    with Supervisor(logs=folder.logs, signals=signals, guard=Guard()) as nest:
        try:
            urls = start_servers(nest, folder, GivenUrls.from_environment(environment), THROWAWAY)
            return _run_command(
                argv,
                {
                    **without_make(environment),
                    **urls.as_environment(),
                    "DATA_DIR": str(folder.path),
                    "DJANGO_SETTINGS_MODULE": environment.get("DJANGO_SETTINGS_MODULE") or SETTINGS,
                },
                nest,
                signals,
            )
        except CannotRun as reason:
            if reason.log is not None:
                say(tail(reason.log))
            raise


def _run_command(
    argv: Sequence[str], environment: Mapping[str, str], nest: Supervisor, signals: StopSignals
) -> int:
    # In our process group, unlike the servers: Ctrl-C then reaches a test run directly, and
    # a debugger in it has the terminal.
    try:
        command = subprocess.Popen(
            argv,
            cwd=PROJECT,
            env=environment,
            # The launcher has one thread.
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
    except OSError as error:
        raise CannotRun(f"{argv[0]} cannot be started: {error.strerror}.") from error
    try:
        while command.poll() is None:
            nest.check()
            time.sleep(POLL_S)
    except StopRequested:
        if signals.received is signal.SIGINT:
            _wait(command, SUMMING_UP_S)
        raise
    finally:
        if command.poll() is None:
            command.terminate()
            _wait(command, SUMMING_UP_S)
            command.kill()
            command.wait()
    status = command.returncode
    return status if status >= 0 else SIGNALLED - status


def _wait(command: "subprocess.Popen[bytes]", seconds: float) -> None:
    try:
        command.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return


@contextmanager
def _temporary_folder() -> Iterator[DataFolder]:
    path = Path(tempfile.mkdtemp(prefix="windfall-test-"))
    # Others may pass through it, because PostgreSQL does not run as root, but not look in.
    path.chmod(0o711)
    try:
        yield DataFolder.open(path)
    finally:
        account = choose_account()
        if account is not None and not account.can_enter(path):
            shutil.rmtree(shelter_of_cluster(path, account), ignore_errors=True)
        shutil.rmtree(path, ignore_errors=True)
