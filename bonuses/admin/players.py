"""What bonuses say on the page of a player."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest

from bonuses.admin.display import grant_badge, issuance_badge, progress_of
from bonuses.enums import GrantStatus
from bonuses.models import BonusGrant, BonusIssuance
from core.admin import Panel, panel_on
from core.admin.display import instant, list_url, money, object_link
from players.models import Player
from wallets.selectors import get_bonus_balances

_SHOWN_MAX = 10


@panel_on("players.player")
def player_panel(request: HttpRequest, player: Player, now: datetime) -> Panel | None:
    """Return the active grants with their progress, what is on its way, and the newest others."""
    if not request.user.has_perm("bonuses.view_bonusgrant"):
        return None
    grants = BonusGrant.objects.filter(player=player).select_related("template")
    active = list(grants.active().order_by("pk")[:_SHOWN_MAX])
    held = get_bonus_balances(player=player) if active else {}
    context: dict[str, Any] = {
        "active": [
            {
                "link": object_link(grant, grant.template.name),
                "status": grant_badge(grant, now=now),
                "due": instant(grant.expires_at) if grant.expires_at else "",
                "held": money(held.get(str(grant.pk)), grant.bonus_currency)
                if grant.is_internal
                else "",
                "progress": progress_of(grant) if grant.wagering_required else None,
            }
            for grant in active
        ],
        "ended": [
            {
                "link": object_link(grant, grant.template.name),
                "status": grant_badge(grant, now=now),
                "bonus": money(grant.bonus_amount, grant.bonus_currency),
                "granted": instant(grant.granted_at),
            }
            for grant in grants.exclude(status=GrantStatus.ACTIVE).order_by("-pk")[:_SHOWN_MAX]
        ],
        "all_url": list_url("bonuses.bonusgrant", q=player.reference),
    }
    if request.user.has_perm("bonuses.view_bonusissuance"):
        waiting = BonusIssuance.objects.filter(player=player).open().select_related("template")
        context["waiting"] = [
            {"link": object_link(each, each.template.name), "status": issuance_badge(each)}
            for each in waiting.order_by("pk")[:_SHOWN_MAX]
        ]
    if request.user.has_perm("bonuses.issue_bonusgrant"):
        context["templates_url"] = list_url(
            "bonuses.bonustemplate", operator__id__exact=player.operator_id, is_active__exact=1
        )
    return Panel("Bonuses", "admin/bonuses/player.html", context)
