"""One program that runs beside us: how it is started, and how it is told to end."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from core.embedded.accounts import Account

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Command:
    """
    What to run, as whom, and how it likes to be stopped.

    ``stop_signals`` are sent in order, to the first process only, each one when the one
    before was not enough; after the last comes SIGKILL for its whole process group.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)
    account: Account | None = field(default=None)
    # The others need it to end properly, so it ends after them.
    is_server: bool = False


class Process:
    """A started command. It leads a process group of its own and writes to one log file."""

    def __init__(self, command: Command, log: Path) -> None:
        self.command = command
        self.log = log
        with _fresh_log(log) as output:
            self._popen = subprocess.Popen(
                command.argv,
                cwd=command.folder,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # The launcher has one thread.
                preexec_fn=die_with_parent(command.stop_signals[0]),  # noqa: PLW1509
                **(command.account.popen_arguments() if command.account else {}),
            )

    @property
    def name(self) -> str:
        return self.command.name

    @property
    def pid(self) -> int:
        """The number of the process, and of its process group."""
        return self._popen.pid

    def is_running(self) -> bool:
        """Tell whether the first process of the group has not ended yet."""
        return self._popen.poll() is None

    def succeeded(self) -> bool:
        """Tell whether the process has ended with status 0."""
        return self._popen.returncode == 0

    def outcome(self) -> str:
        """Return how the process ended, as the second half of a sentence."""
        status = self._popen.returncode
        if status is None:
            return "is still running"
        if status >= 0:
            return f"ended with exit status {status}"
        try:
            return f"was ended by {signal.Signals(-status).name}"
        except ValueError:
            return f"was ended by signal {-status}"

    def send(self, number: signal.Signals) -> None:
        """Signal the first process of the group, if it still runs."""
        self._popen.send_signal(number)

    def kill_group(self) -> None:
        """Kill what is left of the process group, grandchildren included."""
        # Nobody may be left. Of a group of zombies macOS says "not permitted".
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """
    Return what makes the kernel send ``number`` to a child whose parent has died.

    Linux only; elsewhere the guard process alone does this work. It must be the parent's
    main thread that starts the child, because the kernel watches the thread.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, int(number))


def _fresh_log(log: Path) -> BinaryIO:
    """Open an empty log that only we can read; the one of the last run stays beside it."""
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb")
