"""What happened to the bonuses of a player, for the timeline on their page."""

from collections.abc import Iterator

from django.http import HttpRequest

from bonuses.admin.timeline import SAID, detail_of
from bonuses.models import BonusGrant, BonusIssuance, PlatformEvent
from core.admin.display import url_of
from core.admin.history import (
    SUBJECTS_MAX,
    HistoryEvent,
    Window,
    history_of,
    may_read_trail,
    newest_decisions,
)
from core.admin.timeline import TimelineEvent
from core.models import AuditEntry
from players.models import Player

_SAID = {action: f"Bonus: {words[:1].lower()}{words[1:]}" for action, words in SAID.items()}


@history_of(
    "players.player",
    kind="bonuses",
    title="Bonuses",
    order=40,
    permission="bonuses.view_bonusgrant",
)
def bonus_events(request: HttpRequest, player: Player, window: Window) -> Iterator[HistoryEvent]:
    """Yield what was decided about the player's issuances, and the grants that came of them."""
    # What is issued begins with its issuance, and a grant's id is known from then on.
    issued = BonusIssuance.objects.filter(player=player, **window.up_to("created_at"))
    found = list(
        issued.order_by("-pk").values_list("pk", "grant_id", "template__name")[:SUBJECTS_MAX]
    )
    for subject_type, names in (
        ("bonuses.bonusissuance", {str(pk): name for pk, _grant, name in found}),
        ("bonuses.bonusgrant", {str(grant): name for _pk, grant, name in found}),
    ):
        yield from newest_decisions(
            subject_type,
            names,
            window,
            said=_SAID,
            describe=lambda entry, names=names: _told(entry, names, player),  # type: ignore[misc]
            may_read_trail=may_read_trail(request),
        )


@history_of(
    "players.player",
    kind="webhooks",
    title="Webhooks",
    order=60,
    permission="bonuses.view_platformevent",
)
def platform_events(request: HttpRequest, player: Player, window: Window) -> Iterator[HistoryEvent]:
    """Yield what platforms told us of the player's grants."""
    grants = BonusGrant.objects.filter(player=player, **window.up_to("granted_at"))
    ids = list(grants.order_by("-pk").values_list("pk", flat=True)[:SUBJECTS_MAX])
    events = PlatformEvent.objects.filter(grant__in=ids, **window.up_to("received_at"))
    for event in events.order_by("-received_at", "-pk")[: window.size]:
        yield HistoryEvent(
            TimelineEvent(
                at=event.received_at,
                order=event.pk,
                what=f"A platform said {event.type}",
                detail=event.get_outcome_display(),
                who=f"Platform: {event.adapter_slug}",
                url=url_of("bonuses.platformevent", event.pk),
            )
        )


def _told(entry: AuditEntry, names: dict[str, str], player: Player) -> str:
    detail = detail_of(entry.after, player.currency)
    return f"{names[entry.subject_id]}{f': {detail}' if detail else ''}"
