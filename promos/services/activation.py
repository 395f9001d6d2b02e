"""What the first deposit after a claim does: it activates the claim, or ends it."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from core import audit, money
from core.actors import Actor
from core.money import EXACT
from operators.selectors import USD, UsdRate
from promos import rules
from promos.enums import LockSource, UserPromoStatus
from promos.models import UserPromo
from promos.services import announcements, payments
from promos.services.endings import cancel_below_floor, expire_user_promo
from promos.services.rollover import complete_user_promo
from promos.services.withdrawal_locks import lock_withdrawals


@transaction.atomic(savepoint=False)
def apply_deposit(
    *,
    user_promo: UserPromo,
    amount: Decimal,
    currency: str,
    usd_amount: Decimal,
    usd_rate: UsdRate,
    actor: Actor,
    now: datetime,
) -> UserPromo:
    """
    Let a settled deposit decide about the player's open claim, which the caller holds locked.

    A claimed one is activated and its bonus credited, or cancelled if the deposit is below
    the floor. One whose time is up expires. An active one takes no further deposits in.
    ``amount`` is in ``currency``, ``usd_amount`` the same at ``usd_rate``. Joins the
    caller's transaction.

    :raises ResourceBusy: if the player's account is in use.
    """
    if user_promo.is_overdue(now=now):
        return expire_user_promo(user_promo=user_promo, actor=actor, now=now)
    if user_promo.status != UserPromoStatus.CLAIMED:
        return user_promo
    floor = user_promo.min_deposit_usd_to_activate
    assert floor is not None, f"{user_promo} waits for no deposit"
    if usd_amount < floor:
        return cancel_below_floor(user_promo=user_promo, actor=actor, now=now)
    _activate(user_promo, amount, currency, usd_amount, usd_rate, now=now)
    lock_withdrawals(user_promo=user_promo, source=LockSource.CREDIT, now=now)
    assert user_promo.bonus_usd_amount is not None, "activated without a bonus"
    payments.credit_bonus(
        operator=user_promo.operator,
        user_promo=user_promo,
        original_amount=user_promo.bonus_usd_amount,
        original_currency=USD,
        now=now,
    )
    _record(user_promo, usd_amount, actor=actor, now=now)
    if user_promo.is_wagered:
        complete_user_promo(user_promo=user_promo, actor=actor, now=now)
    return user_promo


def _activate(
    user_promo: UserPromo,
    amount: Decimal,
    currency: str,
    usd_amount: Decimal,
    usd_rate: UsdRate,
    *,
    now: datetime,
) -> None:
    multiplier, cap = user_promo.bonus_multiplier, user_promo.max_bonus_usd_amount
    seconds = user_promo.time_seconds_to_complete
    assert multiplier is not None, f"{user_promo} has no bonus multiplier"
    assert cap is not None, f"{user_promo} has no cap"
    assert seconds is not None, f"{user_promo} has no time limit"
    rollover = rules.rollover_of(
        deposit_usd=usd_amount,
        bonus_multiplier=multiplier,
        max_bonus_usd=cap,
        wager_multiplier=user_promo.wager_multiplier_to_complete,
        wager_usd=user_promo.wager_usd_amount_to_complete,
    )
    # The wallet of a player without money may have changed since the claim.
    user_promo.bonus_currency = currency
    if currency != USD:
        user_promo.rate = money.cross_rate(Decimal(1), usd_rate.rate)
        user_promo.rate_at = usd_rate.valid_from
    if rollover.is_capped:
        user_promo.bonus_amount = rules.wallet_amount_of(
            amount=rollover.bonus_usd, rate=user_promo.rate, currency=currency
        )
    else:
        # Not through US dollars and back: all of a deposit matched is all of it.
        matched = EXACT.multiply(amount, multiplier)
        user_promo.bonus_amount = money.round_down(matched, money.get_currency(currency))
    user_promo.bonus_usd_amount = rollover.bonus_usd
    user_promo.target_usd_amount = rollover.target_usd
    user_promo.target_multiplier = rollover.multiplier
    user_promo.due_at = now + timedelta(seconds=seconds)
    user_promo.activate(now=now)
    user_promo.save(
        update_fields=[
            "status",
            "activated_at",
            "due_at",
            "bonus_currency",
            "bonus_amount",
            "rate",
            "rate_at",
            "bonus_usd_amount",
            "target_usd_amount",
            "target_multiplier",
        ]
    )


def _record(user_promo: UserPromo, usd_amount: Decimal, *, actor: Actor, now: datetime) -> None:
    audit.record_action(
        operator=user_promo.operator,
        actor=actor,
        action="promo.claim.activated",
        subject=user_promo,
        before={"status": str(UserPromoStatus.CLAIMED)},
        after={
            "status": str(user_promo.status),
            "deposit_usd_amount": str(usd_amount),
            "bonus_amount": str(user_promo.bonus_amount),
            "bonus_currency": user_promo.bonus_currency,
            "target_usd_amount": str(user_promo.target_usd_amount),
        },
        now=now,
    )
    announcements.announce_claim(user_promo=user_promo, topic="promo.claim.activated", now=now)
