"""
What a player may not do, why, and until when: one table for everything that restricts them.

The apps above register what they know; the account itself, blocked or self-excluded, is
told here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from core.admin import Panel
from core.admin.display import EMPTY, Tone, badge, instant, time_left
from players.models import Player


@dataclass(frozen=True, slots=True)
class ShownRestriction:
    """One thing that a player may not do now. ``until`` is null where no time ends it."""

    what: str
    why: str
    until: datetime | None = None
    #: What ends it, where no time does.
    until_what: str = EMPTY
    tone: Tone = Tone.WARNING
    #: The row that restricts, as a link, if the person may see it.
    because_of: str = ""
    #: What the person may do about it, as a page shows its commands.
    actions: tuple[dict[str, Any], ...] = ()


Restricting = Callable[[HttpRequest, Player, datetime], Iterable[ShownRestriction]]

_known: list[Restricting] = []


def restricts_players(told: Restricting) -> Restricting:
    """Show what the decorated function yields among the restrictions of a player."""
    _known.append(told)
    return told


def restrictions_panel(request: HttpRequest, player: Player, now: datetime) -> Panel:
    """Return everything that restricts the player at ``now``, the account's own first."""
    found = [*_of_account(player, now)]
    for told in _known:
        found += told(request, player, now)
    rows = [
        {
            "what": badge(each.what, each.tone),
            "why": each.why,
            "because_of": each.because_of,
            "until": instant(each.until) if each.until else each.until_what,
            "left": time_left(each.until, now) if each.until else "",
            "actions": each.actions,
        }
        for each in found
    ]
    context = {"rows": rows, "has_actions": any(each.actions for each in found)}
    return Panel("Restrictions", "admin/players/restrictions.html", context)


def _of_account(player: Player, now: datetime) -> Iterator[ShownRestriction]:
    if player.is_blocked:
        yield ShownRestriction(
            what="Everything",
            why="The operator has blocked the player: no bets, no bonuses, no money in or out.",
            until_what="the operator unblocks them",
            tone=Tone.BAD,
        )
    if player.is_self_excluded(now=now):
        yield ShownRestriction(
            what="Play",
            why=(
                "Self-excluded, by their own wish: no deposits, bets, promos, bonuses or jackpots. "
                "What they hold can be withdrawn. It can be extended, and nobody can shorten it."
            ),
            until=player.self_excluded_until,
            tone=Tone.BAD,
        )
