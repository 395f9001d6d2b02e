"""What promos say on the page of a player: what they have, what it forbids, what happened."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from core.admin import Panel, actions_on, panel_on
from core.admin.display import amount_text, instant, list_url, money, object_link, time_left
from core.admin.history import (
    SUBJECTS_MAX,
    HistoryEvent,
    Window,
    history_of,
    may_read_trail,
    newest_decisions,
)
from core.models import AuditEntry
from players.admin.restrictions import ShownRestriction, restricts_players
from players.models import Player
from promos.admin.claims import progress_of
from promos.admin.display import claim_badge, usd
from promos.admin.timeline import SAID, detail_of
from promos.errors import WithdrawalsBlocked
from promos.models import UserPromo, WithdrawalLock
from promos.services.restrictions import list_restrictions

_SHOWN_MAX = 10
_SAID = {action: f"Promo: {words[:1].lower()}{words[1:]}" for action, words in SAID.items()}


@panel_on("players.player", order=20)
def player_panel(request: HttpRequest, player: Player, now: datetime) -> Panel | None:
    """Return the open promo with its progress and its ends, and what was claimed before."""
    if not request.user.has_perm("promos.view_userpromo"):
        return None
    opened = (
        UserPromo.objects.filter(player=player).open().select_related("operator", "player").first()
    )
    others = UserPromo.objects.filter(player=player).order_by("-pk")
    if opened is not None:
        others = others.exclude(pk=opened.pk)
    context: dict[str, Any] = {
        "opened": None if opened is None else _opened(request, opened, now),
        "claims": [
            {
                "link": object_link(claim, claim.code),
                "status": claim_badge(claim, now=now),
                "bonus": money(claim.bonus_amount, claim.bonus_currency),
                "claimed": instant(claim.claimed_at),
            }
            for claim in others[:_SHOWN_MAX]
        ],
        "all_url": list_url("promos.userpromo", player__id__exact=player.pk),
    }
    return Panel("Promos", "admin/promos/player.html", context)


@restricts_players
def promo_restrictions(
    request: HttpRequest, player: Player, now: datetime
) -> Iterator[ShownRestriction]:
    """Yield what promos forbid, from the one source that refusals ask too."""
    if not request.user.has_perm("promos.view_userpromo"):
        return
    actions: list[dict[str, Any]] = []
    if request.user.has_perm("promos.view_withdrawallock"):
        running = WithdrawalLock.objects.for_operator(player.operator).running(now=now)
        locks = running.filter(player=player).select_related("user_promo").order_by("until")
        actions = [
            {**action, "title": f"{action['title']} of {lock.get_source_display().lower()}"}
            for lock in locks
            for action in actions_on(request, lock, now)
        ]
    for restriction in list_restrictions(operator=player.operator, player=player, now=now):
        is_lock = restriction.code == WithdrawalsBlocked.code
        yield ShownRestriction(
            what=restriction.action.capitalize(),
            why=restriction.detail,
            until=restriction.until,
            until_what="the promo ends",
            actions=tuple(actions) if is_lock else (),
        )


@history_of(
    "players.player", kind="promos", title="Promos", order=30, permission="promos.view_userpromo"
)
def promo_events(request: HttpRequest, player: Player, window: Window) -> Iterator[HistoryEvent]:
    """Yield what was decided about the player's claims, and about their withdrawal locks."""
    claims = UserPromo.objects.filter(player=player, **window.up_to("claimed_at")).order_by("-pk")
    codes = dict(claims.values_list("pk", "code")[:SUBJECTS_MAX])
    locks = dict(
        WithdrawalLock.objects.filter(user_promo__in=list(codes)).values_list("pk", "user_promo_id")
    )
    code_of = {str(pk): code for pk, code in codes.items()}
    code_of_lock = {str(pk): codes[claim] for pk, claim in locks.items()}
    for subject_type, names in (
        ("promos.userpromo", code_of),
        ("promos.withdrawallock", code_of_lock),
    ):
        yield from newest_decisions(
            subject_type,
            names,
            window,
            said={
                action: f"Promo: {words[:1].lower()}{words[1:]}" for action, words in SAID.items()
            },
            describe=lambda entry, names=names: _told(entry, names),  # type: ignore[misc]
            may_read_trail=may_read_trail(request),
        )


def _told(entry: AuditEntry, names: dict[str, str]) -> str:
    detail = detail_of(entry.after)
    return f"{names[entry.subject_id]}{f': {detail}' if detail else ''}"


def _opened(request: HttpRequest, claim: UserPromo, now: datetime) -> dict[str, Any]:
    return {
        "link": object_link(claim, claim.code),
        "status": claim_badge(claim, now=now),
        "due": instant(claim.due_at),
        "left": "" if claim.due_at is None else time_left(claim.due_at, now),
        "progress": None if claim.target_usd_amount is None else progress_of(claim),
        "ends": _ends(claim),
        "actions": actions_on(request, claim, now),
    }


def _ends(claim: UserPromo) -> list[str]:
    """Return what happens to the claim, one sentence for each way on."""
    if claim.target_usd_amount is None:
        floor = claim.min_deposit_usd_to_activate
        least = f" of {usd(floor)} or more" if floor else ""
        smaller = " A smaller one cancels the claim." if floor else ""
        return [
            f"It waits for the player's next deposit{least}, which activates it.{smaller}",
            "If none comes in time it expires, and nothing is taken.",
        ]
    bonus = amount_text(claim.bonus_amount, claim.bonus_currency)
    return [
        f"Once the target is wagered, the bonus of {bonus} stays with the player.",
        (f"If the time is up before, {bonus} is taken back, as far as the main balance holds it."),
    ]
