"""Servers that an earlier launcher left running because everything was killed at once."""

import os
import signal
import time
from pathlib import Path

PROCESSES = Path("/proc")
GRACE_S = 5.0
POLL_S = 0.05


def stop_leftovers(*, program: str, argument: str, number: signal.Signals) -> None:
    """
    Stop every process that runs ``program`` with ``argument`` on its command line.

    The caller holds the claim on the folder that ``argument`` names, so nobody rightful is
    met. Where there is no /proc, nothing is found, and the server's own lock files decide.
    """
    pids = find_processes(program=program, argument=argument)
    for attempt in (number, signal.SIGKILL):
        for pid in pids:
            try:
                os.kill(pid, attempt)
            except (ProcessLookupError, PermissionError):
                continue
        deadline = time.monotonic() + GRACE_S
        while pids and time.monotonic() < deadline:
            time.sleep(POLL_S)
            pids = find_processes(program=program, argument=argument)


def find_processes(*, program: str, argument: str) -> list[int]:
    """Return the numbers of the processes that run ``program`` with ``argument``."""
    found = []
    for entry in PROCESSES.glob("[0-9]*/cmdline"):
        try:
            words = os.fsdecode(entry.read_bytes()).split("\0")
        except OSError:
            # It ended while we looked.
            continue
        if Path(words[0]).name == program and argument in words:
            found.append(int(entry.parent.name))
    return found
