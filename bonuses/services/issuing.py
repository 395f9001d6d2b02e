"""
Issuing a bonus: the intent first, then the platform, then the grant.

Three steps, each safe to die after. The intent (BonusIssuance) is committed before the
platform is asked, and has the grant's id, which is the platform's idempotency key: however
often the platform is asked, it grants once. The grant is written when the platform has
said yes. Whatever is left pending is tried again until it is settled.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from approvals.enums import Limit
from approvals.services.limits import refuse_alone_above
from bonuses.enums import IssuanceStatus
from bonuses.errors import AdapterRejected, AdapterUnavailable, BonusIssuanceClosed
from bonuses.models import BonusIssuance
from bonuses.models.issuance import DETAIL_LENGTH_MAX
from bonuses.ports import PlatformBonus, PlatformUnavailable
from bonuses.rules.costs import worth_at_most
from bonuses.selectors import find_issuance_of_key, get_issuance, list_due_issuance_ids
from bonuses.services.attempts import (
    Clock,
    attempt_issuance,
    attempt_length,
    fail_locked,
    settle_attempt,
)
from bonuses.services.recalls import GIVEN_UP, Unwanted, recall_bonus
from bonuses.services.requests import BonusRequest, request_bonus
from core import audit, idempotency, locks
from core.actors import Actor
from core.errors import IdempotencyInProgress, ResourceBusy
from core.idempotency import IdempotencyKey
from operators.models import Operator

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Issued:
    """An issuance as a request left it, and whether the request had been answered before."""

    issuance: BonusIssuance
    is_replay: bool


def issue_bonus(
    *, operator: Operator, request: BonusRequest, key: IdempotencyKey, actor: Actor, clock: Clock
) -> Issued:
    """
    Give a player a bonus through the operator's platform, once per key.

    Returns when the grant is written, or the offer waits for its deposit. The same key finds
    the same issuance; one that the platform rejected is asked for afresh.

    :raises ApprovalRequired: if it is more than staff may give alone (manual_grants).
    :raises AdapterRejected: if the platform refused; ``platform_code`` says how.
    :raises AdapterUnavailable: if it did not answer usably; the retry is queued.
    :raises BonusIssuanceClosed: if the key's issuance was given up.
    :raises IdempotencyKeyReused: if the key was used for another request.
    :raises IdempotencyInProgress: if another request with the key is asking the platform.

    Everything that request_bonus raises is raised here too.
    """
    now = clock()

    def ask() -> str:
        return str(_intend(operator, request, actor=actor, now=now).pk)

    answered = idempotency.answer_once(operator=operator, key=key, now=now, command=ask)
    issuance = get_issuance(operator=operator, issuance_id=UUID(answered.answer))
    is_ours, was_settled = not answered.is_replay, False
    if answered.is_replay:
        newest = find_issuance_of_key(operator=operator, key=key.value)
        assert newest is not None, "an answered key has an issuance"
        issuance = newest
        if issuance.status == IssuanceStatus.REJECTED:
            with transaction.atomic(durable=True):
                issuance = _intend(operator, request, actor=actor, now=now)
            is_ours = True
        was_settled = not issuance.is_pending
    if is_ours or issuance.is_due(now=now):
        issuance = attempt_issuance(issuance_id=issuance.pk, clock=clock)
    # An attempt of our own that failed has given its lease back. One that is under way, or has not
    # begun, is somebody else's: a request with the same key, or the sweep.
    if issuance.is_pending and (issuance.is_leased(now=clock()) or not issuance.attempts):
        raise IdempotencyInProgress(
            "The platform is being asked for this very bonus. Send the request again shortly."
        )
    _raise_unless_issued(issuance)
    return Issued(issuance=issuance, is_replay=was_settled)


def retry_due_issuances(*, clock: Clock, limit: int) -> int:
    """
    Attempt up to ``limit`` pending issuances that are due, and return how many were settled.

    Those due longest come first. One that fails unexpectedly never stops the others.
    """
    settled_count = 0
    for issuance_id in list_due_issuance_ids(now=clock(), limit=limit):
        try:
            issuance = attempt_issuance(issuance_id=issuance_id, clock=clock)
        except Exception:
            # One issuance that cannot be attempted must not stop all others.
            logger.exception("issuance %s could not be attempted", issuance_id)
        else:
            settled_count += not issuance.is_open
    return settled_count


def retry_issuance_now(
    *, operator: Operator, issuance_id: UUID, reason: str, actor: Actor, clock: Clock
) -> BonusIssuance:
    """
    Attempt a pending issuance at once, because somebody asks for it.

    :raises NotFound: if the operator has no such issuance.
    :raises BonusIssuanceClosed: if it is not pending.
    :raises ResourceBusy: if an attempt is under way.
    """
    now = clock()
    with transaction.atomic(durable=True):
        issuance = _lock_of(operator, issuance_id)
        if not issuance.is_pending:
            raise BonusIssuanceClosed("The issuance is not pending: there is nothing to retry.")
        if issuance.is_leased(now=now):
            raise ResourceBusy("An attempt is under way. Look again in some seconds.")
        issuance.next_attempt_at = now
        issuance.save(update_fields=["next_attempt_at"])
        audit.record_action(
            operator=operator,
            actor=actor,
            action="bonus.issuance.retried",
            subject=issuance,
            after={"attempts": issuance.attempts},
            reason=reason,
            now=now,
        )
    return attempt_issuance(issuance_id=issuance_id, clock=clock)


def give_up_issuance(
    *, operator: Operator, issuance_id: UUID, reason: str, actor: Actor, clock: Clock
) -> BonusIssuance:
    """
    End an issuance that is pending, or an offer that waits for a deposit.

    A platform that was asked before is asked whether it granted the bonus after all, and to
    cancel it then. If it does not answer, the issuance ends all the same and says so: events
    of such a bonus are answered 404. A bonus that it will not cancel is granted.

    :raises NotFound: if the operator has no such issuance.
    :raises BonusIssuanceClosed: if it has been settled.
    :raises ResourceBusy: if an attempt is under way.
    """
    issuance = _take_to_give_up(operator, issuance_id, reason=reason, actor=actor, now=clock())
    if not issuance.is_pending:
        return issuance
    outcome = recall_bonus(issuance=issuance, why=Unwanted(GIVEN_UP, reason), was_asked=True)
    if isinstance(outcome, PlatformBonus):
        return settle_attempt(
            issuance_id=issuance_id, outcome=outcome, attempt=issuance.attempts, now=clock()
        )
    with transaction.atomic(durable=True):
        issuance = _lock_of(operator, issuance_id)
        if not issuance.is_open:
            raise BonusIssuanceClosed("The issuance has been settled meanwhile.")
        if isinstance(outcome, PlatformUnavailable):
            known = f"{outcome.detail} The platform may have granted it all the same."
        else:
            known = outcome.known
        issuance.error_detail = known[:DETAIL_LENGTH_MAX]
        fail_locked(issuance=issuance, reason=reason, actor=actor, now=clock())
    return issuance


@transaction.atomic(durable=True)
def _take_to_give_up(
    operator: Operator, issuance_id: UUID, *, reason: str, actor: Actor, now: datetime
) -> BonusIssuance:
    """End what no platform can have; lease anything else, so that nobody attempts it."""
    issuance = _lock_of(operator, issuance_id)
    if not issuance.is_open:
        raise BonusIssuanceClosed("The issuance has been settled.")
    if issuance.is_leased(now=now):
        raise ResourceBusy("An attempt is under way. Look again in some seconds.")
    if issuance.is_internal or not issuance.attempts:
        fail_locked(issuance=issuance, reason=reason, actor=actor, now=now)
        return issuance
    issuance.leased_until = issuance.next_attempt_at = now + 2 * attempt_length()
    issuance.save(update_fields=["leased_until", "next_attempt_at"])
    return issuance


@transaction.atomic(durable=True)
def remember_answer(*, issuance_id: UUID, answer: str) -> str:
    """Store what the caller is answered, unless something is stored; return what is stored."""
    issuance = locks.lock_one(BonusIssuance.objects.filter(pk=issuance_id))
    if issuance.answer:
        return issuance.answer
    issuance.answer = answer
    issuance.save(update_fields=["answer"])
    return answer


def _intend(
    operator: Operator, request: BonusRequest, *, actor: Actor, now: datetime
) -> BonusIssuance:
    # Whoever asks attempts it, too: until that is over the sweep leaves it alone.
    issuance = request_bonus(
        operator=operator,
        request=request,
        first_sweep_at=now + attempt_length(),
        actor=actor,
        now=now,
    )
    worth = worth_at_most(
        template=issuance.template, terms=None if request.is_offer else issuance.locked_terms()
    )
    # The refusal takes the intent back with it.
    refuse_alone_above(
        operator=operator,
        limit=Limit.MANUAL_GRANT,
        amount=worth.amount,
        currency=worth.currency,
        actor=actor,
        now=now,
    )
    return issuance


def _raise_unless_issued(issuance: BonusIssuance) -> None:
    match issuance.status:
        case IssuanceStatus.REJECTED:
            raise AdapterRejected(
                "The platform refused the bonus.",
                platform_code=issuance.error_code,
                issuance_id=str(issuance.pk),
            )
        case IssuanceStatus.PENDING:
            raise AdapterUnavailable(
                "The platform did not answer usably. The bonus is tried again until it is "
                "granted: send the request again with its key, or look at the issuance.",
                issuance_id=str(issuance.pk),
            )
        case IssuanceStatus.FAILED:
            raise BonusIssuanceClosed(
                f"The bonus was given up and not granted. {issuance.error_detail} "
                "Ask for it with a new key if it is still wanted.",
                issuance_id=str(issuance.pk),
            )


def _lock_of(operator: Operator, issuance_id: UUID) -> BonusIssuance:
    return locks.lock_one(
        BonusIssuance.objects.for_operator(operator)
        .filter(pk=issuance_id)
        .select_related("operator", "player")
    )
