"""When to ask a platform again that did not answer."""

from datetime import timedelta

from core.backoff import exponential_delay

ATTEMPTS_MAX = 12
FIRST_S = 10
LONGEST_S = 3600


def delay_after(*, attempts: int, jitter: float) -> timedelta:
    """
    Return how long to wait after that many failed attempts.

    Twice as long each time, up to an hour; ``jitter`` (0 to 1) takes up to half of it off.
    """
    return exponential_delay(attempts=attempts, jitter=jitter, first_s=FIRST_S, longest_s=LONGEST_S)
