"""
Disagreements with platforms: opened by machines, fixed by a later look, explained by staff.

A discrepancy never changes a grant: only a platform's event does (bonuses.services.state_sync).
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from bonuses.enums import DiscrepancyKind, DiscrepancyStatus
from bonuses.errors import DiscrepancyClosed
from bonuses.models import BonusGrant, Discrepancy
from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest
from operators.models import Operator

DETAIL_LENGTH_MAX = 500
EXPLANATION_LENGTH_MAX = 500


@transaction.atomic(savepoint=False)
def open_discrepancy(
    *, grant: BonusGrant, kind: DiscrepancyKind, detail: str, now: datetime
) -> Discrepancy:
    """
    Note a disagreement about a grant, which the caller holds locked or has just written.

    One that is open already, or that was explained in the same words, is seen once more:
    what staff said may stay is not brought up again every day. Joins the caller's transaction.
    """
    detail = detail[:DETAIL_LENGTH_MAX]
    known = Discrepancy.objects.filter(grant=grant, kind=kind).filter(
        Q(status=DiscrepancyStatus.OPEN) | Q(status=DiscrepancyStatus.EXPLAINED, detail=detail)
    )
    newest = known.order_by("-pk").first()
    if newest is not None:
        # The status again: staff explain one without holding the grant.
        seen = known.filter(pk=newest.pk, status=newest.status)
        if seen.update(seen_count=F("seen_count") + 1, last_seen_at=now, detail=detail):
            return Discrepancy.objects.get(pk=newest.pk)
    return Discrepancy.objects.create(
        operator_id=grant.operator_id,
        grant=grant,
        kind=kind,
        detail=detail,
        opened_at=now,
        last_seen_at=now,
    )


@transaction.atomic(savepoint=False)
def fix_discrepancies(*, grant: BonusGrant, kinds: list[DiscrepancyKind], now: datetime) -> int:
    """Close what is open of those kinds about a grant: a look found no such disagreement."""
    return Discrepancy.objects.filter(
        grant=grant, kind__in=kinds, status=DiscrepancyStatus.OPEN
    ).update(status=DiscrepancyStatus.FIXED, closed_at=now)


@transaction.atomic(durable=True)
def explain_discrepancy(
    *, operator: Operator, discrepancy_id: Any, reason: str, actor: Actor, now: datetime
) -> Discrepancy:
    """
    Close an open discrepancy with the reason why it may stay.

    :raises NotFound: if the operator has no such discrepancy.
    :raises InvalidRequest: if there is no reason.
    :raises DiscrepancyClosed: if it is not open any more.
    :raises ResourceBusy: if it is in use; nothing was changed.
    """
    discrepancy = locks.lock_one(
        Discrepancy.objects.for_operator(operator).filter(pk=discrepancy_id)
    )
    if not reason.strip():
        raise InvalidRequest.for_field("reason", "Say why it may stay.")
    if discrepancy.status != DiscrepancyStatus.OPEN:
        raise DiscrepancyClosed("The discrepancy is not open any more.")
    discrepancy.status = DiscrepancyStatus.EXPLAINED
    discrepancy.explanation = reason.strip()[:EXPLANATION_LENGTH_MAX]
    discrepancy.closed_at = now
    discrepancy.save(update_fields=["status", "explanation", "closed_at"])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="bonus.discrepancy.explained",
        subject=discrepancy,
        before={"status": str(DiscrepancyStatus.OPEN)},
        after={"status": str(DiscrepancyStatus.EXPLAINED), "grant_id": str(discrepancy.grant_id)},
        reason=discrepancy.explanation,
        now=now,
    )
    return discrepancy
