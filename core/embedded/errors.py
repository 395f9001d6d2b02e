"""Why the launcher gives up. The message is for the person at the terminal."""

from pathlib import Path


class CannotRun(Exception):
    """
    Something outside this program must change before it can run.

    The message is one sentence or two: what is wrong, and what to do about it.
    ``log`` is the file whose last lines show the cause, if there is one.
    """

    def __init__(self, message: str, *, log: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.log = log


class StopRequested(Exception):
    """Somebody pressed Ctrl-C or sent a signal. It is an order, not a failure."""
