"""
How claims end before their target: cancelled, or expired, with or without a clawback.

Whoever ends a claim holds its row. What is taken back is the bonus, if the target is not
met, and never more than the main balance holds; the rest is recorded as the shortfall.
"""

import logging
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from approvals.enums import Limit
from approvals.services.limits import refuse_alone_above
from core import audit, locks, money
from core.actors import Actor
from core.errors import InvalidRequest, ResourceBusy
from operators.models import Operator
from promos import rules
from promos.errors import CustomDecreaseTooLarge, UserPromoClosed
from promos.models import UserPromo
from promos.services import announcements, payments

logger = logging.getLogger(__name__)

_ZERO = Decimal(0)


@transaction.atomic(savepoint=False)
def cancel_user_promo(
    *,
    operator: Operator,
    user_promo_id: UUID,
    reason: str,
    custom_decrease_amount: Decimal | None,
    actor: Actor,
    now: datetime,
) -> UserPromo:
    """
    Cancel an open claim, and take its bonus back unless the target is met.

    ``custom_decrease_amount`` (in the bonus's currency) takes exactly that much instead,
    0 nothing at all. Joins the caller's transaction.

    :raises NotFound: if the operator has no such claim.
    :raises UserPromoClosed: if it has ended, or its time is up.
    :raises InvalidRequest: if the custom amount has more decimals than the currency.
    :raises CustomDecreaseTooLarge: if it is more than the main balance, or if no bonus has
        been given that something could be taken of.
    :raises ApprovalRequired: if it is more than staff may take alone (promos.services.clawbacks).
    :raises ResourceBusy: if the claim or the account is in use; nothing was changed.
    """
    user_promo = lock_claim_to_cancel(operator=operator, user_promo_id=user_promo_id, now=now)
    if custom_decrease_amount is not None:
        refuse_alone_above(
            operator=operator,
            limit=Limit.CLAWBACK,
            amount=custom_decrease_amount,
            currency=user_promo.bonus_currency,
            actor=actor,
            now=now,
        )
    return cancel_locked_claim(
        user_promo=user_promo,
        reason=reason,
        custom_decrease_amount=custom_decrease_amount,
        actor=actor,
        now=now,
    )


def lock_claim_to_cancel(*, operator: Operator, user_promo_id: UUID, now: datetime) -> UserPromo:
    """
    Lock an open claim and return it.

    :raises NotFound: if the operator has no such claim.
    :raises UserPromoClosed: if it has ended, or its time is up.
    :raises ResourceBusy: if the claim is in use.
    """
    found = UserPromo.objects.for_operator(operator).filter(pk=user_promo_id)
    user_promo = locks.lock_one(found.select_related("player"))
    user_promo.operator = operator
    if not user_promo.is_open or user_promo.is_overdue(now=now):
        status = "EXPIRED" if user_promo.is_open else user_promo.status
        raise UserPromoClosed("The claim has ended.", user_promo_status=status)
    return user_promo


@transaction.atomic(savepoint=False)
def cancel_locked_claim(
    *,
    user_promo: UserPromo,
    reason: str,
    custom_decrease_amount: Decimal | None,
    actor: Actor,
    now: datetime,
) -> UserPromo:
    """
    Cancel a claim that the caller holds locked, whoever may take how much.

    :raises InvalidRequest: if the custom amount has more decimals than the currency.
    :raises CustomDecreaseTooLarge: if it is more than the main balance, or if no bonus has
        been given that something could be taken of.
    :raises ResourceBusy: if the account is in use; nothing was changed.
    """
    before = _described(user_promo)
    if custom_decrease_amount is None:
        taken, shortfall = _due_by_rule(user_promo)
    else:
        refuse_decrease(user_promo=user_promo, amount=custom_decrease_amount)
        taken, shortfall = custom_decrease_amount, _ZERO
    user_promo.cancel(now=now)
    _finish(user_promo, "cancelled_at", taken=taken, shortfall=shortfall, now=now)
    _record(user_promo, "cancelled", before=before, reason=reason, actor=actor, now=now)
    return user_promo


@transaction.atomic(savepoint=False)
def cancel_below_floor(*, user_promo: UserPromo, actor: Actor, now: datetime) -> UserPromo:
    """Cancel a claim, which the caller holds locked, whose first deposit was too small."""
    before = _described(user_promo)
    user_promo.cancel(now=now)
    _finish(user_promo, "cancelled_at", taken=_ZERO, shortfall=_ZERO, now=now)
    reason = "The first deposit was below the promo's minimum."
    _record(user_promo, "cancelled", before=before, reason=reason, actor=actor, now=now)
    return user_promo


@transaction.atomic(savepoint=False)
def expire_user_promo(*, user_promo: UserPromo, actor: Actor, now: datetime) -> UserPromo:
    """Expire a claim, which the caller holds locked and which is due, with its clawback."""
    assert user_promo.is_overdue(now=now), f"{user_promo} is not due"
    before = _described(user_promo)
    taken, shortfall = _due_by_rule(user_promo)
    user_promo.expire(now=now)
    _finish(user_promo, "expired_at", taken=taken, shortfall=shortfall, now=now)
    _record(user_promo, "expired", before=before, reason="", actor=actor, now=now)
    return user_promo


def expire_due_user_promos(*, now: datetime, limit: int, actor: Actor) -> int:
    """
    Expire up to ``limit`` claims whose time is up, oldest first; return how many were.

    Each has its own transaction. One that is in use is being decided by whoever holds it,
    and one that cannot be expired never holds up the others.
    """
    due = UserPromo.objects.due(now=now).order_by("due_at", "pk")
    expired_count = 0
    for user_promo_id in list(due.values_list("pk", flat=True)[:limit]):
        try:
            expired_count += _expire_if_still_due(user_promo_id, actor=actor, now=now)
        except ResourceBusy:
            logger.info("user promo %s is in use; left for the next run", user_promo_id)
        except Exception:
            # The sweep goes oldest first: one bad row would stop every later run.
            logger.exception("user promo %s could not be expired", user_promo_id)
    return expired_count


@transaction.atomic(durable=True)
def _expire_if_still_due(user_promo_id: UUID, *, actor: Actor, now: datetime) -> bool:
    due = UserPromo.objects.due(now=now).filter(pk=user_promo_id)
    for user_promo in locks.lock_many_skipping(due.select_related("operator", "player")):
        expire_user_promo(user_promo=user_promo, actor=actor, now=now)
        return True
    return False


def _due_by_rule(user_promo: UserPromo) -> tuple[Decimal, Decimal]:
    """Return what is to be taken, and what is due but not there."""
    due = rules.due_to_claw_back(
        bonus_amount=user_promo.bonus_amount,
        wagered_usd=user_promo.wagered_usd_amount,
        target_usd=user_promo.target_usd_amount,
    )
    if due == 0:
        return _ZERO, _ZERO
    balance = payments.lock_main_balance(operator=user_promo.operator, user_promo=user_promo)
    taken = min(due, balance)
    return taken, due - taken


def refuse_decrease(*, user_promo: UserPromo, amount: Decimal) -> None:
    """
    Do nothing if so much can be taken of a claim, which the caller holds locked.

    Locks the player's account.

    :raises InvalidRequest: if the amount has more decimals than the currency.
    :raises CustomDecreaseTooLarge: if it is more than the main balance, or if no bonus has
        been given that something could be taken of.
    :raises ResourceBusy: if the account is in use.
    """
    currency = money.get_currency(user_promo.bonus_currency)
    if not money.has_only_minor_units(amount, currency):
        raise InvalidRequest.for_field(
            "custom_decrease_amount", f"{currency.code} has {currency.decimals} decimals."
        )
    if amount == 0:
        return
    if user_promo.bonus_amount is None:
        raise CustomDecreaseTooLarge("No bonus has been given, so nothing can be taken.")
    balance = payments.lock_main_balance(operator=user_promo.operator, user_promo=user_promo)
    if amount > balance:
        raise CustomDecreaseTooLarge("The amount is more than the player's main balance.")


def _finish(
    user_promo: UserPromo, instant: str, *, taken: Decimal, shortfall: Decimal, now: datetime
) -> None:
    user_promo.clawback_amount = taken
    user_promo.clawback_shortfall = shortfall
    user_promo.save(update_fields=["status", instant, "clawback_amount", "clawback_shortfall"])
    payments.take_back_bonus(
        operator=user_promo.operator, user_promo=user_promo, amount=taken, now=now
    )


def _described(user_promo: UserPromo) -> dict[str, Any]:
    return {"status": str(user_promo.status)}


def _record(
    user_promo: UserPromo,
    move: str,
    *,
    before: dict[str, Any],
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    audit.record_action(
        operator=user_promo.operator,
        actor=actor,
        action=f"promo.claim.{move}",
        subject=user_promo,
        before=before,
        after={
            **_described(user_promo),
            "clawback_amount": str(user_promo.clawback_amount),
            "clawback_shortfall": str(user_promo.clawback_shortfall),
            "bonus_currency": user_promo.bonus_currency,
        },
        reason=reason,
        now=now,
    )
    announcements.announce_claim(user_promo=user_promo, topic=f"promo.claim.{move}", now=now)
