"""What was asked for about a player and decided by a second person, for their page's timeline."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.http import HttpRequest

from approvals.admin.approvals import SAID
from approvals.selectors import list_requests_about
from core.admin.display import url_of
from core.admin.history import (
    SUBJECTS_MAX,
    HistoryEvent,
    Window,
    history_of,
    may_read_trail,
    newest_decisions,
)

if TYPE_CHECKING:
    from players.models import Player

_SAID = {action: f"Request: {words[:1].lower()}{words[1:]}" for action, words in SAID.items()}


@history_of(
    "players.player",
    kind="requests",
    title="Requests",
    order=55,
    permission="approvals.view_approval",
)
def request_events(
    request: HttpRequest, player: "Player", window: Window
) -> Iterator[HistoryEvent]:
    """Yield what was asked for about the player, and what became of it."""
    asked = list_requests_about(
        operator=player.operator, player_reference=player.reference, until=window.until
    )
    titles = {str(each.pk): str(each) for each in asked[:SUBJECTS_MAX]}
    return newest_decisions(
        "approvals.approval",
        titles,
        window,
        said=_SAID,
        describe=lambda entry: titles[entry.subject_id],
        may_read_trail=may_read_trail(request),
        lead_to=lambda entry: url_of("approvals.approval", entry.subject_id),
    )
