"""
New terms for the pots of a running progressive: they wait for each pot's next win.

Players have seen what the running cycle promises, so nothing of it changes. Only columns of
pots are written, under their instance's row; contributions are decided upon none of them.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from approvals.services.limits import refuse_live_terms_alone
from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest
from jackpots.enums import DropType, InstanceStatus
from jackpots.errors import InstanceWrongState
from jackpots.models import Instance, Pot
from jackpots.services.terms import (
    DropTerms,
    InstanceTerms,
    PotTerms,
    check_terms,
    describe_terms,
    read_terms,
)
from operators.models import Operator

#: Of each pot whose terms change, by its name: what waits now, and what is to wait.
Changes = dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]]


@transaction.atomic
def change_live_terms(
    *,
    operator: Operator,
    instance_id: UUID,
    pots: Sequence[PotTerms],
    reason: str,
    actor: Actor,
    now: datetime,
) -> Instance:
    """
    Give the pots of an active progressive other seeds, ceilings and drops.

    ``pots`` are all of them, in their order, with their names and shares. Terms that differ
    from the running ones wait for the pot's next win (``pending_terms``); terms equal to
    them withdraw those that waited. A call that changes nothing leaves no trace. Joins the
    caller's transaction.

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if it is no active progressive, or if names, shares or the
        order of its pots would change.
    :raises InvalidRequest: if the resulting terms contradict themselves, or a pot would have
        to be hit by a time that is over.
    :raises ApprovalRequired: if it takes two people (jackpots.services.live_terms_requests).
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    instance = locks.lock_one(Instance.objects.for_operator(operator).filter(pk=instance_id))
    changes = find_live_changes(instance=instance, pots=pots, now=now)
    if changes:
        refuse_live_terms_alone(operator=operator, actor=actor)
    return write_live_changes(
        operator=operator, instance=instance, changes=changes, reason=reason, actor=actor, now=now
    )


def find_live_changes(*, instance: Instance, pots: Sequence[PotTerms], now: datetime) -> Changes:
    """
    Return what of ``pots`` is to wait and does not, or waits and is not to any more.

    The caller holds the instance's row.

    :raises InstanceWrongState: if it is no active progressive, or if names, shares or the
        order of its pots would change.
    :raises InvalidRequest: if the resulting terms contradict themselves, or a pot would have
        to be hit by a time that is over.
    """
    running = read_terms(instance=instance)
    _refuse_unless_changeable(instance, running, pots)
    check_terms(terms=dataclasses.replace(running, pots=tuple(pots)))
    described = zip(
        _describe_pots(running, running.pots), _describe_pots(running, pots), strict=True
    )
    changes: Changes = {}
    for index, (pot, (is_now, wanted)) in enumerate(
        zip(instance.pots.order_by("position"), described, strict=True)
    ):
        pending = None if wanted == is_now else wanted
        if pending == pot.pending_terms:
            continue
        if pending is not None:
            _refuse_past(index, pots[index], now=now)
        changes[pot.name] = (pot.pending_terms, pending)
    return changes


@transaction.atomic
def write_live_changes(
    *,
    operator: Operator,
    instance: Instance,
    changes: Changes,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Instance:
    """Let what was found wait, or wait no more, whoever decided it; nothing for no changes."""
    for pot in instance.pots.filter(name__in=changes).order_by("position"):
        pot.pending_terms = changes[pot.name][1]
        pot.save(update_fields=["pending_terms"])
    if changes:
        audit.record_action(
            operator=operator,
            actor=actor,
            action="jackpot.instance.pending_terms_changed",
            subject=instance,
            before={"pending_terms": {name: before for name, (before, _) in changes.items()}},
            after={"pending_terms": {name: after for name, (_, after) in changes.items()}},
            reason=reason,
            now=now,
        )
    return instance


def describe_live_pots(*, instance: Instance) -> list[dict[str, Any]]:
    """Return the running terms of each pot and those that wait: what a change begins with."""
    running = read_terms(instance=instance)
    rows = zip(
        instance.pots.order_by("position"), _describe_pots(running, running.pots), strict=True
    )
    return [
        {"name": pot.name, "running": terms, "pending": pot.pending_terms} for pot, terms in rows
    ]


def describe_wanted_pots(*, instance: Instance, pots: Sequence[PotTerms]) -> list[dict[str, Any]]:
    """Return what is wanted of each pot, as pending_terms keeps it, with its name."""
    described = _describe_pots(read_terms(instance=instance), pots)
    return [{"name": pot.name, **terms} for pot, terms in zip(pots, described, strict=True)]


def read_pending_terms(*, pot: Pot) -> PotTerms | None:
    """Return the terms of the pot from its next win on, if other ones wait for it."""
    return None if pot.pending_terms is None else parse_pot_terms(pot=pot, terms=pot.pending_terms)


def parse_pot_terms(*, pot: Pot, terms: Mapping[str, Any]) -> PotTerms:
    """Return terms of the pot as they are stored: amounts and instants as text."""
    drop = terms["drop"]
    at = drop.get("at")
    return PotTerms(
        name=pot.name,
        share=pot.share,
        seed=Decimal(terms["seed"]),
        ceiling=_number(terms.get("ceiling")),
        drop=DropTerms(
            type=DropType(drop["type"]),
            amount=_number(drop.get("amount")),
            at=None if at is None else datetime.fromisoformat(at),
            probability=_number(drop.get("probability")),
        ),
    )


def _refuse_unless_changeable(
    instance: Instance, running: InstanceTerms, pots: Sequence[PotTerms]
) -> None:
    status = instance.get_status_display().lower()
    if instance.is_raffle or instance.status != InstanceStatus.ACTIVE:
        raise InstanceWrongState(
            f"The instance is {status}: only pots of an active progressive take new terms.",
            instance_status=instance.status,
        )
    fixed = [(pot.name, pot.share) for pot in running.pots]
    if [(pot.name, pot.share) for pot in pots] != fixed:
        raise InstanceWrongState(
            f"The instance is {status}: its pots, their names, shares and order, are fixed.",
            instance_status=instance.status,
        )


def _refuse_past(index: int, pot: PotTerms, *, now: datetime) -> None:
    if pot.drop.at is not None and pot.drop.at <= now:
        raise InvalidRequest.for_field(f"pots/{index}/drop/at", "It must be in the future.")


def _describe_pots(terms: InstanceTerms, pots: Sequence[PotTerms]) -> list[dict[str, Any]]:
    """Return what can change of the pots, as it is stored: amounts and instants as strings."""
    described = describe_terms(terms=dataclasses.replace(terms, pots=tuple(pots)))
    return [{name: pot[name] for name in ("seed", "ceiling", "drop")} for pot in described["pots"]]


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
