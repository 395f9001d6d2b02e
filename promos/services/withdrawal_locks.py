"""Locks on withdrawals: set by a claim and by its credit, lifted by staff for a reason."""

from datetime import datetime, timedelta

from django.db import transaction

from core import audit, locks
from core.actors import Actor
from core.instants import format_instant
from operators.models import Operator
from promos.enums import LockSource
from promos.errors import WithdrawalLockEnded
from promos.models import UserPromo, WithdrawalLock


@transaction.atomic(savepoint=False)
def lock_withdrawals(
    *, user_promo: UserPromo, source: LockSource, now: datetime
) -> WithdrawalLock | None:
    """Lock the player's withdrawals for as many hours as the claim's terms say, if they do."""
    until = locked_until(hours=user_promo.lock_withdraw_on_claim_hours, now=now)
    if until is None:
        return None
    lock = WithdrawalLock(
        operator_id=user_promo.operator_id,
        player_id=user_promo.player_id,
        user_promo=user_promo,
        source=source,
        until=until,
        created_at=now,
    )
    lock.save(force_insert=True)
    return lock


def locked_until(*, hours: int | None, now: datetime) -> datetime | None:
    """Return the end of a lock that starts now, or None if the terms lock nothing."""
    return now + timedelta(hours=hours) if hours else None


@transaction.atomic(durable=True)
def lift_withdrawal_lock(
    *, operator: Operator, lock_id: int, reason: str, actor: Actor, now: datetime
) -> WithdrawalLock:
    """
    End a lock before its time; the player's other locks stay.

    :raises NotFound: if the operator has no such lock.
    :raises WithdrawalLockEnded: if it has been lifted, or has run out.
    :raises ResourceBusy: if the lock is in use; nothing was changed.
    """
    assert reason, "a lock is lifted for a reason"
    lock = locks.lock_one(WithdrawalLock.objects.for_operator(operator).filter(pk=lock_id))
    if lock.lifted_at is not None or lock.until <= now:
        raise WithdrawalLockEnded("The lock has ended already.")
    lock.lifted_at = now
    lock.lifted_by = str(actor)
    lock.lift_reason = reason
    lock.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="promo.withdrawal_lock.lifted",
        subject=lock,
        before={"until": format_instant(lock.until)},
        after={"lifted_at": format_instant(now)},
        reason=reason,
        now=now,
    )
    return lock
