"""
Issuing a bonus: the intent first, then the platform, then the grant.

Three steps, each safe to die after. The intent (BonusIssuance) is committed before the
platform is asked, and has the grant's id, which is the platform's idempotency key: however
often the platform is asked, it grants once. The grant is written when the platform has
said yes. Whatever is left pending is tried again until it is settled.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from approvals.enums import Limit
from approvals.services.limits import refuse_alone_above
from bonuses.enums import IssuanceStatus
from bonuses.errors import AdapterRejected, AdapterUnavailable, BonusIssuanceClosed
from bonuses.models import BonusIssuance
from bonuses.models.issuance import CODE_LENGTH_MAX, DETAIL_LENGTH_MAX
from bonuses.ports import (
    BonusOrder,
    PlatformBonus,
    PlatformRejected,
    PlatformUnavailable,
    get_adapters,
)
from bonuses.rules.costs import worth_at_most
from bonuses.rules.retries import ATTEMPTS_MAX, delay_after
from bonuses.selectors import (
    find_issuance_of_key,
    get_issuance,
    is_platform_bonus_known,
    list_due_issuance_ids,
)
from bonuses.services.granting import write_grant
from bonuses.services.requests import BonusRequest, request_bonus
from core import audit, idempotency, locks
from core.actors import Actor, ActorKind
from core.errors import IdempotencyInProgress, ResourceBusy
from core.failpoints import failpoint
from core.idempotency import IdempotencyKey
from operators.models import Operator

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
#: An attempt that has not come back by then is thought dead, on top of its deadline.
LEASE_MARGIN_S = 5
NO_USABLE_ANSWER = "PLATFORM_UNAVAILABLE"


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
    :raises IdempotencyKeyReused: if the key was used for another request.
    :raises IdempotencyInProgress: if another request with the key is asking the platform.

    Everything that request_bonus raises is raised here too.
    """
    now = clock()

    def ask() -> str:
        return str(_intend(operator, request, actor=actor, now=now).pk)

    answered = idempotency.answer_once(operator=operator, key=key, now=now, command=ask)
    issuance = get_issuance(operator=operator, issuance_id=UUID(answered.answer))
    was_settled = False
    if answered.is_replay:
        newest = find_issuance_of_key(operator=operator, key=key.value)
        assert newest is not None, "an answered key has an issuance"
        issuance = newest
        if issuance.status == IssuanceStatus.REJECTED:
            with transaction.atomic(durable=True):
                issuance = _intend(operator, request, actor=actor, now=now)
        was_settled = not issuance.is_pending
    if issuance.is_due(now=now):
        issuance = attempt_issuance(issuance_id=issuance.pk, clock=clock)
    # An attempt of our own that failed has given its lease back: this one is somebody else's,
    # a request with the same key or the sweep.
    if issuance.is_pending and issuance.is_leased(now=clock()):
        raise IdempotencyInProgress(
            "The platform is being asked for this very bonus. Send the request again shortly."
        )
    _raise_unless_issued(issuance)
    return Issued(issuance=issuance, is_replay=was_settled)


def attempt_issuance(*, issuance_id: UUID, clock: Clock) -> BonusIssuance:
    """
    Ask the platform once for a pending issuance, and settle it by the answer.

    Safe at any time and from anywhere: an issuance that is settled, or being attempted, is
    returned as it is. No transaction is open while the platform is asked.

    :raises NotFound: if there is no such issuance.
    """
    issuance = _lease(issuance_id, now=clock())
    if issuance is None:
        return _read(issuance_id)
    failpoint("issuing.before_adapter")
    outcome = _ask(issuance)
    failpoint("issuing.after_adapter")
    settled = _settle(issuance_id, outcome, attempt=issuance.attempts, now=clock())
    failpoint("issuing.after_settle")
    return settled


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


@transaction.atomic(durable=True)
def give_up_issuance(
    *, operator: Operator, issuance_id: UUID, reason: str, actor: Actor, now: datetime
) -> BonusIssuance:
    """
    End an issuance that is pending, or an offer that waits for a deposit.

    If the platform did grant it after all, its events are answered 404 from now on.

    :raises NotFound: if the operator has no such issuance.
    :raises BonusIssuanceClosed: if it has been settled.
    :raises ResourceBusy: if an attempt is under way.
    """
    issuance = _lock_of(operator, issuance_id)
    if not issuance.is_open:
        raise BonusIssuanceClosed("The issuance has been settled.")
    if issuance.is_leased(now=now):
        raise ResourceBusy("An attempt is under way. Look again in some seconds.")
    _fail(issuance, reason=reason, actor=actor, now=now)
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
    issuance = request_bonus(operator=operator, request=request, actor=actor, now=now)
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
            raise AdapterUnavailable(
                "The platform did not answer usably, and the issuance was given up.",
                issuance_id=str(issuance.pk),
            )


@transaction.atomic(durable=True)
def _lease(issuance_id: UUID, *, now: datetime) -> BonusIssuance | None:
    """Take the issuance for one attempt; None if it is settled or somebody has it."""
    issuance = locks.lock_one(
        BonusIssuance.objects.filter(pk=issuance_id).select_related("player", "operator")
    )
    if not issuance.is_pending or issuance.is_leased(now=now):
        return None
    issuance.attempts += 1
    issuance.leased_until = now + timedelta(seconds=settings.ADAPTER_DEADLINE_S + LEASE_MARGIN_S)
    # Should this attempt die, the next one comes when the lease is over.
    issuance.next_attempt_at = issuance.leased_until
    issuance.save(update_fields=["attempts", "leased_until", "next_attempt_at"])
    return issuance


def _ask(issuance: BonusIssuance) -> PlatformBonus | PlatformRejected | PlatformUnavailable:
    adapter = get_adapters().get_adapter(slug=issuance.adapter_slug)
    try:
        return adapter.grant_bonus(order_of(issuance=issuance))
    except (PlatformRejected, PlatformUnavailable) as failure:
        return failure


def order_of(*, issuance: BonusIssuance) -> BonusOrder:
    """Return what the platform is asked for: the same for every attempt."""
    terms = issuance.locked_terms()
    return BonusOrder(
        grant_id=issuance.grant_id,
        player_reference=issuance.player.reference,
        bonus_type=terms.type,
        amount=terms.bonus_amount,
        currency=terms.bonus_currency,
        wagering_multiplier=terms.wagering_multiplier,
        wagering_basis=terms.wagering_basis,
        max_bet=terms.max_bet,
        expires_at=terms.expires_at,
        config=terms.config,
        granted_by={"kind": issuance.granted_by_kind, "ref": issuance.granted_by_ref},
    )


@transaction.atomic(durable=True)
def _settle(
    issuance_id: UUID,
    outcome: PlatformBonus | PlatformRejected | PlatformUnavailable,
    *,
    attempt: int,
    now: datetime,
) -> BonusIssuance:
    issuance = locks.lock_one(
        BonusIssuance.objects.filter(pk=issuance_id).select_related(
            "player", "operator", "template"
        )
    )
    if not issuance.is_pending:
        return issuance
    if isinstance(outcome, PlatformBonus) and is_platform_bonus_known(
        adapter_slug=issuance.adapter_slug, platform_bonus_id=outcome.platform_bonus_id
    ):
        outcome = PlatformUnavailable("The platform named the bonus of another grant.")
    match outcome:
        case PlatformBonus():
            write_grant(issuance=issuance, bonus=outcome, now=now)
        case PlatformRejected():
            _reject(issuance, outcome, now=now)
        case PlatformUnavailable() if issuance.attempts == attempt:
            _put_off(issuance, outcome, now=now)
    return issuance


def _reject(issuance: BonusIssuance, refusal: PlatformRejected, *, now: datetime) -> None:
    issuance.error_code = refusal.code[:CODE_LENGTH_MAX]
    issuance.error_detail = refusal.detail[:DETAIL_LENGTH_MAX]
    issuance.reject(now=now)
    issuance.save(
        update_fields=["status", "settled_at", "leased_until", "error_code", "error_detail"]
    )
    _record(issuance, "bonus.issuance.rejected", now=now)


def _put_off(issuance: BonusIssuance, failure: PlatformUnavailable, *, now: datetime) -> None:
    issuance.error_code = NO_USABLE_ANSWER
    issuance.error_detail = failure.detail[:DETAIL_LENGTH_MAX]
    if issuance.attempts >= ATTEMPTS_MAX:
        actor = Actor(kind=ActorKind(issuance.actor_kind), ref=issuance.actor_ref)
        _fail(issuance, reason=f"{ATTEMPTS_MAX} attempts failed", actor=actor, now=now)
        return
    jitter = random.SystemRandom().random()
    issuance.leased_until = None
    issuance.next_attempt_at = now + delay_after(attempts=issuance.attempts, jitter=jitter)
    issuance.save(update_fields=["leased_until", "next_attempt_at", "error_code", "error_detail"])


def _fail(issuance: BonusIssuance, *, reason: str, actor: Actor, now: datetime) -> None:
    issuance.give_up(now=now)
    issuance.save(
        update_fields=["status", "settled_at", "leased_until", "error_code", "error_detail"]
    )
    _record(issuance, "bonus.issuance.failed", reason=reason, actor=actor, now=now)


def _record(
    issuance: BonusIssuance,
    action: str,
    *,
    now: datetime,
    reason: str = "",
    actor: Actor | None = None,
) -> None:
    audit.record_action(
        operator=issuance.operator,
        actor=actor or Actor(kind=ActorKind(issuance.actor_kind), ref=issuance.actor_ref),
        action=action,
        subject=issuance,
        after={
            "status": str(issuance.status),
            "attempts": issuance.attempts,
            "error_code": issuance.error_code,
            "error_detail": issuance.error_detail,
        },
        reason=reason,
        now=now,
    )


def _lock_of(operator: Operator, issuance_id: UUID) -> BonusIssuance:
    return locks.lock_one(
        BonusIssuance.objects.for_operator(operator)
        .filter(pk=issuance_id)
        .select_related("operator", "player")
    )


def _read(issuance_id: UUID) -> BonusIssuance:
    found = BonusIssuance.objects.select_related("operator", "player", "template")
    return found.get(pk=issuance_id)
