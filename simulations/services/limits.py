"""The limits of terms: made, changed and removed by staff."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from psycopg.errors import UniqueViolation

from core import audit, locks
from core.actors import Actor
from core.money import format_decimal
from operators.models import Operator
from simulations.errors import TermsLimitsTaken
from simulations.models import TermsLimits


@transaction.atomic(durable=True)
def add_terms_limits(
    *,
    operator: Operator,
    label: str,
    wagering_multiple_max: Decimal,
    reason: str,
    actor: Actor,
    now: datetime,
) -> TermsLimits:
    """
    Say what terms may ask for in one market.

    :raises TermsLimitsTaken: if the operator has limits of that label.
    """
    limits = TermsLimits(
        operator=operator,
        label=label,
        wagering_multiple_max=wagering_multiple_max,
        created_at=now,
    )
    try:
        limits.save(force_insert=True)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise TermsLimitsTaken(f"There are limits for {label} already: change those.") from error
    _record(limits, "added", after=_described(limits), reason=reason, actor=actor, now=now)
    return limits


@transaction.atomic(durable=True)
def change_terms_limits(
    *,
    operator: Operator,
    limits_id: UUID,
    wagering_multiple_max: Decimal,
    reason: str,
    actor: Actor,
    now: datetime,
) -> TermsLimits:
    """
    Change what terms may ask for in one market; a call that changes nothing leaves no trace.

    :raises NotFound: if the operator has no such limits.
    :raises ResourceBusy: if they are in use; nothing was changed.
    """
    limits = _lock(operator, limits_id)
    if limits.wagering_multiple_max == wagering_multiple_max:
        return limits
    before = _described(limits)
    limits.wagering_multiple_max = wagering_multiple_max
    limits.save(update_fields=["wagering_multiple_max"])
    _record(
        limits,
        "changed",
        before=before,
        after=_described(limits),
        reason=reason,
        actor=actor,
        now=now,
    )
    return limits


@transaction.atomic(durable=True)
def remove_terms_limits(
    *, operator: Operator, limits_id: UUID, reason: str, actor: Actor, now: datetime
) -> None:
    """
    Warn of one market no more; the audit trail keeps what its limits were.

    :raises NotFound: if the operator has no such limits.
    :raises ResourceBusy: if they are in use; nothing was changed.
    """
    limits = _lock(operator, limits_id)
    _record(limits, "removed", before=_described(limits), reason=reason, actor=actor, now=now)
    limits.delete()


def _lock(operator: Operator, limits_id: UUID) -> TermsLimits:
    limits = locks.lock_one(TermsLimits.objects.for_operator(operator).filter(pk=limits_id))
    limits.operator = operator
    return limits


def _described(limits: TermsLimits) -> dict[str, Any]:
    return {
        "label": limits.label,
        "wagering_multiple_max": format_decimal(limits.wagering_multiple_max),
    }


def _record(
    limits: TermsLimits,
    move: str,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record_action(
        operator=limits.operator,
        actor=actor,
        action=f"simulation.limits.{move}",
        subject=limits,
        before=before,
        after=after,
        reason=reason,
        now=now,
    )
