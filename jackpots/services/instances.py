"""
The life of an instance, from draft to closing.

A contribution is decided upon the instance's terms, status and pause without locking its
row; it holds the instance's advisory lock shared while it is written and asks for the
``revision`` again. So each change here takes that lock exclusively first and moves the
revision: a contribution is wholly before a change or decided anew after it.
"""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from core import audit, locks
from core.actors import Actor
from core.instants import format_instant
from core.locks import AdvisoryLock
from jackpots.enums import InstanceStatus, Recurrence
from jackpots.errors import InstanceWrongState
from jackpots.models import Instance, Pot, Prize
from jackpots.rules.recurrence import period_end
from jackpots.services import pots
from jackpots.services.commitments import commit_to_draw
from jackpots.services.live_terms import change_live_terms
from jackpots.services.terms import (
    InstanceTerms,
    build_columns,
    build_pots,
    build_prizes,
    check_terms,
    describe_terms,
    read_terms,
)
from operators.models import Operator


@transaction.atomic(durable=True)
def create_instance(
    *, operator: Operator, terms: InstanceTerms, actor: Actor, now: datetime
) -> Instance:
    """
    Create a draft: it takes no contributions until it is activated.

    :raises InvalidRequest: if the terms contradict themselves; it names every field.
    """
    check_terms(terms=terms)
    instance = Instance(operator=operator, created_at=now, **build_columns(terms=terms))
    instance.save(force_insert=True)
    Pot.objects.bulk_create(build_pots(instance=instance, terms=terms))
    Prize.objects.bulk_create(build_prizes(instance=instance, terms=terms))
    audit.record_action(
        operator=operator,
        actor=actor,
        action="jackpot.instance.created",
        subject=instance,
        after=describe_terms(terms=terms),
        now=now,
    )
    return instance


@transaction.atomic(durable=True)
def update_instance(
    *,
    operator: Operator,
    instance_id: UUID,
    changes: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> Instance:
    """
    Replace those terms of a draft that ``changes`` names (members of InstanceTerms).

    Pots and prizes are replaced as a whole. The result is checked as if it had been
    created so. A call that changes nothing leaves no trace.

    Of an active progressive only ``pots`` can be given: seeds, ceilings and drops then wait
    for each pot's next win (jackpots.services.live_terms).

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if the instance is no longer a draft, and nothing of it can wait.
    :raises InvalidRequest: if the resulting terms contradict themselves.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    instance = lock_instance(operator=operator, instance_id=instance_id)
    if instance.status == InstanceStatus.ACTIVE and changes.keys() == {"pots"}:
        return change_live_terms(
            operator=operator,
            instance_id=instance_id,
            pots=changes["pots"],
            reason="",
            actor=actor,
            now=now,
        )
    if instance.status != InstanceStatus.DRAFT:
        raise _wrong_state(instance, "only the terms of a draft can be changed")
    before = read_terms(instance=instance)
    after = dataclasses.replace(before, **changes)
    check_terms(terms=after)
    if after == before:
        return instance

    columns = build_columns(terms=after)
    for name, value in columns.items():
        setattr(instance, name, value)
    instance.revision += 1
    instance.save(update_fields=[*columns, "revision"])
    if after.pots != before.pots:
        instance.pots.all().delete()
        Pot.objects.bulk_create(build_pots(instance=instance, terms=after))
    if after.prizes != before.prizes:
        instance.prizes.all().delete()
        Prize.objects.bulk_create(build_prizes(instance=instance, terms=after))

    was, will_be = describe_terms(terms=before), describe_terms(terms=after)
    changed = [name for name in will_be if was[name] != will_be[name]]
    audit.record_action(
        operator=operator,
        actor=actor,
        action="jackpot.instance.updated",
        subject=instance,
        before={name: was[name] for name in changed},
        after={name: will_be[name] for name in changed},
        now=now,
    )
    return instance


@transaction.atomic(durable=True)
def activate_instance(
    *, operator: Operator, instance_id: UUID, reason: str, actor: Actor, now: datetime
) -> Instance:
    """
    Open a draft for contributions and fix its terms; its schedule is obeyed all the same.

    The pots get their seeds and hidden triggers, a raffle its draw's commitment. A
    recurring raffle that says not when it closes, closes at the end of its local day,
    week or month.

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if the instance is not a draft.
    :raises InvalidRequest: if its terms are none that a draft could be made with by now.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    instance = lock_instance(operator=operator, instance_id=instance_id)
    if instance.status != InstanceStatus.DRAFT:
        raise _wrong_state(instance, "only a draft can be activated")
    # It may have been drafted when more was taken.
    check_terms(terms=read_terms(instance=instance))
    was = instance.status
    if instance.is_raffle and instance.recurrence:
        instance.closes_at = first_closing(instance=instance, now=now)
        instance.series_closes_at = instance.closes_at
    open_locked(instance=instance, now=now)
    _record_move(
        instance, "jackpot.instance.activated", was=was, reason=reason, actor=actor, now=now
    )
    return instance


@transaction.atomic(savepoint=False)
def open_locked(*, instance: Instance, now: datetime) -> None:
    """
    Activate a draft, fill its pots and commit to its draw. Joins the caller's transaction.

    The caller holds the instance's row, or has just written it.
    """
    instance.activate(now=now)
    _save_move(instance, "activated_at", "closes_at", "series_closes_at")
    pots.open_pots(instance=instance, now=now)
    if instance.is_raffle:
        commit_to_draw(instance=instance, now=now)


def first_closing(*, instance: Instance, now: datetime) -> datetime:
    """Return when the first run of a recurring raffle closes, if it opens ``now``."""
    if instance.closes_at is not None:
        return instance.closes_at
    opens_at = now if instance.opens_at is None else max(now, instance.opens_at)
    return period_end(opens_at, Recurrence(instance.recurrence), timezone=instance.timezone)


@transaction.atomic(durable=True)
def cancel_instance(
    *, operator: Operator, instance_id: UUID, reason: str, actor: Actor, now: datetime
) -> Instance:
    """
    Give up a draft. What has been active may hold money, so it is closed instead.

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if the instance is not a draft.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    instance = lock_instance(operator=operator, instance_id=instance_id)
    if instance.status != InstanceStatus.DRAFT:
        raise _wrong_state(instance, "only a draft can be cancelled")
    was = instance.status
    instance.cancel(now=now)
    _save_move(instance, "cancelled_at")
    _record_move(
        instance, "jackpot.instance.cancelled", was=was, reason=reason, actor=actor, now=now
    )
    return instance


@transaction.atomic(durable=True)
def close_instance(
    *, operator: Operator, instance_id: UUID, reason: str, actor: Actor, now: datetime
) -> Instance:
    """
    Take no more contributions. When this returns, none is under way any more.

    A pause stays on the row, to tell later why the instance stood still at its end.

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if the instance is not active.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    instance = lock_instance(operator=operator, instance_id=instance_id)
    if instance.status != InstanceStatus.ACTIVE:
        raise _wrong_state(instance, "only an active instance can be closed")
    close_locked(instance=instance, reason=reason, actor=actor, now=now)
    return instance


@transaction.atomic(savepoint=False)
def close_locked(*, instance: Instance, reason: str, actor: Actor, now: datetime) -> None:
    """
    Take no more contributions to an active instance. Joins the caller's transaction.

    The caller has locked the instance (``lock_instance``), so none is under way any more.
    """
    was = instance.status
    instance.close(now=now)
    _save_move(instance, "closing_at")
    _record_move(instance, "jackpot.instance.closed", was=was, reason=reason, actor=actor, now=now)


@transaction.atomic(durable=True)
def pause_instance(
    *, operator: Operator, instance_id: UUID, reason: str, actor: Actor, now: datetime
) -> Instance:
    """
    Let nothing accrue until the instance is resumed. ``reason`` is shown with the pause.

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if the instance is not active, or paused already.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    assert reason, "a pause has a reason"
    instance = lock_instance(operator=operator, instance_id=instance_id)
    if instance.status != InstanceStatus.ACTIVE:
        raise _wrong_state(instance, "only an active instance can be paused")
    if instance.is_paused:
        raise _wrong_state(instance, "it is paused already")
    _save_pause(instance, paused_at=now, paused_reason=reason)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="jackpot.instance.paused",
        subject=instance,
        before={"paused_at": None, "paused_reason": ""},
        after={"paused_at": format_instant(now), "paused_reason": reason},
        reason=reason,
        now=now,
    )
    return instance


@transaction.atomic(durable=True)
def resume_instance(
    *, operator: Operator, instance_id: UUID, reason: str, actor: Actor, now: datetime
) -> Instance:
    """
    End a pause.

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if the instance is not active, or not paused.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    instance = lock_instance(operator=operator, instance_id=instance_id)
    if instance.status != InstanceStatus.ACTIVE:
        raise _wrong_state(instance, "only an active instance can be resumed")
    if instance.paused_at is None:
        raise _wrong_state(instance, "it is not paused")
    before = {
        "paused_at": format_instant(instance.paused_at),
        "paused_reason": instance.paused_reason,
    }
    _save_pause(instance, paused_at=None, paused_reason="")
    audit.record_action(
        operator=operator,
        actor=actor,
        action="jackpot.instance.resumed",
        subject=instance,
        before=before,
        after={"paused_at": None, "paused_reason": ""},
        reason=reason,
        now=now,
    )
    return instance


@transaction.atomic
def lock_instance(*, operator: Operator, instance_id: UUID) -> Instance:
    """
    Wait for the contributions under way, keep new ones out, lock the row and return it.

    Joins the caller's transaction, at whose end both locks are released. Whoever changes
    what a contribution depends on calls this first, and moves ``revision``.

    :raises NotFound: if the operator has no such instance.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    locks.lock_exclusively(AdvisoryLock.INSTANCE, instance_id)
    return locks.lock_one(Instance.objects.for_operator(operator).filter(pk=instance_id))


def _wrong_state(instance: Instance, rule: str) -> InstanceWrongState:
    return InstanceWrongState(
        f"The instance is {instance.get_status_display().lower()}: {rule}.",
        instance_status=instance.status,
    )


def _save_move(instance: Instance, *instant_fields: str) -> None:
    instance.revision += 1
    instance.save(update_fields=["status", *instant_fields, "revision"])


def _save_pause(instance: Instance, *, paused_at: datetime | None, paused_reason: str) -> None:
    instance.paused_at = paused_at
    instance.paused_reason = paused_reason
    instance.revision += 1
    instance.save(update_fields=["paused_at", "paused_reason", "revision"])


def _record_move(
    instance: Instance, action: str, *, was: str, reason: str, actor: Actor, now: datetime
) -> None:
    audit.record_action(
        operator=instance.operator,
        actor=actor,
        action=action,
        subject=instance,
        before={"status": was},
        after={"status": instance.status},
        reason=reason,
        now=now,
    )
