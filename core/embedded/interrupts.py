"""Requests to stop, looked at only where stopping is safe."""

import signal
import time
from types import FrameType

from core.embedded.errors import StopRequested


class StopSignals:
    """
    Remembers the first of Ctrl-C, SIGTERM and SIGHUP.

    The handlers raise nothing: an exception between starting a process and writing down
    its number would leave that process behind.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def install(self) -> None:
        """Take over the signals, except a SIGHUP that nohup has switched off."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._remember)

    def check(self) -> None:
        """
        Do nothing, unless a signal has come.

        :raises StopRequested: if one has.
        """
        if self.received is not None:
            raise StopRequested

    def pause(self, seconds: float) -> None:
        """
        Sleep, and look for a signal before and after.

        :raises StopRequested: if one has come.
        """
        self.check()
        time.sleep(seconds)
        self.check()

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        self.received = self.received or signal.Signals(number)
