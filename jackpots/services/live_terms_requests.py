"""
New terms of a running progressive, where the operator wants two people for them.

A request is bound to the terms that it would change: if others run or wait by the time that
it is decided, it is refused, so nobody approves a change of something that they did not see.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from approvals.errors import ApprovalChanged, ApprovalRequired
from approvals.models import Approval
from approvals.ports import ApprovalKind, Asked
from approvals.services.requesting import request_approval
from core import locks
from core.actors import Actor
from core.instants import tell_instant
from core.money import tell_amount
from jackpots.enums import DropType, InstanceStatus
from jackpots.models import Instance
from jackpots.services.live_terms import (
    change_live_terms,
    describe_live_pots,
    describe_wanted_pots,
    find_live_changes,
    parse_pot_terms,
    write_live_changes,
)
from jackpots.services.terms import PotTerms
from operators.models import Operator

KIND = "live_terms"
#: An instance never becomes active again after these.
_OVER = (
    InstanceStatus.CLOSING,
    InstanceStatus.DRAWN,
    InstanceStatus.CLOSED,
    InstanceStatus.CANCELLED,
)


def change_or_ask_live_terms(
    *,
    operator: Operator,
    instance_id: UUID,
    pots: Sequence[PotTerms],
    reason: str,
    actor: Actor,
    now: datetime,
) -> Instance | Approval:
    """
    Let new terms wait for the pots' next wins, or ask a second person to.

    Everything that change_live_terms raises is raised here too, but ApprovalRequired.
    """
    try:
        with transaction.atomic(durable=True):
            return change_live_terms(
                operator=operator,
                instance_id=instance_id,
                pots=pots,
                reason=reason,
                actor=actor,
                now=now,
            )
    except ApprovalRequired:
        with transaction.atomic(durable=True):
            return ask_for_live_terms(
                operator=operator,
                instance_id=instance_id,
                pots=pots,
                reason=reason,
                actor=actor,
                now=now,
            )


@transaction.atomic
def ask_for_live_terms(
    *,
    operator: Operator,
    instance_id: UUID,
    pots: Sequence[PotTerms],
    reason: str,
    actor: Actor,
    now: datetime,
) -> Approval:
    """
    Ask for new terms of the pots of an active progressive. Joins the caller's transaction.

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if it is no active progressive, or if names, shares or the
        order of its pots would change.
    :raises InvalidRequest: if the resulting terms contradict themselves, or a pot would have
        to be hit by a time that is over.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    instance = locks.lock_one(Instance.objects.for_operator(operator).filter(pk=instance_id))
    changes = find_live_changes(instance=instance, pots=pots, now=now)
    wanted = describe_wanted_pots(instance=instance, pots=pots)
    changed = [
        _sentence(terms, is_back=changes[terms["name"]][1] is None, currency=instance.currency)
        for terms in wanted
        if terms["name"] in changes
    ]
    return request_approval(
        operator=operator,
        kind=KIND,
        subject=instance,
        payload={
            "instance": instance.name,
            "currency": instance.currency,
            "before": describe_live_pots(instance=instance),
            "wanted": wanted,
        },
        summary=[f"New terms for {instance.name}", *changed],
        reason=reason,
        actor=actor,
        now=now,
    )


def _execute(*, asked: Asked, actor: Actor, now: datetime) -> str:
    instances = Instance.objects.for_operator(asked.operator)
    instance = locks.lock_one(instances.filter(pk=_instance_id_of(asked)))
    if describe_live_pots(instance=instance) != asked.payload["before"]:
        raise ApprovalChanged(_MOVED_ON)
    by_name = {terms["name"]: terms for terms in asked.payload["wanted"]}
    pots = [
        parse_pot_terms(pot=pot, terms=by_name[pot.name])
        for pot in instance.pots.order_by("position")
    ]
    changes = find_live_changes(instance=instance, pots=pots, now=now)
    write_live_changes(
        operator=asked.operator,
        instance=instance,
        changes=changes,
        reason=asked.reason,
        actor=actor,
        now=now,
    )
    return f"The terms of {', '.join(changes)} of {instance.name} wait for the next win."


def _obstacle(asked: Asked, _now: datetime) -> str:
    instance = _find_instance(asked)
    if instance.status != InstanceStatus.ACTIVE:
        status = instance.get_status_display().lower()
        return f"{instance} is {status}: only the pots of an active progressive take new terms."
    if describe_live_pots(instance=instance) != asked.payload["before"]:
        return _MOVED_ON
    return ""


def _consequences(_asked: Asked) -> list[str]:
    return [
        "Nothing of the running cycles changes: players have seen what they promise.",
        "Each pot takes its new terms when it is won next; until then they are seen to wait.",
    ]


_MOVED_ON = "Other terms run or wait by now than when this was asked for. Reject it, and ask again."


def _sentence(terms: Mapping[str, Any], *, is_back: bool, currency: str) -> str:
    name = terms["name"]
    if is_back:
        return f"{name}: it keeps the terms that run; those that wait are withdrawn."
    ceiling = terms["ceiling"]
    bound = "no ceiling" if ceiling is None else f"ceiling {_money(ceiling, currency)}"
    drop = _drop_words(terms["drop"], currency)
    return f"{name}: seed {_money(terms['seed'], currency)}, {bound}, drops {drop}."


def _drop_words(drop: Mapping[str, Any], currency: str) -> str:
    match drop["type"]:
        case DropType.MUST_HIT_BY_AMOUNT:
            return f"before it reaches {_money(drop['amount'], currency)}"
        case DropType.MUST_HIT_BY_TIME:
            return f"by {tell_instant(datetime.fromisoformat(drop['at']))}"
        case DropType.HIT_RATE:
            return f"by chance, {drop['probability']} for each unit wagered"
        case _:
            return "when somebody says so"


def _money(amount: str, currency: str) -> str:
    return tell_amount(Decimal(amount), currency)


def _ended() -> QuerySet[Instance]:
    return Instance.objects.filter(status__in=_OVER)


def _instance_id_of(asked: Asked) -> UUID:
    return UUID(asked.subject_id)


def _find_instance(asked: Asked) -> Instance:
    found = Instance.objects.for_operator(asked.operator).select_related("operator")
    return found.get(pk=_instance_id_of(asked))


LIVE_TERMS = ApprovalKind(
    name=KIND,
    title="New live terms",
    permission="jackpots.approve_live_terms",
    execute=_execute,
    obstacle=_obstacle,
    consequences=_consequences,
    ended=_ended,
)
