"""
One attempt at an issuance: take it, ask the platform, settle it by the answer.

No transaction is open while the platform is asked. A lease keeps everybody else away
meanwhile, and ends by itself if the attempt dies.
"""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from bonuses.models import BonusIssuance
from bonuses.models.issuance import CODE_LENGTH_MAX, DETAIL_LENGTH_MAX
from bonuses.ports import (
    BonusOrder,
    PlatformBonus,
    PlatformRejected,
    PlatformUnavailable,
    get_adapters,
)
from bonuses.rules.retries import TRIED_FOR, delay_after, is_tried_enough
from bonuses.selectors import is_platform_bonus_known
from bonuses.services.granting import write_grant
from bonuses.services.recalls import Unwanted, find_why_unwanted, recall_bonus
from core import audit, locks
from core.actors import Actor, ActorKind
from core.errors import DomainError
from core.failpoints import failpoint

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Outcome = PlatformBonus | PlatformRejected | PlatformUnavailable | Unwanted
#: An attempt that has not come back by then is thought dead, on top of its deadline.
LEASE_MARGIN_S = 5
NO_USABLE_ANSWER = "PLATFORM_UNAVAILABLE"
UNEXPECTED = "INTERNAL_ERROR"


def attempt_length() -> timedelta:
    """Return how long an attempt has the issuance for itself."""
    return timedelta(seconds=settings.ADAPTER_DEADLINE_S + LEASE_MARGIN_S)


def attempt_issuance(*, issuance_id: UUID, clock: Clock) -> BonusIssuance:
    """
    Ask the platform once for a pending issuance, and settle it by the answer.

    Safe at any time and from anywhere: an issuance that is settled, or being attempted, is
    returned as it is. One that is not wanted any more (recalls) is ended instead. What fails
    unexpectedly is put off like a platform without an answer, and raised.

    :raises NotFound: if there is no such issuance.
    """
    issuance = _lease(issuance_id, now=clock())
    if issuance is None:
        return _read(issuance_id)
    failpoint("issuing.before_adapter")
    try:
        outcome = _ask(issuance, now=clock())
        failpoint("issuing.after_adapter")
        settled = settle_attempt(
            issuance_id=issuance_id, outcome=outcome, attempt=issuance.attempts, now=clock()
        )
    except Exception as error:
        _put_off_unexpected(issuance, error, now=clock())
        raise
    failpoint("issuing.after_settle")
    return settled


@transaction.atomic(durable=True)
def settle_attempt(
    *, issuance_id: UUID, outcome: Outcome, attempt: int, now: datetime
) -> BonusIssuance:
    """Do with a pending issuance what the outcome of an attempt says, and return it."""
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
        case Unwanted():
            _tell(issuance, outcome.code, f"{outcome.reason} {outcome.known}".strip())
            fail_locked(
                issuance=issuance, reason=issuance.error_detail, actor=_asker_of(issuance), now=now
            )
        case PlatformUnavailable() if issuance.attempts == attempt:
            _put_off(issuance, NO_USABLE_ANSWER, outcome.detail, now=now)
    return issuance


def fail_locked(*, issuance: BonusIssuance, reason: str, actor: Actor, now: datetime) -> None:
    """End an issuance, which the caller holds locked, without a grant."""
    issuance.give_up(now=now)
    issuance.save(
        update_fields=["status", "settled_at", "leased_until", "error_code", "error_detail"]
    )
    _record(issuance, "bonus.issuance.failed", reason=reason, actor=actor, now=now)


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


def _asker_of(issuance: BonusIssuance) -> Actor:
    """Return who asked for the bonus."""
    return Actor(kind=ActorKind(issuance.actor_kind), ref=issuance.actor_ref)


@transaction.atomic(durable=True)
def _lease(issuance_id: UUID, *, now: datetime) -> BonusIssuance | None:
    """Take the issuance for one attempt; None if it is settled or somebody has it."""
    issuance = locks.lock_one(
        BonusIssuance.objects.filter(pk=issuance_id).select_related("player", "operator")
    )
    if not issuance.is_pending or issuance.is_leased(now=now):
        return None
    issuance.attempts += 1
    issuance.leased_until = now + attempt_length()
    # Should this attempt die, the next one comes when the lease is over.
    issuance.next_attempt_at = issuance.leased_until
    issuance.save(update_fields=["attempts", "leased_until", "next_attempt_at"])
    return issuance


def _ask(issuance: BonusIssuance, *, now: datetime) -> Outcome:
    why = find_why_unwanted(issuance=issuance, now=now)
    if why is not None:
        return recall_bonus(issuance=issuance, why=why, was_asked=issuance.attempts > 1)
    adapter = get_adapters().get_adapter(slug=issuance.adapter_slug)
    try:
        return adapter.grant_bonus(order_of(issuance=issuance))
    except (PlatformRejected, PlatformUnavailable) as failure:
        return failure


def _reject(issuance: BonusIssuance, refusal: PlatformRejected, *, now: datetime) -> None:
    _tell(issuance, refusal.code, refusal.detail)
    issuance.reject(now=now)
    issuance.save(
        update_fields=["status", "settled_at", "leased_until", "error_code", "error_detail"]
    )
    _record(issuance, "bonus.issuance.rejected", now=now)


def _put_off(issuance: BonusIssuance, code: str, detail: str, *, now: datetime) -> None:
    _tell(issuance, code, detail)
    # The rate was locked when the bonus was first wanted: an offer has been waiting longer.
    if is_tried_enough(wanted_since=issuance.locked_terms().fx_locked_at, now=now):
        reason = f"{TRIED_FOR.days} days without a grant, {issuance.attempts} attempts"
        fail_locked(issuance=issuance, reason=reason, actor=_asker_of(issuance), now=now)
        return
    jitter = random.SystemRandom().random()
    issuance.leased_until = None
    issuance.next_attempt_at = now + delay_after(attempts=issuance.attempts, jitter=jitter)
    issuance.save(update_fields=["leased_until", "next_attempt_at", "error_code", "error_detail"])


def _put_off_unexpected(issuance: BonusIssuance, error: Exception, *, now: datetime) -> None:
    """Put off what failed by a fault of ours, and say so where staff look."""
    code = error.code if isinstance(error, DomainError) else UNEXPECTED
    detail = (
        error.detail
        if isinstance(error, DomainError)
        else f"It failed unexpectedly ({type(error).__name__}); the log has the whole story."
    )
    try:
        with transaction.atomic(durable=True):
            locked = locks.lock_one(
                BonusIssuance.objects.filter(pk=issuance.pk).select_related("operator")
            )
            if locked.is_pending and locked.attempts == issuance.attempts:
                _put_off(locked, code, detail, now=now)
    except Exception:
        # The lease ends by itself; what is raised is the first failure.
        logger.exception("issuance %s could not be put off", issuance.pk)


def _tell(issuance: BonusIssuance, code: str, detail: str) -> None:
    issuance.error_code = code[:CODE_LENGTH_MAX]
    issuance.error_detail = detail[:DETAIL_LENGTH_MAX]


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
        actor=actor or _asker_of(issuance),
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


def _read(issuance_id: UUID) -> BonusIssuance:
    found = BonusIssuance.objects.select_related("operator", "player", "template")
    return found.get(pk=issuance_id)
