"""What jackpots say on the page of a player: tickets, contributions, wins, opt-ins."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from core.admin import Panel, actions_on, panel_on
from core.admin.display import (
    amount_text,
    instant,
    link,
    list_url,
    money,
    object_link,
    url_of,
)
from core.admin.history import (
    SUBJECTS_MAX,
    HistoryEvent,
    Window,
    history_of,
    may_read_trail,
    newest_decisions,
)
from core.models import AuditEntry
from jackpots.admin.display import opt_in_badge, win_badge
from jackpots.admin.win_timeline import SAID, detail_of
from jackpots.enums import DropType, InstanceStatus
from jackpots.models import OptIn, Pot, Win
from jackpots.standing import Standing, list_standings
from players.models import Player

_SHOWN_MAX = 10
#: Contributions of so many days are summed up.
_DAYS = 7
_OPT_INS_SAID = {
    "jackpot.opt_in.given": "Jackpot: opted in",
    "jackpot.opt_in.withdrawn": "Jackpot: opted out",
}
_WINS_SAID = {action: f"Jackpot: {words[:1].lower()}{words[1:]}" for action, words in SAID.items()}


@panel_on("players.player", order=40)
def player_panel(request: HttpRequest, player: Player, now: datetime) -> Panel | None:
    """Return how the player stands in the jackpots: each part for whoever may see it."""
    allowed = request.user.has_perm
    context: dict[str, Any] = {"days": _DAYS}
    if allowed("jackpots.view_contribution"):
        found = list_standings(player=player, since=now - timedelta(days=_DAYS))
        context["standings"] = [_standing(each) for each in found]
        context["contributions_url"] = list_url(
            "jackpots.contribution", player__id__exact=player.pk
        )
    if allowed("jackpots.view_win"):
        wins = Win.objects.filter(player=player).select_related("instance", "pot")
        context["wins"] = [
            {
                "amount": object_link(win, money(win.amount, win.currency)),
                "from": f"{win.instance.name}, {win.pot.name}",
                "status": win_badge(win),
                "found": instant(win.found_at),
                "actions": actions_on(request, win, now),
            }
            for win in wins.order_by("-found_at", "-pk")[:_SHOWN_MAX]
        ]
    if allowed("jackpots.view_optin"):
        newest = OptIn.objects.filter(player=player).select_related("instance").order_by("-pk")
        context["opt_ins"] = [
            {
                "instance": object_link(each.instance),
                "status": opt_in_badge(each),
                "given": instant(each.opted_in_at),
            }
            for each in newest[:_SHOWN_MAX]
        ]
        context["opt_ins_url"] = list_url("jackpots.optin", player__id__exact=player.pk)
    if len(context) == 1:
        return None
    context["drops"] = _drops(request, player, now)
    return Panel("Jackpots", "admin/jackpots/player.html", context)


@history_of(
    "players.player", kind="jackpots", title="Jackpots", order=50, permission="jackpots.view_win"
)
def win_events(request: HttpRequest, player: Player, window: Window) -> Iterator[HistoryEvent]:
    """Yield what was found, decided and paid of the player's wins."""
    wins = Win.objects.filter(player=player, **window.up_to("found_at")).order_by("-found_at")
    ids = list(wins.values_list("pk", flat=True)[:SUBJECTS_MAX])
    return newest_decisions(
        "jackpots.win",
        ids,
        window,
        said=_WINS_SAID,
        describe=lambda entry: detail_of(entry.after),
        may_read_trail=may_read_trail(request),
    )


@history_of(
    "players.player", kind="jackpots", title="Jackpots", order=50, permission="jackpots.view_optin"
)
def opt_in_events(request: HttpRequest, player: Player, window: Window) -> Iterator[HistoryEvent]:
    """Yield where the player opted in and out."""
    opt_ins = OptIn.objects.filter(player=player, **window.up_to("opted_in_at")).order_by("-pk")
    names = dict(opt_ins.values_list("pk", "instance__name")[:SUBJECTS_MAX])

    def name_of(entry: AuditEntry) -> str:
        return names[int(entry.subject_id)]

    return newest_decisions(
        "jackpots.optin",
        names,
        window,
        said=_OPT_INS_SAID,
        describe=name_of,
        may_read_trail=may_read_trail(request),
    )


def _standing(each: Standing) -> dict[str, Any]:
    least = "at least " if each.is_at_least else ""
    return {
        "instance": link(url_of("jackpots.instance", each.instance_id), each.name),
        "tickets": "" if each.tickets is None else f"{each.tickets:,}",
        "count": f"{least}{each.count:,}",
        "amount": f"{least}{amount_text(each.amount, each.currency)}",
        "closes": instant(each.closes_at) if each.closes_at else "",
    }


def _drops(request: HttpRequest, player: Player, now: datetime) -> list[dict[str, str]]:
    """Return the ways to let a pot drop to the player, if the person may and they can win."""
    can_win = not (player.is_blocked or player.is_self_excluded(now=now))
    if not can_win or not request.user.has_perm("jackpots.drop_pot"):
        return []
    pots = Pot.objects.filter(
        instance__operator_id=player.operator_id,
        instance__status__in=(InstanceStatus.ACTIVE, InstanceStatus.CLOSING),
        instance__kind="progressive",
        drop_type=DropType.MANUAL,
    )
    found = pots.order_by("-instance_id").values_list("instance_id", "instance__name").distinct()
    query = urlencode({"player": player.reference})
    return [
        {
            "name": name,
            "url": reverse("admin:jackpots_instance_drop", args=[instance_id]) + f"?{query}",
        }
        for instance_id, name in found[:_SHOWN_MAX]
    ]
