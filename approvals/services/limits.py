"""What one person of staff may do alone, and the refusal of the rest."""

from datetime import datetime
from decimal import Decimal

from approvals.enums import Limit
from approvals.errors import ApprovalRequired
from approvals.selectors import get_limit, get_settings, is_worth_more
from core.actors import Actor, ActorKind
from core.money import tell_amount
from operators.models import Operator


def refuse_alone_above(
    *,
    operator: Operator,
    limit: Limit,
    amount: Decimal,
    currency: str,
    actor: Actor,
    now: datetime,
) -> None:
    """
    Do nothing if ``actor`` may do alone what is worth so much.

    Only staff need a second person: an API key is the operator's own system, which has rules
    of its own.

    :raises ApprovalRequired: if it is worth more than the operator's limit, or if nobody
        knows what it is worth.
    """
    if actor.kind != ActorKind.STAFF:
        return
    above = get_limit(operator=operator, limit=limit)
    if above is None:
        return
    is_above = is_worth_more(
        operator=operator, amount=amount, currency=currency, than=above, now=now
    )
    base = operator.base_currency
    if is_above is None:
        raise ApprovalRequired(
            f"What {tell_amount(amount, currency)} is worth in {base} is not known, so it"
            " takes a second person."
        )
    if is_above:
        raise ApprovalRequired(
            f"{tell_amount(amount, currency)} is above {tell_amount(above, base)}, so it takes"
            " a second person."
        )


def refuse_live_terms_alone(*, operator: Operator, actor: Actor) -> None:
    """
    Do nothing if ``actor`` may give a running jackpot new terms alone.

    :raises ApprovalRequired: if the operator wants two people for it, and a member of staff
        asks.
    """
    if actor.kind == ActorKind.STAFF and get_settings(operator=operator).live_terms:
        raise ApprovalRequired("New terms of a running jackpot take a second person.")
