"""
Contributions that are promised with a 202: written first, applied by a worker.

A promise and the answer to its key are one transaction, so what was answered 202 is
there. Applying it is one transaction, too: the contribution, under a key that no caller
can send, and the end of the request. However often and wherever a process dies, a
promise is either pending or has had its one effect.

A promised contribution is decided upon when it is applied: schedule, rates and the
player are those of that instant, and it is its ``created_at``.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import DataError, connection, transaction

from core import idempotency, locks
from core.errors import DomainError, InvalidRequest, NotFound
from core.failpoints import failpoint
from core.idempotency import IdempotencyKey
from jackpots import errors
from jackpots.enums import RequestStatus
from jackpots.models import ContributionRequest
from jackpots.selectors import get_instance
from jackpots.services.contributions import Wager, contribute
from operators.models import Operator
from players.selectors import get_player

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

_TASK = "jackpots.tasks.apply_contribution_request"
#: An attempt that broke is put off twice as long each time, but never longer than this.
_DELAY_S_MAX = 60


@dataclass(frozen=True, slots=True)
class Promised:
    """The stored answer to the key of a promise, and whether it was given before."""

    answer: dict[str, Any]
    is_replay: bool


def promise_contribution(
    *,
    operator: Operator,
    instance_id: UUID,
    wager: Wager,
    key: IdempotencyKey,
    now: datetime,
) -> Promised:
    """
    Promise to contribute, once per key; when this returns, the promise is kept.

    The same key returns the first answer, also if that was not a promise but a
    contribution: see is_promise.

    :raises NotFound: if the operator has no such instance or player.
    :raises IdempotencyKeyReused: if the key was used for another request.
    :raises IdempotencyInProgress: if the first request with the key is still running.
    """

    def promise() -> str:
        get_instance(operator=operator, instance_id=instance_id)
        get_player(operator=operator, reference=wager.player_reference)
        request = ContributionRequest(
            operator=operator,
            instance_id=instance_id,
            wager=_described(wager),
            received_at=now,
        )
        request.save(force_insert=True)
        _enqueue(request.pk)
        failpoint("promises.before_commit")
        return json.dumps({"request_id": str(request.pk), "status": RequestStatus.PENDING})

    answered = idempotency.answer_once(operator=operator, key=key, now=now, command=promise)
    failpoint("promises.after_commit")
    return Promised(answer=_read_answer(answered.answer), is_replay=answered.is_replay)


def is_promise(*, answer: Mapping[str, Any]) -> bool:
    """Tell whether the stored answer to a key is a promise, not what a contribution did."""
    return "results" not in answer


def get_contribution_request(*, operator: Operator, request_id: UUID) -> ContributionRequest:
    """
    Return the operator's promised contribution.

    :raises NotFound: if there is none.
    """
    found = ContributionRequest.objects.for_operator(operator).filter(pk=request_id).first()
    if found is None:
        raise NotFound("There is no such contribution request.")
    return found


def apply_contribution_request(*, request_id: UUID, clock: Clock) -> bool:
    """
    Apply a promised contribution, and tell whether that ended its request.

    Safe at any time, twice, and at once: a request that has ended, that somebody else is
    applying, or that has been put off, is left alone. A refusal ends it as failed, and so
    does what the database cannot store, which it never could. One that breaks otherwise, or
    finds the database busy, stays pending and is put off.
    """
    try:
        return _apply(request_id, now=clock())
    except DomainError as refusal:
        # The database's, not the contribution's: it has been promised, so it is tried again.
        logger.info("contribution request %s is put off: %s", request_id, refusal.code)
        _put_off(request_id, now=clock())
        return False
    except Exception:
        _put_off(request_id, now=clock())
        raise


def apply_contribution_requests(*, clock: Clock, limit: int) -> int:
    """
    Apply up to ``limit`` promised contributions, oldest first; return how many have ended.

    For those whose message got lost. One that cannot be applied never stops the others.
    """
    due = ContributionRequest.objects.due(now=clock()).order_by("pk")
    ended_count = 0
    for request_id in list(due.values_list("pk", flat=True)[:limit]):
        try:
            ended_count += apply_contribution_request(request_id=request_id, clock=clock)
        except Exception:
            # One that cannot be applied must not hold up what was promised to others.
            logger.exception("contribution request %s could not be applied", request_id)
    return ended_count


@transaction.atomic(durable=True)
def _apply(request_id: UUID, *, now: datetime) -> bool:
    # Never waits for the row: contribute() takes advisory locks after it, and so no circle
    # of waiting can pass through here.
    held = locks.lock_many_skipping(
        ContributionRequest.objects.due(now=now).filter(pk=request_id).select_related("operator")
    )
    if not held:
        return False
    [request] = held
    try:
        # A savepoint of its own: what a refusal began is undone, and the end is still written.
        with transaction.atomic():
            contributed = contribute(
                operator=request.operator,
                instance_id=request.instance_id,
                wager=_wager_of(request),
                follow_links=True,
                key=_key_of(request),
                now=now,
                request_id=request.pk,
            )
    except DomainError as refusal:
        if refusal.status >= 500:
            raise
        request.status, request.error = RequestStatus.FAILED, _stored(refusal)
    except DataError:
        # Not a refusal of ours, so somebody should look; but tried again it would be the same.
        logger.exception("contribution request %s cannot be stored", request_id)
        unstorable = errors.refusal(InvalidRequest.code)
        request.status, request.error = RequestStatus.FAILED, _stored(unstorable)
    else:
        request.status, request.answer = RequestStatus.DONE, _plain(contributed.answer)
    failpoint("promises.after_effect")
    request.finished_at = now
    request.save(update_fields=["status", "answer", "error", "finished_at"])
    failpoint("promises.before_end")
    return True


@transaction.atomic(durable=True)
def _put_off(request_id: UUID, *, now: datetime) -> None:
    pending = ContributionRequest.objects.pending().filter(pk=request_id)
    for request in locks.lock_many_skipping(pending):
        delay_s = min(2 ** min(request.attempts, 10), _DELAY_S_MAX)
        request.attempts += 1
        request.next_attempt_at = now + timedelta(seconds=delay_s)
        request.save(update_fields=["attempts", "next_attempt_at"])


def _enqueue(request_id: UUID) -> None:
    kwargs = {"request_id": str(request_id)}
    # Lost, it is swept up.
    transaction.on_commit(lambda: current_app.send_task(_TASK, kwargs=kwargs), robust=True)


def _key_of(request: ContributionRequest) -> IdempotencyKey:
    """Return the key of the effect: callers' keys are ASCII, so none of them can be it."""
    return IdempotencyKey(value=f"→ {request.pk}", fingerprint=str(request.pk))


def _described(wager: Wager) -> dict[str, Any]:
    return {
        "player_id": wager.player_reference,
        "base_wager": f"{wager.base_wager:f}",
        "currency": wager.currency,
        "gameround_id": wager.gameround_id,
        "metadata": wager.metadata,
    }


def _wager_of(request: ContributionRequest) -> Wager:
    stored = request.wager
    return Wager(
        player_reference=stored["player_id"],
        base_wager=Decimal(stored["base_wager"]),
        currency=stored["currency"],
        gameround_id=stored["gameround_id"],
        metadata=stored["metadata"],
    )


def _stored(refusal: DomainError) -> dict[str, Any]:
    return {
        "code": refusal.code,
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "members": _plain(refusal.members),
    }


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Return ``value`` as JSON keeps it: amounts become strings."""
    plain: dict[str, Any] = json.loads(json.dumps(value, default=str))
    return plain


def _read_answer(stored: str) -> dict[str, Any]:
    # What a contribution did is not stored but made of its rows; a promise is.
    with connection.cursor() as cursor:
        cursor.execute("SELECT jackpots_contribution_answer(%s)", [stored])
        row = cursor.fetchone()
    assert row is not None, "a SELECT without FROM has a row"
    answer: dict[str, Any] = json.loads(row[0])
    return answer
