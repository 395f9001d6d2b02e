"""
The circuit breaker of a platform, shared by all processes through the cache.

After ``ADAPTER_BREAKER_FAILURES`` calls in a row that found no platform, nobody calls for
``ADAPTER_BREAKER_OPEN_S``; then one caller tries, and the others wait for what it finds.
Whether a platform is down is a guess that saves time: if the cache is away, calls go through.

Counted are calls that were not answered, or with a 5xx. A platform that answers nonsense is
there: leaving it alone would help nobody.
"""

import logging
import math
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Failures are forgotten after this, so that a rare one never adds up with others.
FAILURES_KEPT_S = 600
# One caller tries a platform that was down. If it dies meanwhile, another may after this.
_TRIAL_S = 30


class CircuitOpen(Exception):
    """The platform was down a moment ago: nobody asks it now."""


class Breaker:
    """What all processes know about whether the platform of an adapter is there."""

    def __init__(self, slug: str) -> None:
        self._failures = f"adapters:breaker:{slug}:failures"
        self._open = f"adapters:breaker:{slug}:open"
        self._trial = f"adapters:breaker:{slug}:trial"

    def admit(self) -> None:
        """
        Return if the platform may be called now.

        :raises CircuitOpen: if not.
        """
        known: dict[str, int] = _unless_away(
            lambda: cache.get_many([self._failures, self._open]), default={}
        )
        if self._open in known:
            raise CircuitOpen
        if known.get(self._failures, 0) >= settings.ADAPTER_BREAKER_FAILURES and not _unless_away(
            lambda: cache.add(self._trial, 1, timeout=_TRIAL_S), default=True
        ):
            raise CircuitOpen

    def note_answer(self) -> None:
        """Remember that the platform is there."""
        _unless_away(
            lambda: cache.delete_many([self._failures, self._open, self._trial]), default=None
        )

    def note_silence(self) -> None:
        """Remember that the platform was not there."""
        _unless_away(self._count, default=None)

    def _count(self) -> None:
        cache.add(self._failures, 0, timeout=FAILURES_KEPT_S)
        try:
            failures = cache.incr(self._failures)
        except ValueError:
            # Its time was up between the two lines: the next one begins anew.
            return
        if failures >= settings.ADAPTER_BREAKER_FAILURES:
            cache.set(self._open, 1, timeout=math.ceil(settings.ADAPTER_BREAKER_OPEN_S))
            cache.delete(self._trial)


class NoBreaker:
    """For somebody who wants to know whether the platform is there again."""

    def admit(self) -> None:
        """Return: there is nothing against it."""

    def note_answer(self) -> None:
        """Remember nothing."""

    def note_silence(self) -> None:
        """Remember nothing."""


def _unless_away(ask: Callable[[], T], *, default: T) -> T:
    try:
        return ask()
    except RedisError:
        logger.warning("the cache is away: platforms are called without a circuit breaker")
        return default
