"""What the page of a raffle says about its draw, and about the runs before and after it."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from core.admin import Panel
from core.admin.display import amount_text, code, instant, list_url, object_link
from jackpots.admin.display import prize_value, recurrence_sentence, win_badge
from jackpots.enums import InstanceStatus
from jackpots.models import Draw, Instance, Win

_WINNERS_SHOWN_MAX = 50


def draw_panels(request: HttpRequest, subject: Instance, now: datetime) -> list[Panel]:
    """Return the prizes, the draw and the series of a raffle; nothing for a progressive."""
    panels = []
    prizes = [
        {"prize": prize, "value": prize_value(prize, subject.currency)}
        for prize in subject.prizes.all()
    ]
    if prizes:
        panels.append(Panel("Prizes", "admin/jackpots/prizes.html", {"prizes": prizes}))
    draw = Draw.objects.filter(instance=subject).first()
    if draw is not None:
        panels.append(_draw_panel(request, subject, draw))
    if subject.recurrence and subject.status != InstanceStatus.DRAFT:
        panels.append(_series_panel(subject))
    return panels


def _draw_panel(request: HttpRequest, subject: Instance, draw: Draw) -> Panel:
    context: dict[str, Any] = {
        "draw": draw,
        "instance": subject,
        "commitment": code(draw.commitment),
        "committed": instant(draw.committed_at),
        "requested": instant(draw.requested_at),
        "drawn": instant(draw.drawn_at),
        "seed": code(draw.seed),
        "digest": code(draw.entries_digest),
        "pot": amount_text(draw.pot_amount, subject.currency),
        "verification_url": reverse("admin:jackpots_instance_verification", args=[subject.pk]),
        "wins_url": list_url("jackpots.win", instance__id__exact=subject.pk),
        "can_see_wins": request.user.has_perm("jackpots.view_win"),
    }
    if draw.drawn_at is not None and context["can_see_wins"]:
        wins = (
            Win.objects.filter(draw=draw)
            .select_related("player", "prize")
            .order_by("draw_position")[: _WINNERS_SHOWN_MAX + 1]
        )
        shown = [_winner_row(win) for win in wins]
        context["winners"] = shown[:_WINNERS_SHOWN_MAX]
        context["has_more"] = len(shown) > _WINNERS_SHOWN_MAX
    return Panel("Draw", "admin/jackpots/draw.html", context)


def _winner_row(win: Win) -> dict[str, Any]:
    return {
        "position": win.draw_position,
        "counter": win.draw_counter,
        "prize": win.prize or "The whole pot",
        "player": object_link(win.player),
        "amount": object_link(win, amount_text(win.amount, win.currency)),
        "status": win_badge(win),
    }


def _series_panel(subject: Instance) -> Panel:
    following = Instance.objects.filter(previous=subject).first()
    context = {
        "instance": subject,
        "sentence": recurrence_sentence(subject),
        "previous": object_link(subject.previous) if subject.previous else "",
        "next": object_link(following) if following else "",
        "is_over": subject.status == InstanceStatus.CLOSED,
        "closes": instant(subject.closes_at),
    }
    return Panel("Runs", "admin/jackpots/series.html", context)
