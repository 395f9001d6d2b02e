"""The one claim of a player that has not ended."""

from datetime import datetime

from django.db import transaction

from core import locks
from core.actors import Actor
from core.rows import RowOf
from operators.models import Operator
from players.models import Player
from promos.models import Promo, PromoGame, UserPromo
from promos.selectors import remember_game_terms
from promos.services.endings import expire_user_promo

# The terms for the game of the bet come along: they are those of the claim's own version of
# the list, which never changes.
_SELECT = """
    SELECT {columns}
    FROM promos_userpromo
    JOIN promos_promo ON promos_promo.id = promos_userpromo.promo_id
    LEFT JOIN promos_promogame
        ON promos_promogame.promo_id = promos_userpromo.promo_id
        AND promos_promogame.version = promos_userpromo.games_version
        AND promos_promogame.game_id = %s
    WHERE promos_userpromo.operator_id = %s
        AND promos_userpromo.player_id = %s
        AND promos_userpromo.status IN ('CLAIMED', 'ACTIVE')
"""
_CLAIM, _PROMO, _TERMS = RowOf(UserPromo), RowOf(Promo), RowOf(PromoGame)
_OPEN = _SELECT.format(columns=", ".join(row.columns for row in (_CLAIM, _PROMO, _TERMS)))


@transaction.atomic(savepoint=False)
def lock_open_promo(
    *, operator: Operator, player: Player, game_id: int | None = None
) -> UserPromo | None:
    """
    Lock the player's claim that is claimed or active and return it, or None.

    With ``game_id`` it knows what its list says of that game. Joins the caller's
    transaction. A claim whose time is up is open until somebody expires it: a command that
    acts at an instant asks lock_live_promo instead.

    :raises ResourceBusy: if the claim is in use.
    """
    found = locks.lock_rows(_OPEN, [game_id, operator.pk, player.pk], table="promos_userpromo")
    if not found:
        return None
    [row] = found
    values = iter(row)
    user_promo = _CLAIM.take(values)
    user_promo.promo = _PROMO.take(values)
    user_promo.operator, user_promo.player = operator, player
    if game_id is not None:
        remember_game_terms(user_promo=user_promo, game_id=game_id, terms=_TERMS.take_any(values))
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
