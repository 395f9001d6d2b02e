"""What the home page says about webhook endpoints: those that have taken nothing for an hour."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from adapters.models import WebhookEndpoint
from core.admin import Panel, panel_at_home
from core.admin.display import instant, list_url, object_link

_SHOWN_MAX = 8
# A receiver that is deployed anew is away for minutes: that is nobody's worry.
_LONG = timedelta(hours=1)


@panel_at_home(order=35)
def failing_endpoints_panel(request: HttpRequest, now: datetime) -> Panel | None:
    """Return the endpoints that have been failing for long, the longest first; or nothing."""
    if not request.user.has_perm("adapters.view_webhookendpoint"):
        return None
    failing = WebhookEndpoint.objects.failing_since(now - _LONG).select_related("operator")
    longest = list(failing.order_by("failing_since", "pk")[: _SHOWN_MAX + 1])
    if not longest:
        return None
    context: dict[str, Any] = {
        "rows": [
            {
                "link": object_link(endpoint),
                "operator": endpoint.operator.name,
                "since": instant(endpoint.failing_since),
            }
            for endpoint in longest[:_SHOWN_MAX]
        ],
        "has_more": len(longest) > _SHOWN_MAX,
        "all_url": list_url("adapters.webhookendpoint", state="failing"),
    }
    return Panel("Webhook endpoints that fail", "admin/adapters/failing_endpoints.html", context)
