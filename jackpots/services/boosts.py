"""
Boosts: house money for a running pot, asked for by one person and put in by another.

What a pot holds changes under its instance's row only, as in folds and wins; nothing that
a contribution is decided upon does, so contributors go on meanwhile.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from approvals.errors import SecondPersonRequired
from approvals.rules import fingerprint_of
from approvals.services.deciding import refuse_unless_shown
from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest
from core.money import format_amount, get_currency, has_only_minor_units
from jackpots.enums import BoostStatus, EntryKind, InstanceStatus
from jackpots.errors import BoostExpired, BoostWrongState, InstanceWrongState
from jackpots.models import Boost, Instance, Pot, PotEntry
from jackpots.selectors import get_boost, get_pot
from jackpots.services.folding import FOLD, fold_locked
from jackpots.services.pots import note_meter
from operators.models import Operator

#: A request that nobody has decided for so long can no longer be applied.
BOOST_VALID_FOR = timedelta(days=7)


@transaction.atomic
def request_boost(
    *,
    operator: Operator,
    instance_id: UUID,
    pot_name: str,
    amount: Decimal,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Boost:
    """
    Ask for ``amount`` of house money for a pot; somebody else decides within a week.

    Joins the caller's transaction. Nothing moves yet. The instance may be paused.

    :raises NotFound: if the operator has no such instance, or that has no such pot.
    :raises InstanceWrongState: if the instance is not active.
    :raises InvalidRequest: if the amount is not above 0, or has more decimals than the
        instance's currency; or if no reason is given.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    instance = locks.lock_one(Instance.objects.for_operator(operator).filter(pk=instance_id))
    pot = get_pot(instance=instance, name=pot_name)
    _refuse_unless_active(instance)
    _refuse_amount(amount, instance.currency)
    if not reason:
        raise InvalidRequest.for_field("reason", "Say why: it is kept in the audit trail.")
    boost = Boost(
        operator=operator,
        pot=pot,
        amount=amount,
        reason=reason,
        requested_by_kind=actor.kind,
        requested_by_ref=actor.ref,
        requested_at=now,
        expires_at=now + BOOST_VALID_FOR,
    )
    boost.save(force_insert=True)
    _record(
        boost,
        "jackpot.boost.requested",
        instance=instance,
        was=None,
        reason=reason,
        actor=actor,
        now=now,
    )
    return boost


@transaction.atomic
def apply_boost(
    *,
    operator: Operator,
    boost_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
    fingerprint: str | None = None,
) -> Boost:
    """
    Put the money into the pot, as somebody other than the one who asked for it.

    Joins the caller's transaction. The pot grows at once; what passes its ceiling, or the
    amount it must hit by, shows as reserve. The instance is folded before, so that no
    contribution below the horizon wins by a boost that came later: a pot that passes its
    hidden amount so drops at the next contribution. ``fingerprint`` is that of what a person
    was shown.

    :raises NotFound: if the operator has no such boost.
    :raises BoostWrongState: if it has been decided already.
    :raises SecondPersonRequired: if ``actor`` asked for it.
    :raises BoostExpired: if the request is too old.
    :raises InstanceWrongState: if the instance is no longer active.
    :raises ApprovalChanged: if it is not what was shown.
    :raises ResourceBusy: if the instance or the boost is in use; nothing was changed.
    """
    instance, boost = _lock_boost(operator=operator, boost_id=boost_id)
    _refuse_if_decided(boost)
    if _is_requester(boost, actor):
        raise SecondPersonRequired("Somebody other than who asked for the boost must apply it.")
    if boost.expires_at <= now:
        raise BoostExpired("The request has expired. Ask for the boost again.")
    _refuse_unless_active(instance)
    refuse_unless_shown(fingerprint=fingerprint, expected=fingerprint_of_boost(boost=boost))

    fold_locked(instance=instance, actor=FOLD, now=now)
    # Only now: a win, found just now too, has begun another cycle.
    pot = Pot.objects.get(pk=boost.pot_id)
    pot.opening += boost.amount
    pot.save(update_fields=["opening"])
    entry = PotEntry(
        operator=operator,
        pot=pot,
        cycle=pot.cycle,
        kind=EntryKind.BOOST,
        amount=boost.amount,
        created_at=now,
    )
    entry.save(force_insert=True)
    note_meter(pot=pot, now=now)
    boost.apply(now=now)
    _save_decision(boost, actor=actor, reason=reason)
    _record(
        boost,
        "jackpot.boost.applied",
        instance=instance,
        was=BoostStatus.REQUESTED,
        reason=reason,
        actor=actor,
        now=now,
    )
    return boost


@transaction.atomic
def reject_boost(
    *,
    operator: Operator,
    boost_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
    fingerprint: str | None = None,
) -> Boost:
    """
    Decide that the money is not put in. Joins the caller's transaction.

    Whoever asked for it may do so too: that is a withdrawal, and recorded as one. It is
    possible whatever has become of the instance, and after the request has expired.

    :raises NotFound: if the operator has no such boost.
    :raises BoostWrongState: if it has been decided already.
    :raises InvalidRequest: if no reason is given.
    :raises ApprovalChanged: if it is not what was shown (``fingerprint``).
    :raises ResourceBusy: if the instance or the boost is in use; nothing was changed.
    """
    instance, boost = _lock_boost(operator=operator, boost_id=boost_id)
    _refuse_if_decided(boost)
    if not reason:
        raise InvalidRequest.for_field("reason", "Say why: it is kept in the audit trail.")
    refuse_unless_shown(fingerprint=fingerprint, expected=fingerprint_of_boost(boost=boost))
    boost.reject(now=now)
    _save_decision(boost, actor=actor, reason=reason)
    _record(
        boost,
        "jackpot.boost.withdrawn" if _is_requester(boost, actor) else "jackpot.boost.rejected",
        instance=instance,
        was=BoostStatus.REQUESTED,
        reason=reason,
        actor=actor,
        now=now,
    )
    return boost


def fingerprint_of_boost(*, boost: Boost) -> str:
    """Return what binds a decision about the boost to what was shown of it."""
    instance = boost.pot.instance
    return fingerprint_of(
        kind="boost",
        operator_id=boost.operator_id,
        subject_type="jackpots.pot",
        subject_id=str(boost.pot_id),
        payload={
            "boost": str(boost.pk),
            "instance": str(instance.pk),
            "amount": format_amount(boost.amount, instance.currency),
            "currency": instance.currency,
            "reason": boost.reason,
            "requested_by": [str(boost.requested_by_kind), boost.requested_by_ref],
        },
    )


def _lock_boost(*, operator: Operator, boost_id: UUID) -> tuple[Instance, Boost]:
    # Which instance it belongs to never changes; everything else is read under the locks.
    found = get_boost(operator=operator, boost_id=boost_id)
    instances = Instance.objects.select_related("operator")
    instance = locks.lock_one(instances.filter(pk=found.pot.instance_id))
    boosts = Boost.objects.for_operator(operator).select_related("pot__instance")
    return instance, locks.lock_one(boosts.filter(pk=boost_id))


def _is_requester(boost: Boost, actor: Actor) -> bool:
    return (boost.requested_by_kind, boost.requested_by_ref) == (actor.kind, actor.ref)


def _refuse_if_decided(boost: Boost) -> None:
    if boost.status != BoostStatus.REQUESTED:
        raise BoostWrongState(
            f"The boost has been {boost.get_status_display().lower()} already.",
            boost_status=boost.status,
        )


def _refuse_unless_active(instance: Instance) -> None:
    if instance.status != InstanceStatus.ACTIVE:
        raise InstanceWrongState(
            f"The instance is {instance.get_status_display().lower()}:"
            " only the pots of an active one can be boosted.",
            instance_status=instance.status,
        )


def _refuse_amount(amount: Decimal, currency: str) -> None:
    if amount <= 0:
        raise InvalidRequest.for_field("amount", "It must be above 0.")
    if not has_only_minor_units(amount, get_currency(currency)):
        raise InvalidRequest.for_field(
            "amount", f"It may have no more decimals than {currency} has."
        )


def _save_decision(boost: Boost, *, actor: Actor, reason: str) -> None:
    boost.decided_by_kind = actor.kind
    boost.decided_by_ref = actor.ref
    boost.decision_reason = reason
    boost.save(
        update_fields=[
            "status",
            "decided_by_kind",
            "decided_by_ref",
            "decided_at",
            "decision_reason",
        ]
    )


def _record(
    boost: Boost,
    action: str,
    *,
    instance: Instance,
    was: BoostStatus | None,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    audit.record_action(
        operator=instance.operator,
        actor=actor,
        action=action,
        subject=boost,
        before={} if was is None else {"status": was},
        after={
            "status": boost.status,
            "instance_id": str(instance.pk),
            "pot": boost.pot.name,
            "amount": format_amount(boost.amount, instance.currency),
            "currency": instance.currency,
        },
        reason=reason,
        now=now,
    )
