"""When a message that was not taken is sent again: the schedule of Standard Webhooks."""

from datetime import timedelta

#: From one attempt to the next: ten attempts over a good three days.
_DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
ATTEMPTS_MAX = len(_DELAYS) + 1
#: Deliveries that failed together do not come back together.
JITTER = 0.1


def delay_after(attempts: int, *, luck: float) -> timedelta | None:
    """
    Return how long to wait after so many failed attempts; null: give up.

    ``luck``, from 0 to 1, makes it up to a tenth shorter or longer.
    """
    assert attempts > 0, "nothing has been attempted"
    assert 0 <= luck <= 1, f"luck of {luck}"
    if attempts >= ATTEMPTS_MAX:
        return None
    return _DELAYS[attempts - 1] * (1 - JITTER + 2 * JITTER * luck)
