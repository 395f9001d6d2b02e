"""
Paying wins: into our own ledger in one transaction, or through the platform in three steps.

A platform is asked under the win's id, with terms that are stored before it is asked the
first time and never change afterwards. So it pays once, however often it is asked: a crash
between the steps, or an answer that got lost, leaves the win payable, and it is asked again.
Nothing gives up. What cannot be paid stays payable, with the reason, and later and later.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from core import audit, locks
from core.actors import Actor, ActorKind
from core.errors import DomainError, ResourceBusy
from core.failpoints import failpoint
from core.money import format_amount
from jackpots.enums import WinStatus
from jackpots.errors import WinWrongState
from jackpots.models import Win
from jackpots.models.win import ERROR_LENGTH_MAX, WinQuerySet
from jackpots.ports import (
    PaidOut,
    PayoutChannel,
    PayoutOrder,
    PayoutRejected,
    PayoutUnavailable,
    get_payouts,
)
from jackpots.rules.identities import payout_reference
from jackpots.rules.payouts import delay_after, payout_amount
from jackpots.services.announcements import announce_win
from jackpots.services.exchange import find_exchange
from operators.models import Operator
from wallets.enums import AccountKind, Tag
from wallets.services import transfers
from wallets.services.transfers import AccountKey, Conversion, Posting

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
#: An attempt that has not come back by then is thought dead, on top of its deadline.
LEASE_MARGIN_S = 5
UNEXPECTED = "It could not be paid for a reason that nobody expected; the logs have it."

_SWEEP = Actor(kind=ActorKind.TASK, ref="pay_due_wins")
_TERMS = ("adapter_slug", "payout_amount", "payout_currency", "payout_rate", "payout_rate_at")


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the first transaction left: a win, and the call that it waits for, if any."""

    win: Win
    call: tuple[PayoutChannel, PayoutOrder] | None = None


def pay_due_wins(*, clock: Clock, limit: int) -> int:
    """
    Try to pay up to ``limit`` wins that are due, and return how many of them are paid then.

    Those due longest come first, and those that our own ledger pays before those that wait
    for a platform. One that fails never stops the others. Safe to run twice, and at once.
    """
    candidates = Win.objects.due(now=clock()).select_related("operator")
    due = list(candidates.order_by("next_attempt_at", "pk")[:limit])
    outside = _operators_with_wallets_outside(due)
    paid_count = 0
    for win in sorted(due, key=lambda win: win.operator_id in outside):
        try:
            paid_count += _attempt(win.pk, actor=_SWEEP, clock=clock).status == WinStatus.PAID
        except ResourceBusy:
            logger.info("win %s is in use; paid at the next run", win.pk)
        except Exception:
            # One win that cannot be paid must not stop all others, nor come back at once.
            logger.exception("win %s could not be paid", win.pk)
            _put_off(win.pk, UNEXPECTED, now=clock())
    return paid_count


def retry_win_now(
    *, operator: Operator, win_id: UUID, reason: str, actor: Actor, clock: Clock
) -> Win:
    """
    Try to pay a win at once, because somebody asks for it; ``last_error`` says how it went.

    :raises NotFound: if the operator has no such win.
    :raises WinWrongState: if it is not payable.
    :raises ResourceBusy: if an attempt is under way.
    """
    now = clock()
    with transaction.atomic(durable=True):
        win = _lock(Win.objects.for_operator(operator), win_id)
        if win.status != WinStatus.PAYABLE:
            raise WinWrongState(
                f"The win is {win.get_status_display().lower()}: there is nothing to pay.",
                win_status=str(win.status),
            )
        if _is_leased(win, now=now):
            raise ResourceBusy("An attempt is under way. Look again in some seconds.")
        win.next_attempt_at = now
        win.save(update_fields=["next_attempt_at"])
        audit.record_action(
            operator=operator,
            actor=actor,
            action="jackpot.win.retried",
            subject=win,
            after={"attempts": win.attempts, "last_error": win.last_error},
            reason=reason,
            now=now,
        )
    return _attempt(win_id, actor=actor, clock=clock)


def payout_order_of(*, win: Win) -> PayoutOrder:
    """Return what the platform is asked to pay: the same for every attempt."""
    return PayoutOrder(
        payout_id=win.pk,
        player_reference=win.player.reference,
        amount=win.payout_amount,
        currency=win.payout_currency,
        instance_id=win.instance_id,
        pot=win.pot.name,
        cause=win.cause,
    )


def _attempt(win_id: UUID, *, actor: Actor, clock: Clock) -> Win:
    """
    Try once to pay a win; what is not due, or in somebody else's hands, is left as it is.

    No transaction is open while a platform is asked.
    """
    try:
        begun = _begin(win_id, actor=actor, now=clock())
    except ResourceBusy:
        raise
    except DomainError as refusal:
        # No rate, a wallet that has changed: it may be otherwise later.
        return _put_off(win_id, refusal.detail, now=clock())
    if begun.call is None:
        return begun.win
    channel, order = begun.call
    failpoint("payout.before_call")
    outcome = _ask(channel, order)
    failpoint("payout.after_call")
    settled = _settle(win_id, outcome, attempt=begun.win.attempts, actor=actor, now=clock())
    failpoint("payout.after_settle")
    return settled


@transaction.atomic(durable=True)
def _begin(win_id: UUID, *, actor: Actor, now: datetime) -> _Begun:
    """Pay the win if the wallet is ours; else fix the terms, and take it for one attempt."""
    locked = locks.lock_many_skipping(_fetched(Win.objects.due(now=now)).filter(pk=win_id))
    if not locked:
        return _Begun(win=_read(win_id))
    [win] = locked
    channel = _channel_of(win)
    if not win.adapter_slug:
        # Where a platform may have been asked already, it is asked for the same again.
        _fix_terms(win, now=now)
    win.attempts += 1
    if win.payout_amount == 0:
        _finish(win, actor=actor, now=now)
        return _Begun(win=win)
    win.adapter_slug = channel.slug
    if channel.is_internal:
        _post(win, now=now)
        failpoint("payout.after_post")
        _finish(win, actor=actor, now=now)
        return _Begun(win=win)
    # Should this attempt die, the next one comes when the lease is over.
    lease_s = settings.ADAPTER_DEADLINE_S + LEASE_MARGIN_S
    win.next_attempt_at = now + timedelta(seconds=lease_s)
    win.last_error = ""
    win.save(update_fields=[*_TERMS, "attempts", "next_attempt_at", "last_error"])
    return _Begun(win=win, call=(channel, payout_order_of(win=win)))


def _ask(
    channel: PayoutChannel, order: PayoutOrder
) -> PaidOut | PayoutRejected | PayoutUnavailable:
    try:
        return channel.pay_out(order)
    except (PayoutRejected, PayoutUnavailable) as failure:
        return failure


@transaction.atomic(durable=True)
def _settle(
    win_id: UUID,
    outcome: PaidOut | PayoutRejected | PayoutUnavailable,
    *,
    attempt: int,
    actor: Actor,
    now: datetime,
) -> Win:
    win = _lock(Win.objects.all(), win_id)
    if win.status != WinStatus.PAYABLE:
        return win
    match outcome:
        case PaidOut():
            # Named or not, the platform finds it under our id. Empty: our own ledger paid.
            win.platform_payout_id = outcome.platform_payout_id or str(win.pk)
            _finish(win, actor=actor, now=now)
        case _ if win.attempts != attempt:
            # Given up for dead, and somebody else is at it: that one's outcome counts.
            pass
        case PayoutRejected():
            _note_failure(win, str(outcome), is_refused=True, now=now)
            _record(win, "jackpot.win.refused", actor=actor, now=now)
        case PayoutUnavailable():
            _note_failure(win, outcome.detail, is_refused=False, now=now)
    return win


@transaction.atomic(durable=True)
def _put_off(win_id: UUID, error: str, *, now: datetime) -> Win:
    """Note why a win could not be paid; one in somebody else's hands is left to them."""
    locked = locks.lock_many_skipping(_fetched(Win.objects.all()).filter(pk=win_id))
    if not locked:
        return _read(win_id)
    [win] = locked
    if win.status == WinStatus.PAYABLE and not _is_leased(win, now=now):
        win.attempts += 1
        _note_failure(win, error, is_refused=False, now=now)
    return win


def _note_failure(win: Win, error: str, *, is_refused: bool, now: datetime) -> None:
    jitter = random.SystemRandom().random()
    delay = delay_after(attempts=win.attempts, is_refused=is_refused, jitter=jitter)
    win.next_attempt_at = now + delay
    win.last_error = error[:ERROR_LENGTH_MAX]
    win.save(update_fields=["attempts", "next_attempt_at", "last_error"])


def _fix_terms(win: Win, *, now: datetime) -> None:
    """Set what the player gets: in their wallet's currency, at the rate in force."""
    currency = win.player.currency
    if win.amount == 0:
        win.payout_amount, win.payout_currency = win.amount, currency
        return
    exchange = find_exchange(operator=win.operator, source=win.currency, target=currency, now=now)
    win.payout_amount = payout_amount(win.amount, rate=exchange.rate, currency=currency)
    win.payout_currency = currency
    # A rate that rounds to nothing is none; the amount then is nothing, too.
    win.payout_rate = exchange.rate or None
    win.payout_rate_at = exchange.rate_at


def _post(win: Win, *, now: datetime) -> None:
    conversion = None
    if win.payout_rate is not None and win.payout_rate_at is not None:
        conversion = Conversion(win.amount, win.currency, win.payout_rate, win.payout_rate_at)
    posting = Posting(
        debit=AccountKey(AccountKind.JACKPOT_COST, win.payout_currency),
        credit=AccountKey(AccountKind.PLAYER_MAIN, win.payout_currency, player_id=win.player_id),
        amount=win.payout_amount,
        tag=Tag.JACKPOT,
        reference=payout_reference(win_id=win.pk),
        conversion=conversion,
    )
    transfers.post_transfers(operator=win.operator, postings=[posting], now=now)


def _finish(win: Win, *, actor: Actor, now: datetime) -> None:
    win.last_error = ""
    win.pay(now=now)
    win.save(
        update_fields=[
            *_TERMS,
            "status",
            "attempts",
            "next_attempt_at",
            "last_error",
            "platform_payout_id",
            "paid_at",
        ]
    )
    _record(win, "jackpot.win.paid", actor=actor, now=now)
    announce_win(win=win, topic="jackpot.win.paid", now=now)


def _record(win: Win, action: str, *, actor: Actor, now: datetime) -> None:
    audit.record_action(
        operator=win.operator,
        actor=actor,
        action=action,
        subject=win,
        before={"status": str(WinStatus.PAYABLE)},
        after={
            "status": str(win.status),
            "payout_amount": format_amount(win.payout_amount, win.payout_currency),
            "payout_currency": win.payout_currency,
            "adapter_slug": win.adapter_slug,
            "attempts": win.attempts,
            "last_error": win.last_error,
        },
        now=now,
    )


def _is_leased(win: Win, *, now: datetime) -> bool:
    """Tell whether a platform is being asked: an attempt clears the error, a failure sets it."""
    is_asked = win.adapter_slug != "" and win.last_error == ""
    return is_asked and win.next_attempt_at is not None and now < win.next_attempt_at


def _channel_of(win: Win) -> PayoutChannel:
    if win.adapter_slug:
        return get_payouts().get_channel(slug=win.adapter_slug)
    return get_payouts().default_channel(operator=win.operator)


def _operators_with_wallets_outside(wins: list[Win]) -> set[int]:
    operators = {win.operator_id: win.operator for win in wins}
    return {pk for pk, operator in operators.items() if _has_wallets_outside(operator)}


def _has_wallets_outside(operator: Operator) -> bool:
    try:
        return not get_payouts().default_channel(operator=operator).is_internal
    except DomainError:
        # Whoever has no channel is not to hold up the others; the attempt says what is wrong.
        return True


def _fetched(wins: WinQuerySet) -> WinQuerySet:
    return wins.select_related("operator", "pot", "prize", "player")


def _lock(wins: WinQuerySet, win_id: UUID) -> Win:
    return locks.lock_one(_fetched(wins).filter(pk=win_id))


def _read(win_id: UUID) -> Win:
    return _fetched(Win.objects.all()).get(pk=win_id)
