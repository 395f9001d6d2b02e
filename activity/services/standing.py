"""What of promos and bonuses a player's bet meets: locked in one order, before money moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from activity.models import Bet
from bonuses.services import endings as grant_endings
from bonuses.services import funding
from core.actors import Actor
from operators.models import Operator
from promos.services import endings as promo_endings
from promos.services import open_promos

if TYPE_CHECKING:
    from bonuses.models import BonusGrant
    from promos.models import UserPromo


@dataclass(slots=True)
class Standing:
    """
    The player's open promo, and the grants that a bet has to do with.

    ``live`` are those that were active when the command came, ``funders`` those that paid a
    part of the bet's stake, whatever became of them.
    """

    user_promo: "UserPromo | None"
    live: "Sequence[BonusGrant]"
    funders: "Sequence[BonusGrant]"


@transaction.atomic(savepoint=False)
def lock_standing(*, operator: Operator, bet: Bet, actor: Actor, now: datetime) -> Standing:
    """
    Lock the open promo and own grants of a bet's player; those whose time is up expire here.

    Promos before bonuses, and both before the money of an expiry moves. The caller holds the
    bet. Joins the caller's transaction.

    :raises ResourceBusy: if one of them, or an account, is in use.
    """
    player = bet.player
    user_promo = open_promos.lock_open_promo(operator=operator, player=player, game_id=bet.game_id)
    # Read without a lock: who pays for a bet is decided when it is placed, and never again.
    funder_ids = funding.list_funders(bet_ref=str(bet.pk)) if bet.bonus_stake else []
    grants = grant_endings.lock_open_grants(operator=operator, player=player, grant_ids=funder_ids)
    if user_promo is not None and user_promo.is_overdue(now=now):
        promo_endings.expire_user_promo(user_promo=user_promo, actor=actor, now=now)
        user_promo = None
    live = grant_endings.expire_overdue_grants(grants=grants, actor=actor, now=now)
    funders = [grant for grant in grants if grant.pk in funder_ids]
    return Standing(user_promo=user_promo, live=live, funders=funders)
