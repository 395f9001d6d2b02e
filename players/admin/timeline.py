"""What happened to the player's own record: registered, changed, self-excluded."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from core.admin.display import instant_text
from core.admin.history import (
    HistoryEvent,
    Window,
    history_of,
    may_read_trail,
    newest_decisions,
)
from core.models import AuditEntry
from players.models import Player

_SAID = {
    "player.registered": "Registered",
    "player.changed": "The record was changed",
    "player.self_excluded": "Self-excluded",
}
#: What changed is told by these names only: values may be personal data.
_NAMES = {
    "currency": "currency",
    "country": "country",
    "kyc_level": "KYC level",
    "vip_level": "VIP level",
    "affiliate_code": "affiliate",
    "tags": "tags",
    "is_blocked": "blocked",
}


@history_of(
    "players.player", kind="player", title="Player", order=70, permission="players.view_player"
)
def player_events(request: HttpRequest, player: Player, window: Window) -> Iterator[HistoryEvent]:
    """Yield what the audit trail knows of the player's record."""
    return newest_decisions(
        "players.player",
        [player.pk],
        window,
        said=_SAID,
        describe=_detail_of,
        may_read_trail=may_read_trail(request),
    )


def _detail_of(entry: AuditEntry) -> str:
    match entry.action:
        case "player.self_excluded":
            until = parse_datetime(entry.after["self_excluded_until"])
            return f"until {instant_text(until)} UTC"
        case "player.changed":
            return ", ".join(_change(entry, name) for name in entry.after)
        case _:
            return ""


def _change(entry: AuditEntry, name: str) -> str:
    if name == "is_blocked":
        return "blocked" if entry.after[name] else "unblocked"
    if name in ("kyc_level", "vip_level", "currency"):
        return f"{_NAMES[name]} {entry.before.get(name)} → {entry.after[name]}"
    return _NAMES.get(name, name)
