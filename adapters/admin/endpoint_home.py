"""What the home page says about webhook endpoints: those that have taken nothing for an hour."""

from datetime import datetime

from django.http import HttpRequest
from django.utils.timesince import timesince

from adapters.selectors import FAILING_LONG, read_failing_endpoints
from core.admin import Tile, panel_at_home
from core.admin.display import Tone, list_url

_LABEL = "Endpoints that fail"


@panel_at_home(order=45)
def failing_endpoints_tile(request: HttpRequest, now: datetime) -> Tile | None:
    """Return how many endpoints have been failing for long, and how long the worst has."""
    if not request.user.has_perm("adapters.view_webhookendpoint"):
        return None
    failing = read_failing_endpoints(since=now - FAILING_LONG)
    url = list_url("adapters.webhookendpoint", state="failing-long")
    if failing.longest_since is None:
        return Tile(_LABEL, "0", "Every webhook endpoint has taken something within the hour.", url)
    since = timesince(failing.longest_since, now, depth=1)
    note = f"The longest for {since}. Its operator does not hear from us."
    return Tile(_LABEL, f"{failing.count:,}", note, url, Tone.WARNING)
