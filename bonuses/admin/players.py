"""What bonuses say on the page of a player: what they have, what limits them, their ends."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from bonuses.admin.display import grant_badge, issuance_badge, progress_of
from bonuses.enums import GrantStatus
from bonuses.models import BonusGrant, BonusIssuance, BonusTemplate
from core.admin import Panel, actions_on, panel_on
from core.admin.display import (
    amount_text,
    instant,
    list_url,
    money,
    object_link,
    time_left,
)
from players.admin.restrictions import ShownRestriction, restricts_players
from players.models import Player
from wallets.selectors import get_bonus_balances

_SHOWN_MAX = 10


@panel_on("players.player", order=30)
def player_panel(request: HttpRequest, player: Player, now: datetime) -> Panel | None:
    """Return the active grants with their progress, what is on its way, and the newest others."""
    if not request.user.has_perm("bonuses.view_bonusgrant"):
        return None
    grants = BonusGrant.objects.filter(player=player).select_related("template")
    active = _active_grants(player)
    held = get_bonus_balances(player=player)
    context: dict[str, Any] = {
        "active": [_active(request, grant, held, now) for grant in active],
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
        "templates": _templates(request, player),
        "templates_url": list_url(
            "bonuses.bonustemplate", operator__id__exact=player.operator_id, is_active__exact=1
        ),
    }
    if request.user.has_perm("bonuses.view_bonusissuance"):
        waiting = BonusIssuance.objects.filter(player=player).open().select_related("template")
        context["waiting"] = [
            {
                "link": object_link(each, each.template.name),
                "status": issuance_badge(each),
                "actions": actions_on(request, each, now),
            }
            for each in waiting.order_by("pk")[:_SHOWN_MAX]
        ]
    return Panel("Bonuses", "admin/bonuses/player.html", context)


@restricts_players
def grant_limits(request: HttpRequest, player: Player, now: datetime) -> Iterator[ShownRestriction]:
    """Yield how the terms of active grants limit bets: the stake, and the games."""
    if not request.user.has_perm("bonuses.view_bonusgrant"):
        return
    for grant in _active_grants(player):
        if grant.is_overdue(now=now):
            continue
        limits = []
        if grant.max_bet is not None:
            most = amount_text(grant.max_bet, grant.bonus_currency)
            limits.append(f"A stake above {most} forfeits the bonus.")
        if grant.eligible_games is not None:
            limits.append(f"Its money may be bet on {', '.join(grant.eligible_games)} only.")
        if limits:
            yield ShownRestriction(
                what="Bet",
                why=" ".join(limits),
                until=grant.expires_at,
                until_what="the bonus ends",
                because_of=object_link(grant, grant.template.name),
            )


def _active_grants(player: Player) -> list[BonusGrant]:
    active = BonusGrant.objects.filter(player=player).active().select_related("template")
    return list(active.order_by("pk")[:_SHOWN_MAX])


def _active(
    request: HttpRequest, grant: BonusGrant, held: dict[str, Decimal], now: datetime
) -> dict[str, Any]:
    return {
        "link": object_link(grant, grant.template.name),
        "status": grant_badge(grant, now=now),
        "due": instant(grant.expires_at) if grant.expires_at else "",
        "left": time_left(grant.expires_at, now) if grant.expires_at else "",
        "held": money(held.get(str(grant.pk)), grant.bonus_currency) if grant.is_internal else "",
        "progress": progress_of(grant) if grant.wagering_required else None,
        "ends": _ends(grant),
        "actions": actions_on(request, grant, now),
    }


def _ends(grant: BonusGrant) -> list[str]:
    """Return what happens to the grant, one sentence for each way on."""
    if not grant.is_internal:
        return [f"Its platform ({grant.adapter_slug}) holds the money and decides how it ends."]
    released = "the bonus and all that was won with it go"
    if grant.max_win_cap is not None:
        cap = amount_text(grant.max_win_cap, grant.bonus_currency)
        released = f"the bonus and at most {cap} that was won with it go"
    ends = [f"Once the requirement is wagered, {released} to the main balance."]
    if grant.expires_at is not None:
        ends.append("If the time is up before, all that is left of it goes back to the house.")
    return ends


def _templates(request: HttpRequest, player: Player) -> list[dict[str, str]]:
    """Return the ways to give the player a bonus by hand, if the person may."""
    if player.is_blocked or not request.user.has_perm("bonuses.issue_bonusgrant"):
        return []
    found = BonusTemplate.objects.filter(operator_id=player.operator_id, is_active=True)
    query = urlencode({"player_id": player.reference})
    return [
        {
            "name": template.name,
            "url": reverse("admin:bonuses_bonustemplate_issue", args=[template.pk]) + f"?{query}",
        }
        for template in found.order_by("-pk")[:_SHOWN_MAX]
    ]
