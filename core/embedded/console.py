"""What the launcher says to the person at the terminal."""

import os
import sys
from pathlib import Path

TAIL_LINES = 25


def say(text: str = "") -> None:
    """Print ``text`` now, and survive a terminal that has gone away."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError:
        # The reader of our output is gone (a closed terminal, `| head`). Stopping the
        # children still matters, and the interpreter must not fail on its last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of ``log``, indented, or an empty string if there are none."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(f"  | {line}" for line in text.splitlines()[-lines:])
