"""How either embedded server is brought up on a port of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from core.embedded.errors import CannotRun
from core.embedded.folder import DataFolder
from core.embedded.processes import Command, Process
from core.embedded.supervisor import Supervisor

ATTEMPTS = 8
READY_TIMEOUT_S = 60
REST_S = 0.5


@dataclass(frozen=True)
class Server:
    """
    A server to bring up.

    ``passing_troubles`` are the words in its log that mean: the next attempt may succeed.
    ``port_taken`` is the one of them that asks for another port.
    """

    name: str
    command_on: Callable[[int], Command]
    answers_on: Callable[[int], bool]
    port_taken: str
    passing_troubles: tuple[str, ...] = ()


def bring_up(server: Server, supervisor: Supervisor, folder: DataFolder) -> int:
    """
    Start ``server`` and return the port on which it answers.

    Between our look at a port and the server's bind somebody else can take it, so that a
    start that failed for this reason is repeated on another port.

    :raises CannotRun: if it does not start.
    :raises StopRequested: if somebody asked us to stop.
    """
    for attempt in range(ATTEMPTS):
        port = folder.port(server.name)
        process = supervisor.start(server.command_on(port))
        try:
            supervisor.wait_until(
                lambda port=port: server.answers_on(port),  # type: ignore[misc]
                process=process,
                seconds=READY_TIMEOUT_S,
            )
        except CannotRun:
            if attempt == ATTEMPTS - 1 or not _may_pass(server, process, folder):
                raise
            supervisor.stop(process)
            supervisor.pause(REST_S)
        else:
            return port
    raise AssertionError("the last attempt returns or raises")


def _may_pass(server: Server, process: Process, folder: DataFolder) -> bool:
    if process.is_running():
        return False
    said = process.log.read_text(errors="replace")
    if server.port_taken in said:
        folder.forget_port(server.name)
        return True
    return any(trouble in said for trouble in server.passing_troubles)
