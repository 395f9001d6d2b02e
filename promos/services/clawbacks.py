"""
Taking another amount than the rule says, when it is more than one person of staff may take.

It is asked for instead, and taken once a second person approves it: exactly the amount that
was asked for, or nothing.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from approvals.errors import ApprovalRequired
from approvals.models import Approval
from approvals.ports import ApprovalKind, Asked
from approvals.services.requesting import request_approval
from core.actors import Actor
from core.money import format_amount, tell_amount
from operators.models import Operator
from promos.enums import CLOSED_STATUSES
from promos.models import UserPromo
from promos.services import endings
from wallets.selectors import get_balances

KIND = "clawback"
_ZERO = Decimal(0)


def cancel_or_ask(
    *,
    operator: Operator,
    user_promo_id: UUID,
    reason: str,
    custom_decrease_amount: Decimal | None,
    actor: Actor,
    now: datetime,
) -> UserPromo | Approval:
    """
    Cancel the claim, or ask a second person to, if it is more than ``actor`` may take alone.

    Everything that cancel_user_promo raises is raised here too, but ApprovalRequired.
    """
    try:
        with transaction.atomic(durable=True):
            return endings.cancel_user_promo(
                operator=operator,
                user_promo_id=user_promo_id,
                reason=reason,
                custom_decrease_amount=custom_decrease_amount,
                actor=actor,
                now=now,
            )
    except ApprovalRequired:
        assert custom_decrease_amount is not None, "the rule takes what it takes"
        with transaction.atomic(durable=True):
            return ask_for_clawback(
                operator=operator,
                user_promo_id=user_promo_id,
                amount=custom_decrease_amount,
                reason=reason,
                actor=actor,
                now=now,
            )


@transaction.atomic(savepoint=False)
def ask_for_clawback(
    *,
    operator: Operator,
    user_promo_id: UUID,
    amount: Decimal,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Approval:
    """
    Ask for a claim to be cancelled and ``amount`` of the bonus's currency to be taken.

    Joins the caller's transaction. Nothing of the claim changes. What could not be taken now
    is not asked for either.

    :raises NotFound: if the operator has no such claim.
    :raises UserPromoClosed: if it has ended, or its time is up.
    :raises InvalidRequest: if the amount has more decimals than the currency.
    :raises CustomDecreaseTooLarge: if it is more than the main balance, or if no bonus has
        been given that something could be taken of.
    :raises ResourceBusy: if the claim or the account is in use; nothing was changed.
    """
    claim = endings.lock_claim_to_cancel(operator=operator, user_promo_id=user_promo_id, now=now)
    endings.refuse_decrease(user_promo=claim, amount=amount)
    currency, player = claim.bonus_currency, claim.player.reference
    told = tell_amount(amount, currency)
    given = tell_amount(claim.bonus_amount or _ZERO, currency)
    return request_approval(
        operator=operator,
        kind=KIND,
        subject=claim,
        payload={
            "code": claim.code,
            "player_id": player,
            "amount": format_amount(amount, currency),
            "currency": currency,
        },
        summary=[
            f"Cancel {claim.code} of {player} and take {told}",
            f"The bonus was {given}. The amount is one of choice, not what the rule would take.",
        ],
        amount=amount,
        currency=currency,
        reason=reason,
        actor=actor,
        now=now,
    )


def _execute(*, asked: Asked, actor: Actor, now: datetime) -> str:
    claim = endings.lock_claim_to_cancel(
        operator=asked.operator, user_promo_id=UUID(asked.subject_id), now=now
    )
    claim = endings.cancel_locked_claim(
        user_promo=claim,
        reason=asked.reason,
        custom_decrease_amount=Decimal(asked.payload["amount"]),
        actor=actor,
        now=now,
    )
    assert claim.clawback_amount is not None, "an ended claim says what was taken"
    taken = tell_amount(claim.clawback_amount, claim.bonus_currency)
    return f"{claim.code} of {claim.player.reference} was cancelled. {taken} was taken."


def _obstacle(asked: Asked, now: datetime) -> str:
    claim = _claim_of(asked)
    if not claim.is_open:
        return f"The claim has ended meanwhile: it is {claim.get_status_display().lower()}."
    if claim.is_overdue(now=now):
        return "The claim's time is up: it expires within a minute, by the rule."
    balance = _main_balance(claim)
    if Decimal(asked.payload["amount"]) > balance:
        told = tell_amount(balance, claim.bonus_currency)
        return f"The main balance holds {told} now, which is less than was asked for."
    return ""


def _consequences(asked: Asked) -> list[str]:
    claim = _claim_of(asked)
    payload, currency = asked.payload, claim.bonus_currency
    player = claim.player.reference
    asked_for = tell_amount(Decimal(payload["amount"]), payload["currency"])
    held = tell_amount(_main_balance(claim), currency)
    return [
        (
            f"{asked_for} is taken from the main balance of {player}, which holds {held} at this"
            " instant."
        ),
        f"The claim of {claim.code} ends for good, and {player} cannot claim it again.",
        "Restrictions by the promo end with it, unless a withdrawal lock runs.",
    ]


def _ended() -> QuerySet[UserPromo]:
    return UserPromo.objects.filter(status__in=CLOSED_STATUSES)


def _claim_of(asked: Asked) -> UserPromo:
    found = UserPromo.objects.for_operator(asked.operator).select_related("player")
    return found.get(pk=asked.subject_id)


def _main_balance(claim: UserPromo) -> Decimal:
    balances = get_balances(player=claim.player)
    return sum((each.main for each in balances if each.currency == claim.bonus_currency), _ZERO)


CLAWBACK = ApprovalKind(
    name=KIND,
    title="Custom clawback",
    permission="promos.approve_clawback",
    execute=_execute,
    obstacle=_obstacle,
    consequences=_consequences,
    ended=_ended,
)
