"""When to ask a platform again that did not answer."""

from datetime import timedelta

ATTEMPTS_MAX = 12
FIRST_S = 10
LONGEST_S = 3600


def delay_after(*, attempts: int, jitter: float) -> timedelta:
    """
    Return how long to wait after that many failed attempts.

    Twice as long each time, up to an hour; ``jitter`` (0 to 1) takes up to half of it off,
    so that what failed together does not come back together.
    """
    assert attempts >= 1, f"after {attempts} attempts"
    assert 0 <= jitter <= 1, f"a jitter of {jitter}"
    longest = min(FIRST_S * 2 ** min(attempts - 1, 20), LONGEST_S)
    return timedelta(seconds=longest * (1 - jitter / 2))
