"""
Ending one grant because somebody asks for it: cancelled, or forfeited.

A platform is told first, outside any transaction, since it holds the money of its grants:
tell_platform_of_end(), and only then cancel_grant() or forfeit_grant(), which join the
transaction of the caller's answer.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from bonuses.enums import GrantStatus
from bonuses.errors import AdapterRejected, AdapterUnavailable, BonusGrantClosed
from bonuses.models import BonusGrant
from bonuses.ports import PlatformRejected, PlatformUnavailable, get_adapters
from bonuses.services.endings import cancel_grant_locked, forfeit_grant_locked
from core import locks
from core.actors import Actor
from core.errors import NotFound
from operators.models import Operator


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
