"""What the home page says about approvals: how much waits for a second person, and what first."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.timesince import timesince

from approvals.selectors import QueueItem, count_waiting, list_waiting
from core.admin import Panel, Tile, panel_at_home
from core.admin.display import EMPTY, Tone, instant_text, link, list_url, money, url_of

_SHOWN_MAX = 5


@panel_at_home(order=10)
def approvals_parts(request: HttpRequest, now: datetime) -> Iterator[Panel | Tile]:
    """Yield how much waits that the person may see, and what has waited longest."""
    user: Any = request.user
    if not user.has_perm("approvals.view_approval"):
        return
    label, url = "Approvals waiting", list_url("approvals.approval")
    waiting = count_waiting(user, now)
    if waiting == 0:
        yield Tile(label, "0", "Nothing waits for a second person.", url)
        return
    items = list_waiting(user, now, limit=_SHOWN_MAX)
    note = "Each needs somebody other than who asked."
    if items:
        note = f"The first for {timesince(items[0].asked_at, now, depth=1)}. {note}"
    yield Tile(label, f"{waiting:,}", note, url, Tone.WARNING)
    context = {
        "rows": [_row(item, now) for item in items],
        "more": max(waiting - len(items), 0),
        "url": url,
    }
    title = "Waiting for a second person"
    yield Panel(title, "admin/approvals/home.html", context, is_urgent=True)


def _row(item: QueueItem, now: datetime) -> dict[str, str]:
    return {
        "what": link(url_of(item.model_label, item.pk), item.about),
        "kind": item.title,
        "operator": item.operator,
        "amount": EMPTY if item.amount is None else money(item.amount, item.currency),
        "waiting": timesince(item.asked_at, now, depth=1),
        "since": f"since {instant_text(item.asked_at)} UTC",
    }
