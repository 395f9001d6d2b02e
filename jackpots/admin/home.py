"""What the home page says about jackpots."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Sum
from django.http import HttpRequest

from core.admin import Panel, panel_at_home
from core.admin.display import link, object_link, url_of
from jackpots.admin.display import error_sentence, meter_lines, status_badges
from jackpots.enums import InstanceStatus
from jackpots.models import Instance, LinkTraffic
from jackpots.selectors import read_meters

_INSTANCES_SHOWN_MAX = 12
_FAILING_SHOWN_MAX = 8
#: Hours are counted from their start, as link_health() does.
_HOURS = 25


@panel_at_home(order=10)
def instances_panel(request: HttpRequest, now: datetime) -> Panel | None:
    """Return the instances that take contributions, with their meters at this instant."""
    if not request.user.has_perm("jackpots.view_instance"):
        return None
    counts = dict(Instance.objects.order_by().values_list("status").annotate(number=Count("pk")))
    instances = list(
        Instance.objects.filter(status=InstanceStatus.ACTIVE)
        .select_related("operator")
        .order_by("-activated_at", "-pk")[:_INSTANCES_SHOWN_MAX]
    )
    meters = read_meters(instance_ids=[each.pk for each in instances])
    context: dict[str, Any] = {
        "cards": [
            {
                "instance": each,
                "link": object_link(each),
                "status": status_badges(each),
                "pots": meter_lines(meters[each.pk], each.currency),
            }
            for each in instances
        ],
        "counts": [
            (status.label, counts[status.value])
            for status in InstanceStatus
            if counts.get(status.value)
        ],
        "more": max(counts.get(InstanceStatus.ACTIVE, 0) - len(instances), 0),
        "can_add": request.user.has_perm("jackpots.add_instance"),
    }
    return Panel("Running jackpots", "admin/jackpots/running.html", context)


@panel_at_home(order=30)
def failing_links_panel(request: HttpRequest, now: datetime) -> Panel | None:
    """Return the links whose targets refused contributions in the last 24 hours."""
    if not request.user.has_perm("jackpots.view_instance"):
        return None
    rows = (
        LinkTraffic.objects.filter(hour__gt=now - timedelta(hours=_HOURS))
        .exclude(error_code="")
        .values("source_id", "source__name", "target_id", "target__name", "error_code")
        .annotate(failed=Sum("count"))
        .order_by("-failed")
    )
    failed: Counter[tuple[Any, str, Any, str]] = Counter()
    top_error: dict[tuple[Any, str, Any, str], str] = {}
    for row in rows:
        key = (row["source_id"], row["source__name"], row["target_id"], row["target__name"])
        failed[key] += row["failed"]
        top_error.setdefault(key, row["error_code"])
    shown = [
        {
            "source": link(url_of("jackpots.instance", key[0]), key[1]),
            "target": link(url_of("jackpots.instance", key[2]), key[3]),
            "failed": count,
            "top_error": top_error[key],
            "sentence": error_sentence(top_error[key]),
        }
        for key, count in failed.most_common(_FAILING_SHOWN_MAX)
    ]
    context = {"links": shown, "link_count": len(failed), "failed_count": failed.total()}
    return Panel("Failing links, last 24 hours", "admin/jackpots/failing.html", context)
