"""
The process that remembers what to stop when the launcher can no longer do it.

It reads lines from the launcher: `add PID SIGNAL…` for a started process group and `drop PID`
for one that is gone. The end of its input means that the launcher has died, perhaps by
`kill -9`: whatever is still on the list is then asked to stop, and soon after made to.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from core.embedded.processes import Process

PROJECT = Path(__file__).resolve().parents[2]
GRACE_S = 5.0
LAST_GRACE_S = 1.0
POLL_S = 0.05


class Guard:
    """The launcher's end: starts the guard process and keeps its list."""

    def __init__(self, *, keep_open: tuple[int, ...] = ()) -> None:
        # A session of its own: neither Ctrl-C nor a signal to the launcher's group reaches it.
        # It shares the claim on the data folder, so that nobody starts there until it is done.
        self._popen = subprocess.Popen(
            [sys.executable, "-S", "-m", "core.embedded.guard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=keep_open,
            cwd=PROJECT,
        )

    def add(self, process: Process) -> None:
        """Put ``process`` on the list of what must not outlive the launcher."""
        numbers = " ".join(str(int(number)) for number in process.command.stop_signals)
        self._tell(f"add {process.pid} {numbers}")

    def drop(self, process: Process) -> None:
        """Take ``process`` off the list: its whole group is gone."""
        self._tell(f"drop {process.pid}")

    def dismiss(self) -> None:
        """End the guard process."""
        assert self._popen.stdin is not None, "the guard was started with a pipe"
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.close()
        self._popen.wait()

    def _tell(self, line: str) -> None:
        assert self._popen.stdin is not None, "the guard was started with a pipe"
        # Should somebody have killed the guard, the launcher still stops what it started.
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.write(line.encode() + b"\n")
            self._popen.stdin.flush()


def watch() -> None:
    """Keep the list until the launcher's end of the pipe closes, then stop what is on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stop_signals: dict[int, list[int]] = {}
    for line in sys.stdin:
        verb, pid, *numbers = line.split()
        if verb == "add":
            stop_signals[int(pid)] = [int(number) for number in numbers]
        else:
            stop_signals.pop(int(pid), None)
    _stop(stop_signals)


def _stop(stop_signals: dict[int, list[int]]) -> None:
    for attempt in range(max(map(len, stop_signals.values()), default=0)):
        for pid, numbers in stop_signals.items():
            if attempt < len(numbers):
                _send(os.kill, pid, numbers[attempt])
        _wait_for_groups(list(stop_signals), GRACE_S if attempt == 0 else LAST_GRACE_S)
    for pid in stop_signals:
        _send(os.killpg, pid, signal.SIGKILL)


def _send(send: Callable[[int, int], None], pid: int, number: int) -> bool:
    try:
        send(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _wait_for_groups(pids: list[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(_send(os.killpg, pid, 0) for pid in pids) and time.monotonic() < deadline:
        time.sleep(POLL_S)


if __name__ == "__main__":
    watch()
