"""Starts processes, notices when one ends, and stops them all within a promised time."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

from core.embedded.errors import CannotRun
from core.embedded.guard import Guard
from core.embedded.interrupts import StopSignals
from core.embedded.processes import Command, Process

POLL_S = 0.05
# Together with the last waits for the kernel, all of it ends within 10 s.
APPLICATION_GRACE_S = 5.0
SERVER_GRACE_S = 3.0
LAST_GRACE_S = 0.5


class Supervisor:
    """
    The only owner of child processes.

    Used as a context manager: however the block ends, nothing that was started in it is
    running afterwards.
    """

    def __init__(self, *, logs: Path, signals: StopSignals, guard: Guard) -> None:
        self._logs = logs
        self._signals = signals
        self._guard = guard
        self._processes: list[Process] = []

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_everything()
        self._guard.dismiss()

    def start(self, command: Command) -> Process:
        """
        Start ``command`` and watch over it from now on.

        :raises CannotRun: if there is no such program.
        """
        self._signals.check()
        try:
            process = Process(command, self._logs / f"{command.name}.log")
        except OSError as error:
            raise CannotRun(
                f"{command.name} cannot be started: {error.strerror} ({command.argv[0]}). "
                "Remove .venv and run make again to install everything afresh."
            ) from error
        self._processes.append(process)
        self._guard.add(process)
        return process

    def check(self) -> None:
        """
        Look whether everything that was started still runs.

        :raises CannotRun: if something has ended by itself.
        :raises StopRequested: if somebody asked us to stop.
        """
        self._signals.check()
        for process in self._processes:
            if not process.is_running():
                raise CannotRun(
                    f"{process.name} {process.outcome()}, so the rest is being stopped. "
                    f"Its log, {process.log}, says why; then run the same command again.",
                    log=process.log,
                )

    def watch(self) -> None:
        """
        Return never: watch until something ends or somebody asks us to stop.

        :raises CannotRun: if something has ended by itself.
        :raises StopRequested: if somebody asked us to stop.
        """
        while True:
            self.check()
            self._signals.pause(POLL_S)

    def wait_until(self, is_ready: Callable[[], bool], *, process: Process, seconds: float) -> None:
        """
        Wait for ``process`` to become ready.

        :raises CannotRun: if it does not within ``seconds``, or something ends meanwhile.
        :raises StopRequested: if somebody asked us to stop.
        """
        deadline = time.monotonic() + seconds
        while not is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise CannotRun(
                    f"{process.name} was not ready after {seconds:.0f} s. "
                    f"Its log, {process.log}, says why.",
                    log=process.log,
                )
            self._signals.pause(POLL_S)

    def pause(self, seconds: float) -> None:
        """
        Let ``seconds`` pass.

        :raises StopRequested: if somebody asked us to stop.
        """
        self._signals.pause(seconds)

    def run_to_end(self, command: Command, *, seconds: float) -> None:
        """
        Run ``command`` and return when it has succeeded.

        :raises CannotRun: if it fails, or takes longer than ``seconds``.
        :raises StopRequested: if somebody asked us to stop.
        """
        process = self.start(command)
        self._processes.remove(process)
        try:
            self.wait_until(lambda: not process.is_running(), process=process, seconds=seconds)
        finally:
            self._end([process], grace_s=LAST_GRACE_S)
        if not process.succeeded():
            raise CannotRun(
                f"{process.name} {process.outcome()}. Its output is in {process.log}.",
                log=process.log,
            )

    def stop(self, process: Process) -> None:
        """Stop one process, and whatever it has started."""
        self._processes.remove(process)
        self._end([process], grace_s=SERVER_GRACE_S)

    def stop_everything(self) -> None:
        """Stop the application, then its servers, each within its time."""
        processes, self._processes = self._processes, []
        self._end(
            [process for process in processes if not process.command.is_server],
            grace_s=APPLICATION_GRACE_S,
        )
        self._end(
            [process for process in processes if process.command.is_server],
            grace_s=SERVER_GRACE_S,
        )

    def _end(self, processes: list[Process], *, grace_s: float) -> None:
        rounds = max((len(process.command.stop_signals) for process in processes), default=0)
        for attempt in range(rounds):
            for process in processes:
                if attempt < len(process.command.stop_signals):
                    process.send(process.command.stop_signals[attempt])
            _wait_for_end(processes, seconds=grace_s if attempt == 0 else LAST_GRACE_S)
        for process in processes:
            process.kill_group()
            self._guard.drop(process)


def _wait_for_end(processes: Iterable[Process], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(process.is_running() for process in processes) and time.monotonic() < deadline:
        time.sleep(POLL_S)
