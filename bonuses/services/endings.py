"""
How grants end: completed, forfeited, expired, cancelled; and which of a player's have not.

Whoever ends a grant holds its row. What is left in the account of one of ours is released
when it completes, up to the win cap, and goes back to the cost of bonuses otherwise. A
platform holds the money of its own grants, so nothing moves for them here.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from bonuses.enums import GrantStatus
from bonuses.models import BonusGrant
from bonuses.rules import wagering as rules
from bonuses.services import payments
from bonuses.services.announcements import announce_grant
from core import audit, locks, money
from core.actors import Actor
from core.errors import ResourceBusy
from core.instants import format_instant
from core.rows import RowOf
from operators.models import Operator
from players.models import Player

logger = logging.getLogger(__name__)


# Which have not ended

_OF_PLAYER = """
    SELECT {columns} FROM bonuses_bonusgrant
    WHERE operator_id = %(operator)s AND player_id = %(player)s AND is_internal AND {wanted}
    ORDER BY id
"""
_GRANT = RowOf(BonusGrant)
_OPEN = _OF_PLAYER.format(columns=_GRANT.columns, wanted="status = 'active'")
# Apart, because no index serves both.
_OPEN_OR_NAMED = _OF_PLAYER.format(
    columns=_GRANT.columns, wanted="(status = 'active' OR id = ANY(%(named)s))"
)


@transaction.atomic(savepoint=False)
def lock_open_grants(
    *, operator: Operator, player: Player, grant_ids: Sequence[UUID] = ()
) -> list[BonusGrant]:
    """
    Lock the player's own active grants, and those of ``grant_ids`` whatever became of them.

    In the order of their ids. Joins the caller's transaction. One whose time is up is open
    until somebody expires it: see expire_overdue_grants.

    :raises ResourceBusy: if one of them is in use.
    """
    rows = locks.lock_rows(
        _OPEN_OR_NAMED if grant_ids else _OPEN,
        {"operator": operator.pk, "player": player.pk, "named": list(grant_ids)},
        table="bonuses_bonusgrant",
    )
    grants = [_GRANT.take(iter(row)) for row in rows]
    for grant in grants:
        grant.operator, grant.player = operator, player
    return grants


@transaction.atomic(savepoint=False)
def expire_overdue_grants(
    *, grants: Sequence[BonusGrant], actor: Actor, now: datetime
) -> list[BonusGrant]:
    """Expire those of the grants, which the caller holds, whose time is up; return the live."""
    for grant in grants:
        if grant.is_overdue(now=now):
            expire_grant(grant=grant, actor=actor, now=now)
    return [grant for grant in grants if grant.is_active]


# The four ends


@transaction.atomic(savepoint=False)
def complete_grant(
    *, grant: BonusGrant, actor: Actor, now: datetime, platform_at: datetime | None = None
) -> BonusGrant:
    """
    End a grant, which the caller holds locked, well: its requirement is met.

    Of ours, the money is released to the main balance, winnings up to the cap. It ends at
    ``now``; ``platform_at`` is when a platform says that it did, which is kept in the audit
    trail only. Joins the caller's transaction.

    :raises ResourceBusy: if an account is in use.
    """
    assert not grant.is_internal or grant.is_wagered, f"{grant} is not wagered"
    grant.complete(at=now)
    changed = ["completed_at"]
    release = None
    if grant.is_internal:
        release = rules.split_release(
            total=payments.lock_bonus_balance(operator=grant.operator, grant=grant),
            limit=rules.release_limit(
                bonus_amount=grant.bonus_amount,
                max_win_cap=grant.max_win_cap,
                currency=money.get_currency(grant.bonus_currency),
            ),
        )
        grant.released_amount, grant.excess_amount = release.main, release.excess
        changed += ["released_amount", "excess_amount"]
    grant.save(update_fields=["status", *changed])
    after: dict[str, Any] = {"wagering_progress": f"{grant.wagering_progress:f}"}
    if release is not None:
        payments.release_bonus(operator=grant.operator, grant=grant, release=release, now=now)
        after |= {
            "released_amount": f"{release.main:f}",
            "excess_amount": f"{release.excess:f}",
        }
    _record(grant, "completed", platform_at, after=after, reason="", actor=actor, now=now)
    return grant


@transaction.atomic(savepoint=False)
def expire_grant(
    *, grant: BonusGrant, actor: Actor, now: datetime, platform_at: datetime | None = None
) -> BonusGrant:
    """
    End a grant, which the caller holds locked, because its time is up.

    :raises ResourceBusy: if an account is in use.
    """
    assert not grant.is_internal or grant.is_overdue(now=now), f"{grant} is not due"
    grant.expire(at=now)
    return _end(grant, "expired", ["expired_at"], platform_at, reason="", actor=actor, now=now)


@transaction.atomic(savepoint=False)
def forfeit_grant_locked(
    *,
    grant: BonusGrant,
    reason: str,
    actor: Actor,
    now: datetime,
    platform_at: datetime | None = None,
) -> BonusGrant:
    """
    End a grant, which the caller holds locked, as lost by the player.

    :raises ResourceBusy: if an account is in use.
    """
    grant.forfeit(at=now, reason=reason)
    changed = ["forfeited_at", "outcome_reason"]
    return _end(grant, "forfeited", changed, platform_at, reason=reason, actor=actor, now=now)


@transaction.atomic(savepoint=False)
def cancel_grant_locked(
    *,
    grant: BonusGrant,
    reason: str,
    actor: Actor,
    now: datetime,
    platform_at: datetime | None = None,
) -> BonusGrant:
    """
    End a grant, which the caller holds locked, as taken back.

    :raises ResourceBusy: if an account is in use.
    """
    grant.cancel(at=now, reason=reason)
    changed = ["cancelled_at", "outcome_reason"]
    return _end(grant, "cancelled", changed, platform_at, reason=reason, actor=actor, now=now)


# The sweep


def expire_due_grants(*, now: datetime, limit: int, actor: Actor) -> int:
    """
    Expire up to ``limit`` of our grants whose time is up, oldest first; return how many were.

    Each has its own transaction. One that is in use is being decided by whoever holds it,
    and one that cannot be expired never holds up the others.
    """
    due = BonusGrant.objects.due(now=now).order_by("expires_at", "pk")
    expired_count = 0
    for grant_id in list(due.values_list("pk", flat=True)[:limit]):
        try:
            expired_count += _expire_if_still_due(grant_id, actor=actor, now=now)
        except ResourceBusy:
            logger.info("grant %s is in use; left for the next run", grant_id)
        except Exception:
            # The sweep goes oldest first: one bad row would stop every later run.
            logger.exception("grant %s could not be expired", grant_id)
    return expired_count


@transaction.atomic(durable=True)
def _expire_if_still_due(grant_id: UUID, *, actor: Actor, now: datetime) -> bool:
    due = BonusGrant.objects.due(now=now).filter(pk=grant_id)
    for grant in locks.lock_many_skipping(due.select_related("operator", "player")):
        expire_grant(grant=grant, actor=actor, now=now)
        return True
    return False


def _end(
    grant: BonusGrant,
    move: str,
    changed: list[str],
    platform_at: datetime | None,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> BonusGrant:
    """Save an end that is no completion, and take back what is left of our money."""
    grant.save(update_fields=["status", *changed])
    after: dict[str, Any] = {}
    if grant.is_internal:
        left = payments.lock_bonus_balance(operator=grant.operator, grant=grant)
        payments.claw_back_bonus(operator=grant.operator, grant=grant, amount=left, now=now)
        after["clawback_amount"] = f"{left:f}"
    _record(grant, move, platform_at, after=after, reason=reason, actor=actor, now=now)
    return grant


def _record(
    grant: BonusGrant,
    move: str,
    platform_at: datetime | None,
    *,
    after: dict[str, Any],
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    action = f"bonus.grant.{move}"
    if platform_at is not None:
        after["platform_at"] = format_instant(platform_at)
    audit.record_action(
        operator=grant.operator,
        actor=actor,
        action=action,
        subject=grant,
        before={"status": str(GrantStatus.ACTIVE)},
        after={"status": str(grant.status), "bonus_currency": grant.bonus_currency, **after},
        reason=reason,
        now=now,
    )
    announce_grant(grant=grant, topic=action, now=now)
