"""How long to wait before something that failed is tried again."""

from datetime import timedelta


def exponential_delay(
    *, attempts: int, jitter: float, first_s: float, longest_s: float
) -> timedelta:
    """
    Return how long to wait after that many failed attempts.

    Twice as long each time, from ``first_s`` up to ``longest_s``; ``jitter`` (0 to 1) takes
    up to half of it off, so that what failed together does not come back together.
    """
    assert attempts >= 1, f"after {attempts} attempts"
    assert 0 <= jitter <= 1, f"a jitter of {jitter}"
    longest = min(first_s * 2 ** min(attempts - 1, 20), longest_s)
    return timedelta(seconds=longest * (1 - jitter / 2))
