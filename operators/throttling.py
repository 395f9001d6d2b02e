"""A limit per key and minute, counted in the shared cache."""

import logging
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

logger = logging.getLogger(__name__)

WINDOW_S = 60


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
            count = _count(key)
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


def _count(key: str) -> int:
    try:
        return cache.incr(key)
    except ValueError:
        if cache.add(key, 1, timeout=2 * WINDOW_S):
            return 1
        return cache.incr(key)
