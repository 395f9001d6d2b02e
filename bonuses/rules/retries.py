"""When to ask a platform again that did not answer, and for how long."""

from datetime import datetime, timedelta

from core.backoff import exponential_delay

FIRST_S = 10
LONGEST_S = 3600
#: As long as platforms are down on a long weekend; webhooks out are tried for as long.
TRIED_FOR = timedelta(days=3)


def delay_after(*, attempts: int, jitter: float) -> timedelta:
    """
    Return how long to wait after that many failed attempts.

    Twice as long each time, up to an hour; ``jitter`` (0 to 1) takes up to half of it off.
    """
    return exponential_delay(attempts=attempts, jitter=jitter, first_s=FIRST_S, longest_s=LONGEST_S)


def is_tried_enough(*, wanted_since: datetime, now: datetime) -> bool:
    """Tell whether a bonus whose terms were locked then is not asked for any more."""
    return now >= wanted_since + TRIED_FOR
