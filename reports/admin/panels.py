"""What reports show on the pages of other things: the way to the report about them."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from core.admin.panels import Panel, panel_on
from reports.rules.periods import list_presets


@panel_on("jackpots.instance")
def statement_panel(request: HttpRequest, subject: Any, now: datetime) -> Panel | None:
    """Return the ways to a jackpot's statement, once it has been opened."""
    if subject.activated_at is None or not request.user.has_perm("reports.view_report"):
        return None
    url = reverse("reports:report", args=["jackpot-statement"])
    operator = subject.operator
    links = [
        (
            preset.title,
            f"{url}?"
            + urlencode(
                {
                    "operator": operator.slug,
                    "instance": str(subject.pk),
                    "from": preset.first.isoformat(),
                    "to": preset.last.isoformat(),
                }
            ),
        )
        for preset in list_presets(zone=operator.time_zone, now=now)
    ]
    return Panel("Statement", "admin/reports/links.html", {"links": links})
