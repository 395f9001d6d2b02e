"""A limit on webhooks coming in, which carry no API key to be counted under."""

import re
from typing import Any

from django.conf import settings
from rest_framework.request import Request

from adapters.models.config import SLUG_PATTERN
from core.addresses import client_address
from operators.throttling import KeyThrottle


class SenderThrottle(KeyThrottle):
    """
    Refuse a sender's webhooks to one adapter above WEBHOOK_RATE_LIMIT_PER_MINUTE.

    By address as well as by slug: a stranger who knows a slug uses up their own allowance
    and not the platform's.
    """

    def limit(self) -> int:
        return int(settings.WEBHOOK_RATE_LIMIT_PER_MINUTE)

    def caller(self, request: Request, view: Any) -> str | None:
        slug = view.kwargs["adapter_slug"]
        if not re.match(SLUG_PATTERN, slug):
            # Nobody's: refused without a look-up, and no name to count under.
            return None
        return f"webhook:{slug}:{client_address(request._request)}"
