"""
What a player may not do because of promos: one answer for wallets, checks and refusals.

Decided by the instant: a claim whose time is up restricts nothing, expired or not yet.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from core.actors import Actor, ActorKind
from core.errors import DomainError
from core.instants import format_instant, tell_instant
from operators.models import Operator
from players.models import Player
from promos.enums import RestrictedAction, UserPromoStatus
from promos.errors import BetRestrictedByPromo, PromoCodeIsActive, WithdrawalsBlocked
from promos.services.open_promos import lock_live_promo

_EXPIRY = Actor(kind=ActorKind.TASK, ref="promo_expiry")

_FACTS = """
SELECT 'promo', code, status, due_at, restrict_bets_while_claimed
FROM promos_userpromo
WHERE operator_id = %(operator)s AND player_id = %(player)s AND status IN ('CLAIMED', 'ACTIVE')
UNION ALL (
    SELECT 'lock', claim.code, '', lock.until, false
    FROM promos_withdrawallock AS lock
    JOIN promos_userpromo AS claim ON claim.id = lock.user_promo_id
    WHERE lock.operator_id = %(operator)s AND lock.player_id = %(player)s
      AND lock.lifted_at IS NULL AND lock.until > %(now)s
    ORDER BY lock.until DESC LIMIT 1
)
"""


@dataclass(frozen=True, slots=True)
class Restriction:
    """Something the player may not do, why, until when (null: open), and because of what."""

    action: str
    code: str
    detail: str
    until: datetime | None
    source: str


def list_restrictions(*, operator: Operator, player: Player, now: datetime) -> list[Restriction]:
    """Return everything that promos forbid the player at ``now``, in one statement."""
    return [
        restriction
        for fact in _read_facts(operator, player, now=now)
        for restriction in _restrictions_of(fact, now=now)
    ]


def refuse_if_restricted(*, operator: Operator, player: Player, action: str, now: datetime) -> None:
    """
    Refuse ``action`` (withdraw, tip or vault) if promos forbid it.

    Joins the caller's transaction, before any lock of wallets: a claim whose time is up is
    expired here, with its clawback, so that no money leaves that is no longer the player's.

    :raises PromoCodeIsActive: if a claim that is open forbids it.
    :raises WithdrawalsBlocked: if a lock runs; ``until`` says how long.
    :raises ResourceBusy: if a claim that is due is in use.
    """
    assert action != RestrictedAction.BET, "bets are decided by rollover.list_bet_refusals"
    facts = _read_facts(operator, player, now=now)
    if any(fact[0] == "promo" and fact[3] <= now for fact in facts):
        lock_live_promo(operator=operator, player=player, actor=_EXPIRY, now=now)
    for fact in facts:
        for restriction in _restrictions_of(fact, now=now):
            if restriction.action == action:
                raise _refusal_of(restriction)


def _read_facts(operator: Operator, player: Player, *, now: datetime) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, {"operator": operator.pk, "player": player.pk, "now": now})
        return sorted(cursor.fetchall(), key=lambda fact: fact[0] == "lock")


def _restrictions_of(fact: tuple[Any, ...], *, now: datetime) -> list[Restriction]:
    kind, code, status, until, restrict_bets_while_claimed = fact
    source = f"promo:{code}"
    if kind == "lock":
        detail = f"Withdrawals are locked by {code} until {tell_instant(until)}."
        return [
            Restriction(
                RestrictedAction.WITHDRAW.value, WithdrawalsBlocked.code, detail, until, source
            )
        ]
    if until <= now:
        return []
    is_active = status == UserPromoStatus.ACTIVE
    actions = [RestrictedAction.TIP, RestrictedAction.VAULT]
    if is_active:
        actions.insert(0, RestrictedAction.WITHDRAW)
    detail = f"The promo {code} is {status.lower()}: wait until it ends, or cancel it."
    found = [
        Restriction(action.value, PromoCodeIsActive.code, detail, until, source)
        for action in actions
    ]
    if is_active or restrict_bets_while_claimed:
        detail = f"Bets are limited to the games and stakes of the promo {code}."
        found.append(
            Restriction(
                RestrictedAction.BET.value, BetRestrictedByPromo.code, detail, until, source
            )
        )
    return found


def _refusal_of(restriction: Restriction) -> DomainError:
    if restriction.code == WithdrawalsBlocked.code:
        assert restriction.until is not None, "a lock has an end"
        return WithdrawalsBlocked(restriction.detail, until=format_instant(restriction.until))
    return PromoCodeIsActive(restriction.detail)
