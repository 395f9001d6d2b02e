"""
How grants end: completed, forfeited, expired, cancelled; and which of a player's have not.

Whoever ends a grant holds its row. What is left in the account of one of ours is released
when it completes, up to the win cap, and goes back to the cost of bonuses otherwise. A
platform holds the money of its own grants, so nothing moves for them here; when somebody
asks us to end one, the platform is told first, outside any transaction.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from bonuses.enums import GrantStatus
from bonuses.errors import AdapterRejected, AdapterUnavailable, BonusGrantClosed
from bonuses.models import BonusGrant
from bonuses.ports import PlatformRejected, PlatformUnavailable, get_adapters
from bonuses.rules import wagering as rules
from bonuses.services import payments
from bonuses.services.announcements import announce_grant
from core import audit, locks, money
from core.actors import Actor
from core.errors import NotFound, ResourceBusy
from operators.models import Operator
from players.models import Player

logger = logging.getLogger(__name__)


# Which have not ended


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
    grants = BonusGrant.objects.for_operator(operator).internal().filter(player=player)
    wanted = Q(status=GrantStatus.ACTIVE)
    if grant_ids:
        wanted |= Q(pk__in=grant_ids)
    locked = locks.lock_many(grants.filter(wanted))
    for grant in locked:
        grant.operator, grant.player = operator, player
    return locked


@transaction.atomic(savepoint=False)
def expire_overdue_grants(
    *, grants: Sequence[BonusGrant], actor: Actor, now: datetime
) -> list[BonusGrant]:
    """Expire those of the grants, which the caller holds, whose time is up; return the live."""
    for grant in grants:
        if grant.is_overdue(now=now):
            expire_grant(grant=grant, actor=actor, now=now)
    return [grant for grant in grants if grant.is_active]


@transaction.atomic(savepoint=False)
def lock_live_grants(
    *, operator: Operator, player: Player, actor: Actor, now: datetime
) -> list[BonusGrant]:
    """
    Lock the player's own active grants and return them; those whose time is up expire here.

    Joins the caller's transaction. The clawback of an expiry is posted before this returns.

    :raises ResourceBusy: if a grant or an account is in use.
    """
    held = lock_open_grants(operator=operator, player=player)
    return expire_overdue_grants(grants=held, actor=actor, now=now)


# The four ends


@transaction.atomic(savepoint=False)
def complete_grant(
    *, grant: BonusGrant, actor: Actor, now: datetime, at: datetime | None = None
) -> BonusGrant:
    """
    End a grant, which the caller holds locked, well: its requirement is met.

    Of ours, the money is released to the main balance, winnings up to the cap. ``at`` is
    when it happened, if a platform says so. Joins the caller's transaction.

    :raises ResourceBusy: if an account is in use.
    """
    assert not grant.is_internal or grant.is_wagered, f"{grant} is not wagered"
    grant.complete(at=at or now)
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
    after: dict[str, Any] = {"wagering_progress": str(grant.wagering_progress)}
    if release is not None:
        payments.release_bonus(operator=grant.operator, grant=grant, release=release, now=now)
        after |= {"released_amount": str(release.main), "excess_amount": str(release.excess)}
    _record(grant, "completed", after=after, reason="", actor=actor, now=now)
    return grant


@transaction.atomic(savepoint=False)
def expire_grant(
    *, grant: BonusGrant, actor: Actor, now: datetime, at: datetime | None = None
) -> BonusGrant:
    """
    End a grant, which the caller holds locked, because its time is up.

    :raises ResourceBusy: if an account is in use.
    """
    assert not grant.is_internal or grant.is_overdue(now=now), f"{grant} is not due"
    grant.expire(at=at or now)
    return _end(grant, "expired", ["expired_at"], reason="", actor=actor, now=now)


@transaction.atomic(savepoint=False)
def forfeit_grant_locked(
    *,
    grant: BonusGrant,
    reason: str,
    actor: Actor,
    now: datetime,
    at: datetime | None = None,
) -> BonusGrant:
    """
    End a grant, which the caller holds locked, as lost by the player.

    :raises ResourceBusy: if an account is in use.
    """
    grant.forfeit(at=at or now, reason=reason)
    changed = ["forfeited_at", "outcome_reason"]
    return _end(grant, "forfeited", changed, reason=reason, actor=actor, now=now)


@transaction.atomic(savepoint=False)
def cancel_grant_locked(
    *,
    grant: BonusGrant,
    reason: str,
    actor: Actor,
    now: datetime,
    at: datetime | None = None,
) -> BonusGrant:
    """
    End a grant, which the caller holds locked, as taken back.

    :raises ResourceBusy: if an account is in use.
    """
    grant.cancel(at=at or now, reason=reason)
    changed = ["cancelled_at", "outcome_reason"]
    return _end(grant, "cancelled", changed, reason=reason, actor=actor, now=now)


# Because somebody asks for it


def tell_platform_of_end(*, operator: Operator, grant_id: UUID, reason: str) -> None:
    """
    Tell the platform that holds a grant that it ends; one of ours has none to tell.

    Writes nothing. Never called inside a transaction: it waits for the platform.

    :raises NotFound: if the operator has no such grant.
    :raises BonusGrantClosed: if it has ended; the platform is not asked.
    :raises AdapterRejected: if the platform refuses; the grant goes on.
    :raises AdapterUnavailable: if it is not known whether the platform did it.
    """
    grant = BonusGrant.objects.for_operator(operator).filter(pk=grant_id).first()
    if grant is None:
        raise NotFound("There is no such bonus grant.")
    if not grant.is_active:
        raise _closed(str(grant.status))
    if grant.is_internal:
        return
    adapter = get_adapters().get_adapter(slug=grant.adapter_slug)
    try:
        adapter.cancel_bonus(
            grant_id=grant.pk, platform_bonus_id=grant.platform_bonus_id, reason=reason
        )
    except PlatformRejected as rejected:
        raise AdapterRejected(
            "The platform refused to end the bonus.", platform_code=rejected.code
        ) from rejected
    except PlatformUnavailable as unavailable:
        raise AdapterUnavailable(
            "The platform did not answer usably. Send it again."
        ) from unavailable


@transaction.atomic(savepoint=False)
def cancel_grant(
    *, operator: Operator, grant_id: UUID, reason: str, actor: Actor, now: datetime
) -> BonusGrant:
    """
    Take a bonus back; what is left of our own money goes back to the house.

    A grant of a platform, which has been told, may have been ended by its webhook meanwhile:
    then it is returned as it is. Joins the caller's transaction.

    :raises NotFound: if the operator has no such grant.
    :raises BonusGrantClosed: if it has ended, or its time is up.
    :raises ResourceBusy: if the grant or an account is in use.
    """
    grant = _lock(operator, grant_id, now=now)
    if grant.is_active:
        cancel_grant_locked(grant=grant, reason=reason, actor=actor, now=now)
    return grant


@transaction.atomic(savepoint=False)
def forfeit_grant(
    *, operator: Operator, grant_id: UUID, reason: str, actor: Actor, now: datetime
) -> BonusGrant:
    """
    Declare a bonus lost by the player; what is left of our own money goes back to the house.

    A grant of a platform, which has been told, may have been ended by its webhook meanwhile:
    then it is returned as it is. Joins the caller's transaction.

    :raises NotFound: if the operator has no such grant.
    :raises BonusGrantClosed: if it has ended, or its time is up.
    :raises ResourceBusy: if the grant or an account is in use.
    """
    grant = _lock(operator, grant_id, now=now)
    if grant.is_active:
        forfeit_grant_locked(grant=grant, reason=reason, actor=actor, now=now)
    return grant


def _lock(operator: Operator, grant_id: UUID, *, now: datetime) -> BonusGrant:
    """Lock a grant that is active, or that the platform has just ended as it was told to."""
    found = BonusGrant.objects.for_operator(operator).filter(pk=grant_id)
    grant = locks.lock_one(found.select_related("player"))
    grant.operator = operator
    is_told_end = not grant.is_internal and grant.status in (
        GrantStatus.CANCELLED,
        GrantStatus.FORFEITED,
    )
    if not grant.is_active and not is_told_end:
        raise _closed(str(grant.status))
    if grant.is_internal and grant.is_overdue(now=now):
        raise _closed(str(GrantStatus.EXPIRED))
    return grant


def _closed(status: str) -> BonusGrantClosed:
    return BonusGrantClosed("The grant has ended.", grant_status=status)


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
        after["clawback_amount"] = str(left)
    _record(grant, move, after=after, reason=reason, actor=actor, now=now)
    return grant


def _record(
    grant: BonusGrant,
    move: str,
    *,
    after: dict[str, Any],
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    action = f"bonus.grant.{move}"
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
