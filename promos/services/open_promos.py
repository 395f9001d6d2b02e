"""The one claim of a player that has not ended."""

from datetime import datetime

from django.db import transaction

from core import locks
from core.actors import Actor
from operators.models import Operator
from players.models import Player
from promos.models import UserPromo
from promos.services.endings import expire_user_promo


@transaction.atomic(savepoint=False)
def lock_open_promo(*, operator: Operator, player: Player) -> UserPromo | None:
    """
    Lock the player's claim that is claimed or active and return it, or None.

    Joins the caller's transaction. A claim whose time is up is open until somebody expires
    it: a command that acts at an instant asks lock_live_promo instead.

    :raises ResourceBusy: if the claim is in use.
    """
    found = locks.lock_many(
        UserPromo.objects.for_operator(operator)
        .open()
        .filter(player_id=player.pk)
        .select_related("promo")
    )
    if not found:
        return None
    [user_promo] = found
    user_promo.operator, user_promo.player = operator, player
    return user_promo


@transaction.atomic(savepoint=False)
def lock_live_promo(
    *, operator: Operator, player: Player, actor: Actor, now: datetime
) -> UserPromo | None:
    """
    Lock the player's open claim and return it, or None: one whose time is up expires here.

    Joins the caller's transaction. The clawback of an expiry is posted before this returns,
    so what the caller does with the player's money afterwards meets the balance without it.

    :raises ResourceBusy: if the claim is in use.
    """
    user_promo = lock_open_promo(operator=operator, player=player)
    if user_promo is not None and user_promo.is_overdue(now=now):
        expire_user_promo(user_promo=user_promo, actor=actor, now=now)
        return None
    return user_promo
