"""Processes that die where a test says so, by SIGKILL: nothing of theirs is cleaned up."""

import os
import signal
import traceback
from collections.abc import Callable

from django.db import connection

KILLED = -signal.SIGKILL


def run_forked(work: Callable[[], object], *, failpoints: str = "") -> int:
    """
    Run ``work`` in a process of its own and return its exit status: 0, 1, or minus the signal.

    The process has connections of its own to everything. ``failpoints`` is what it finds in
    FAILPOINTS (core/failpoints.py), for example ``issuing.after_adapter:kill``.
    """
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    child = os.fork()
    if child == 0:
        try:
            os.environ["FAILPOINTS"] = failpoints
            # A pool connects in threads of its own, and a fork copies no thread, only its locks.
            connection.settings_dict["OPTIONS"] = {**connection.settings_dict["OPTIONS"]}
            del connection.settings_dict["OPTIONS"]["pool"]
            work()
        except BaseException:  # noqa: BLE001 -- whatever it is, this process ends here
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def half_committing(at: str) -> Callable[[str], None]:
    """
    Return a failpoint that sabotages: it commits what there is so far, and then dies.

    With it in the place of a service's own, what should be whole is there in part.
    """

    def failpoint(name: str) -> None:
        if name == at:
            connection.connection.commit()
            os.kill(os.getpid(), signal.SIGKILL)

    return failpoint
