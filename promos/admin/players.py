"""What promos say on the page of a player."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest

from core.admin import Panel, panel_on
from core.admin.display import instant, list_url, money, object_link
from players.models import Player
from promos.admin.claims import progress_of
from promos.admin.display import claim_badge
from promos.models import UserPromo, WithdrawalLock
from promos.services.restrictions import list_restrictions

_SHOWN_MAX = 10


@panel_on("players.player")
def player_panel(request: HttpRequest, player: Player, now: datetime) -> Panel | None:
    """Return the open promo with its progress, what it forbids, and what was claimed before."""
    if not request.user.has_perm("promos.view_userpromo"):
        return None
    claims = list(UserPromo.objects.filter(player=player).order_by("-pk")[:_SHOWN_MAX])
    opened = UserPromo.objects.filter(player=player).open().first()
    restrictions = [
        {
            "action": restriction.action.capitalize(),
            "why": restriction.detail,
            "until": instant(restriction.until) if restriction.until else "it ends",
        }
        for restriction in list_restrictions(operator=player.operator, player=player, now=now)
    ]
    context: dict[str, Any] = {
        "claims": [
            {
                "link": object_link(claim, claim.code),
                "status": claim_badge(claim, now=now),
                "bonus": money(claim.bonus_amount, claim.bonus_currency),
                "claimed": instant(claim.claimed_at),
            }
            for claim in claims
        ],
        "opened": None if opened is None else _opened(opened, now=now),
        "restrictions": restrictions,
        "all_url": list_url("promos.userpromo", player__id__exact=player.pk),
    }
    if request.user.has_perm("promos.view_withdrawallock"):
        running = WithdrawalLock.objects.for_operator(player.operator).running(now=now)
        context["locks"] = [
            object_link(lock, f"Lock of {lock.get_source_display().lower()}")
            for lock in running.filter(player=player)
        ]
    return Panel("Promos", "admin/promos/player.html", context)


def _opened(claim: UserPromo, *, now: datetime) -> dict[str, Any]:
    return {
        "link": object_link(claim, claim.code),
        "status": claim_badge(claim, now=now),
        "due": instant(claim.due_at),
        "progress": None if claim.target_usd_amount is None else progress_of(claim),
    }
