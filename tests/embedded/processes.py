"""What runs on this machine, as far as these tests have started it."""

import os
import time
from pathlib import Path

POLL_S = 0.05


def processes_of(mark: Path) -> list[str]:
    """
    Return the command lines of all processes that know of ``mark``.

    A process knows of it by its arguments, its environment or its working folder. The
    environment is inherited, so that grandchildren that were let go of are found, too.
    """
    needle = os.fsencode(mark)
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(folder.name) == os.getpid() or _is_zombie(folder):
                continue
            command_line = (folder / "cmdline").read_bytes()
            known = command_line + _readable(folder / "environ")
            known += os.fsencode((folder / "cwd").readlink())
        except OSError:
            # It ended while we looked, or belongs to somebody else.
            continue
        if needle in known:
            found.append(f"{folder.name} {os.fsdecode(command_line).replace(chr(0), ' ')}")
    return found


def wait_until_nobody_knows(mark: Path, seconds: float) -> list[str]:
    """Wait for ``processes_of(mark)`` to become empty and return what is left of it."""
    deadline = time.monotonic() + seconds
    while (left := processes_of(mark)) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return left


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that has ended and was not collected does not."""
    try:
        return not _is_zombie(Path("/proc", str(pid)))
    except OSError:
        return False


def _is_zombie(folder: Path) -> bool:
    # The name in parentheses may contain anything, so the state is looked for behind it.
    return (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"


def _readable(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except PermissionError:
        return b""
