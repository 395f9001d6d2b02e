"""What waits for somebody in jackpots, on the home page: wins, boosts, and losses to explain."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest

from core.admin import Panel, panel_at_home
from core.admin.display import amount_text, instant, list_url, object_link
from jackpots.enums import BoostStatus, WinStatus
from jackpots.models import Boost, RollbackLoss, Win

_SHOWN_MAX = 5


@panel_at_home(order=15)
def waiting_panel(request: HttpRequest, now: datetime) -> Panel | None:
    """Return the wins and boosts that need a second person, and the losses nobody explained."""
    queues = [
        queue
        for permission, build in (
            ("jackpots.view_win", _wins),
            ("jackpots.view_boost", _boosts),
            ("jackpots.view_rollbackloss", _losses),
        )
        if request.user.has_perm(permission) and (queue := build(now))
    ]
    if not queues:
        return None
    return Panel(
        "Jackpots: waiting for somebody", "admin/jackpots/waiting.html", {"queues": queues}
    )


def _wins(now: datetime) -> dict[str, Any]:
    wins = (
        Win.objects.filter(status=WinStatus.AWAITING_APPROVAL)
        .select_related("instance", "player")
        .order_by("found_at", "pk")
    )
    stuck = Q(status=WinStatus.PAYABLE) & ~Q(last_error="")
    counts = Win.objects.filter(
        status__in=[WinStatus.AWAITING_APPROVAL, WinStatus.PAYABLE]
    ).aggregate(
        waiting=Count("pk", filter=Q(status=WinStatus.AWAITING_APPROVAL)),
        stuck=Count("pk", filter=stuck),
    )
    return {
        "label": "Wins to approve",
        "count": counts["waiting"],
        "url": list_url("jackpots.win", status__exact=WinStatus.AWAITING_APPROVAL.value),
        "stuck": counts["stuck"],
        "stuck_url": list_url("jackpots.win", status__exact=WinStatus.PAYABLE.value),
        "rows": [
            {
                "since": instant(win.found_at),
                "what": object_link(win, amount_text(win.amount, win.currency)),
                "about": f"{win.player}, {win.instance}",
            }
            for win in wins[:_SHOWN_MAX]
        ],
    }


def _boosts(now: datetime) -> dict[str, Any]:
    waiting = Boost.objects.open(now=now)
    rows = waiting.select_related("pot__instance").order_by("requested_at", "pk")[:_SHOWN_MAX]
    return {
        "label": "Boosts to decide",
        "count": waiting.count(),
        "url": list_url("jackpots.boost", status__exact=BoostStatus.REQUESTED.value),
        "rows": [
            {
                "since": instant(boost.requested_at),
                "what": object_link(boost, amount_text(boost.amount, boost.pot.instance.currency)),
                "about": f"for {boost.pot} of {boost.pot.instance}",
            }
            for boost in rows
        ],
    }


def _losses(now: datetime) -> dict[str, Any]:
    waiting = RollbackLoss.objects.open()
    rows = waiting.select_related("pot__instance").order_by("created_at", "pk")[:_SHOWN_MAX]
    return {
        "label": "Rollback losses to explain",
        "count": waiting.count(),
        "url": list_url("jackpots.rollbackloss", explained="no"),
        "rows": [
            {
                "since": instant(loss.created_at),
                "what": object_link(loss, amount_text(loss.amount, loss.currency)),
                "about": f"{loss.pot} of {loss.pot.instance}",
            }
            for loss in rows
        ],
    }
