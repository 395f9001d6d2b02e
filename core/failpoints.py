"""
Places where a test can make the process die, fail or hang; nothing anywhere else.

``FAILPOINTS=name:kill`` (or ``raise``, or ``sleep``) in the environment arms one, in test
settings only: ``FAILPOINTS_ENABLED`` is off everywhere else. Several are separated by commas.
"""

import os
import signal
import time

from django.conf import settings

SLEEP_S = 30.0


class FailpointHit(Exception):
    """Raised by an armed failpoint; nothing in the product catches it."""


def failpoint(name: str) -> None:
    """Do nothing, unless a test has armed the failpoint ``name``."""
    if not settings.FAILPOINTS_ENABLED:
        return
    match _armed().get(name):
        case None:
            return
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "raise":
            raise FailpointHit(name)
        case "sleep":
            time.sleep(SLEEP_S)
        case other:
            raise ValueError(f"failpoint {name} cannot {other}")


def _armed() -> dict[str, str]:
    pairs = (pair.partition(":") for pair in os.environ.get("FAILPOINTS", "").split(",") if pair)
    return {name: effect for name, _colon, effect in pairs}
