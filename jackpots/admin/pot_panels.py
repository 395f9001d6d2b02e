"""What the page of an instance says about its pots: what they hold, won, and were given."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest

from core.admin import Panel
from core.admin.display import (
    EMPTY,
    amount_text,
    code,
    instant,
    lines,
    list_url,
    money,
    muted,
    object_link,
    percent_text,
)
from jackpots.admin.display import (
    boost_badge,
    drop_sentence,
    pending_lines,
    win_badge,
)
from jackpots.enums import BoostStatus, EntryKind, InstanceStatus
from jackpots.models import Boost, Instance, Pot, PotEntry, Win
from jackpots.selectors import PotMeter

_WINS_SHOWN_MAX = 8
_ENTRIES_SHOWN_MAX = 12
_BOOSTS_SHOWN_MAX = 5


def pots_panel(
    request: HttpRequest,
    subject: Instance,
    meters: list[PotMeter],
    now: datetime,
    *,
    can_change_terms: bool,
) -> Panel:
    """Return the pots: what each holds, how it drops, and the terms that wait for its win."""
    pots = list(subject.pots.order_by("position"))
    by_position = {meter.position: meter for meter in meters}
    context: dict[str, Any] = {
        "pots": [_pot_row(pot, by_position[pot.position], subject) for pot in pots],
        "has_pending": any(pot.pending_terms for pot in pots),
        "has_commitment": any(pot.commitment for pot in pots),
        "instance": subject,
        "can_change_terms": can_change_terms,
        "as_of": instant(now),
        "paused_at": instant(subject.paused_at),
        "is_draft": subject.status == InstanceStatus.DRAFT,
    }
    if request.user.has_perm("jackpots.view_contribution"):
        context["contributions_url"] = list_url(
            "jackpots.contribution", instance__id__exact=subject.pk
        )
    return Panel("Pots", "admin/jackpots/pots.html", context)


def _pot_row(pot: Pot, meter: PotMeter, subject: Instance) -> dict[str, Any]:
    currency = subject.currency
    return {
        "name": pot.name,
        "value": amount_text(meter.value, currency),
        "reserve": amount_text(meter.reserve, currency) if meter.reserve else EMPTY,
        "cycle": pot.cycle,
        "share": percent_text(pot.share),
        "seed": amount_text(pot.seed, currency),
        "ceiling": amount_text(pot.ceiling, currency),
        "drop": drop_sentence(pot, currency),
        "commitment": code(pot.commitment) if pot.commitment else "",
        "pending": pending_lines(pot, currency),
    }


def wins_panel(request: HttpRequest, subject: Instance) -> Panel | None:
    """Return the newest wins of a progressive's pots; those of a raffle are in its draw."""
    if subject.is_raffle or subject.status == InstanceStatus.DRAFT:
        return None
    if not request.user.has_perm("jackpots.view_win"):
        return None
    wins = (
        Win.objects.filter(instance=subject)
        .select_related("player", "pot", "prize")
        .order_by("-found_at", "-pk")[: _WINS_SHOWN_MAX + 1]
    )
    shown = [
        {
            "found": instant(win.found_at),
            "pot": lines([win.pot, muted(f"cycle {win.cycle}")]),
            "cause": win.get_cause_display(),
            "player": object_link(win.player),
            "amount": object_link(win, amount_text(win.amount, win.currency)),
            "status": win_badge(win),
        }
        for win in wins
    ]
    context = {
        "wins": shown[:_WINS_SHOWN_MAX],
        "has_more": len(shown) > _WINS_SHOWN_MAX,
        "url": list_url("jackpots.win", instance__id__exact=subject.pk),
        "instance": subject,
    }
    return Panel("Wins", "admin/jackpots/instance_wins.html", context)


def entries_panel(subject: Instance) -> Panel | None:
    """Return what came into the pots, or left them, besides contributions and wins."""
    if subject.status == InstanceStatus.DRAFT:
        return None
    entries = (
        PotEntry.objects.filter(pot__instance=subject)
        .select_related("pot", "counterpart__instance")
        .order_by("-pk")[:_ENTRIES_SHOWN_MAX]
    )
    context = {
        "entries": [
            {
                "at": instant(entry.created_at),
                "pot": lines([entry.pot, muted(f"cycle {entry.cycle}")]),
                "what": entry.get_kind_display(),
                "other": _other(entry, subject),
                "amount": money(_signed(entry), subject.currency),
            }
            for entry in entries
        ],
        "shown_max": _ENTRIES_SHOWN_MAX,
    }
    return Panel("Seeds, boosts and transfers", "admin/jackpots/entries.html", context)


def _signed(entry: PotEntry) -> Any:
    return -entry.amount if entry.kind == EntryKind.TRANSFER_OUT else entry.amount


def _other(entry: PotEntry, subject: Instance) -> str:
    """Return the other pot of a transfer, and its instance where that is another one."""
    pot = entry.counterpart
    if pot is None:
        return ""
    if pot.instance_id == subject.pk:
        return pot.name
    return lines([pot.name, object_link(pot.instance)])


def boosts_panel(
    request: HttpRequest, subject: Instance, now: datetime, *, can_request: bool
) -> Panel | None:
    """Return the boosts of the instance that wait, and the last that were decided."""
    if not request.user.has_perm("jackpots.view_boost"):
        return None
    boosts = list(
        Boost.objects.filter(pot__instance=subject)
        .select_related("pot")
        .order_by("-pk")[:_BOOSTS_SHOWN_MAX]
    )
    if not boosts and subject.status != InstanceStatus.ACTIVE:
        return None
    context = {
        "boosts": [
            {
                "amount": object_link(boost, amount_text(boost.amount, subject.currency)),
                "pot": boost.pot,
                "requested": instant(boost.requested_at),
                "reason": boost.reason,
                "status": boost_badge(boost, now=now),
            }
            for boost in boosts
        ],
        "waiting": sum(
            boost.status == BoostStatus.REQUESTED and boost.expires_at > now for boost in boosts
        ),
        "instance": subject,
        "can_request": can_request,
        "url": list_url("jackpots.boost", pot__instance__id__exact=subject.pk),
    }
    return Panel("Boosts", "admin/jackpots/instance_boosts.html", context)
