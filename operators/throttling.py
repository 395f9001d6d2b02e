"""A limit per key and minute, counted in the shared cache."""

import logging
import threading
import time
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

logger = logging.getLogger(__name__)

WINDOW_S = 60
#: A process takes this part of a limit at a time and counts it off by itself, so that most
#: requests ask nobody. A limit is never passed; what a process has not used is lost to the
#: others until the next minute. Limits below this are counted one by one.
_LEASES_PER_LIMIT = 1000
#: More callers than this in one process are asked for again rather than remembered.
_CALLERS_MAX = 10_000


class _Lease(NamedTuple):
    """Requests of a caller that have been counted in the cache and not been made yet."""

    key: str
    left: int
    counted: int


_leases: dict[str, _Lease] = {}
_leases_lock = threading.Lock()


class KeyThrottle(BaseThrottle):
    """
    Refuse a key's requests above API_RATE_LIMIT_PER_MINUTE until the next minute.

    The count leaves on the request for the RateLimit-* headers. A cache that is away
    limits nobody: refusing everybody would turn a small fault into a large one.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        limit, caller = self.limit(), self.caller(request, view)
        if not limit or caller is None:
            return True
        window, elapsed = divmod(time.time(), WINDOW_S)
        self.wait_s = WINDOW_S - elapsed
        key = f"rate:{caller}:{int(window)}"
        try:
            count = _count(str(caller), key, at_a_time=max(1, limit // _LEASES_PER_LIMIT))
        except Exception:
            # The client raises its own errors and the socket's; none may refuse a caller.
            logger.exception("the rate limit could not be counted")
            return True
        request._request.rate_limit = (limit, max(limit - count, 0), self.wait_s)  # type: ignore[attr-defined]
        return bool(count <= limit)

    def wait(self) -> float:
        return self.wait_s

    def limit(self) -> int:
        """Return how many requests a minute a caller may make; 0: as many as they like."""
        return int(settings.API_RATE_LIMIT_PER_MINUTE)

    def caller(self, request: Request, view: Any) -> str | None:
        """Return the name under which the request is counted, or None if it is not."""
        return None if request.auth is None else str(request.auth.pk)


def forget_leases() -> None:
    """Forget what this process has counted in advance; the shared counts stay."""
    with _leases_lock:
        _leases.clear()


def _count(caller: str, key: str, *, at_a_time: int) -> int:
    """Return the number of the caller's request in the window that ``key`` names."""
    with _leases_lock:
        lease = _leases.get(caller)
        if lease is not None and lease.key == key and lease.left > 0:
            _leases[caller] = lease._replace(left=lease.left - 1)
            return lease.counted - lease.left + 1
    counted = _add(key, at_a_time)
    with _leases_lock:
        if len(_leases) >= _CALLERS_MAX:
            _leases.clear()
        _leases[caller] = _Lease(key, at_a_time - 1, counted)
    return counted - at_a_time + 1


def _add(key: str, count: int) -> int:
    try:
        return cache.incr(key, count)
    except ValueError:
        if cache.add(key, count, timeout=2 * WINDOW_S):
            return count
        return cache.incr(key, count)
