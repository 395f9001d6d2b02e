"""
New terms for the pots of a running progressive: they wait for each pot's next win.

Players have seen what the running cycle promises, so nothing of it changes. Only columns of
pots are written, under their instance's row; contributions are decided upon none of them.
"""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

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
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    instance = locks.lock_one(Instance.objects.for_operator(operator).filter(pk=instance_id))
    running = read_terms(instance=instance)
    _refuse_unless_changeable(instance, running, pots)
    check_terms(terms=dataclasses.replace(running, pots=tuple(pots)))

    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    described = zip(
        _describe_pots(running, running.pots), _describe_pots(running, pots), strict=True
    )
    for index, (pot, (is_now, wanted)) in enumerate(
        zip(instance.pots.order_by("position"), described, strict=True)
    ):
        pending = None if wanted == is_now else wanted
        if pending == pot.pending_terms:
            continue
        if pending is not None:
            _refuse_past(index, pots[index], now=now)
        before[pot.name], after[pot.name] = pot.pending_terms, pending
        pot.pending_terms = pending
        pot.save(update_fields=["pending_terms"])
    if after:
        audit.record_action(
            operator=operator,
            actor=actor,
            action="jackpot.instance.pending_terms_changed",
            subject=instance,
            before={"pending_terms": before},
            after={"pending_terms": after},
            reason=reason,
            now=now,
        )
    return instance


def read_pending_terms(*, pot: Pot) -> PotTerms | None:
    """Return the terms of the pot from its next win on, if other ones wait for it."""
    if pot.pending_terms is None:
        return None
    terms, drop = pot.pending_terms, pot.pending_terms["drop"]
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
