"""
The rollover: which bets a claim allows, and how far settled ones advance it.

The caller holds the claim locked (open_promos.lock_live_promo). Progress is kept per bet,
so a bet that is rolled back takes back exactly what it brought.
"""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from core import audit
from core.actors import Actor
from core.writes import Writes, write_together
from games.models import Game
from promos import rules
from promos.enums import RestrictedAction, UserPromoStatus
from promos.errors import BetRestrictedByPromo
from promos.models import UserPromo, WagerRecord
from promos.selectors import get_game_terms
from promos.services import announcements
from promos.services.endings import expire_user_promo
from promos.services.restrictions import Restriction


def list_bet_refusals(
    *, user_promo: UserPromo, game: Game, stake_usd: Decimal, now: datetime
) -> list[Restriction]:
    """
    Return every reason why the claim forbids the bet: the game, or the stake on it.

    None for the operator's own games, nor when the claim's time is up. A claim that waits
    for its deposit binds only if the operator's settings said so when it was made.
    """
    is_bound = user_promo.is_active or (
        user_promo.status == UserPromoStatus.CLAIMED and user_promo.restrict_bets_while_claimed
    )
    if not is_bound or user_promo.is_overdue(now=now) or game.is_house:
        return []
    terms = get_game_terms(user_promo=user_promo, game=game)
    if terms is None:
        return [_refusal(user_promo, f"{game.slug} is not among the games of {user_promo.code}.")]
    most = terms.max_bet_amount
    if most is not None and stake_usd > most:
        detail = f"{user_promo.code} allows {most.normalize():f} USD a bet on {game.slug}."
        return [_refusal(user_promo, detail)]
    return []


@transaction.atomic(savepoint=False)
def record_settled_bet(
    *,
    user_promo: UserPromo,
    game: Game,
    bet_ref: str,
    stake_usd: Decimal,
    placed_at: datetime,
    writes: Writes,
    actor: Actor,
    now: datetime,
) -> UserPromo:
    """
    Let a settled bet advance the rollover, and complete the claim when the target is met.

    A bet counts if it was placed and settled while the claim was active and before its
    deadline, on a game of its list. A claim whose time is up expires. Joins the caller's
    transaction; what the bet brought is in ``writes`` unless the claim ended.
    """
    if user_promo.is_overdue(now=now):
        return expire_user_promo(user_promo=user_promo, actor=actor, now=now)
    if not user_promo.is_active:
        return user_promo
    assert user_promo.activated_at is not None, "active without an activation"
    if placed_at < user_promo.activated_at:
        return user_promo
    terms = get_game_terms(user_promo=user_promo, game=game)
    if terms is None:
        return user_promo
    progress = rules.progress_of(stake_usd=stake_usd, wager_multiplier=terms.wager_multiplier)
    if progress == 0:
        return user_promo
    _advance(user_promo, bet_ref, progress, writes=writes, now=now)
    if user_promo.is_wagered:
        # Only an active claim is advanced.
        writes.send()
        complete_user_promo(user_promo=user_promo, actor=actor, now=now)
    return user_promo


@transaction.atomic(savepoint=False)
def take_back_bet(*, user_promo: UserPromo, bet_ref: str, actor: Actor, now: datetime) -> UserPromo:
    """
    Take back what a bet, which is being rolled back, brought to a claim that is still open.

    A bet that brought nothing to this claim takes nothing. Joins the caller's transaction.
    """
    if user_promo.is_overdue(now=now):
        return expire_user_promo(user_promo=user_promo, actor=actor, now=now)
    if not user_promo.is_active:
        return user_promo
    records = WagerRecord.objects.filter(user_promo=user_promo, bet_ref=bet_ref)
    brought = records.aggregate(total=Sum("usd_amount"))["total"]
    if brought:
        with write_together() as writes:
            _advance(user_promo, bet_ref, -brought, writes=writes, now=now)
    return user_promo


@transaction.atomic(savepoint=False)
def complete_user_promo(*, user_promo: UserPromo, actor: Actor, now: datetime) -> UserPromo:
    """End a claim, which the caller holds locked, whose target is met."""
    user_promo.complete(now=now)
    user_promo.save(update_fields=["status", "completed_at"])
    audit.record_action(
        operator=user_promo.operator,
        actor=actor,
        action="promo.claim.completed",
        subject=user_promo,
        before={"status": str(UserPromoStatus.ACTIVE)},
        after={
            "status": str(user_promo.status),
            "wagered_usd_amount": str(user_promo.wagered_usd_amount),
        },
        now=now,
    )
    announcements.announce_claim(user_promo=user_promo, topic="promo.claim.completed", now=now)
    return user_promo


def _advance(
    user_promo: UserPromo, bet_ref: str, progress: Decimal, *, writes: Writes, now: datetime
) -> None:
    writes.add(
        "INSERT INTO promos_wagerrecord (user_promo_id, bet_ref, usd_amount, created_at)"
        " VALUES (%s, %s, %s, %s)",
        [user_promo.pk, bet_ref, progress, now],
    )
    # A trigger moves the column; the row is locked, so this is what it will hold.
    user_promo.wagered_usd_amount += progress


def _refusal(user_promo: UserPromo, detail: str) -> Restriction:
    return Restriction(
        action=RestrictedAction.BET.value,
        code=BetRestrictedByPromo.code,
        detail=detail,
        until=user_promo.due_at,
        source=f"promo:{user_promo.code}",
    )
