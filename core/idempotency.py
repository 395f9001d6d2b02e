"""
One key, one effect: the answer is stored in the transaction of the effect.

Refusals are not remembered: the exception rolls the key back with everything else, so a
retry is decided afresh (API.md, idempotency).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.utils import OperationalError
from psycopg.errors import LockNotAvailable, UniqueViolation

from core.errors import IdempotencyInProgress, IdempotencyKeyReused
from core.prepared import prepared_cursor


class IdempotencyKey(msgspec.Struct, frozen=True):
    """A caller's key, and the SHA-256 of the request that it came with."""

    value: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a key, and whether it was given before."""

    answer: str
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Keeping:
    """A key, and what makes the answer: for a command that is one statement and stores both."""

    key: IdempotencyKey
    answer_of: Callable[[Any], str]

    def row_of(self, result: Any) -> dict[str, str]:
        """Return what the record of the key says of a command's result."""
        return {
            "key": self.key.value,
            "fingerprint": self.key.fingerprint,
            "answer": self.answer_of(result),
        }


@transaction.atomic(durable=True)
def answer_once(
    *, operator: Any, key: IdempotencyKey, now: datetime, command: Callable[[], str]
) -> Answered:
    """
    Run ``command`` and store its answer under ``key``, or return the answer stored before.

    The replay is looked up under the key's lock and before any rule, so concurrent
    duplicates never act twice: they wait, and hear the first answer.

    :raises IdempotencyKeyReused: if the key was used for another request.
    :raises IdempotencyInProgress: if the first request takes longer than lock_timeout.
    """
    replay = _find_answer(operator_id=operator.pk, key=key)
    if replay is not None:
        return replay
    answer = command()
    try:
        prepared_cursor().execute(
            "INSERT INTO core_idempotencyrecord"
            " (operator_id, key, fingerprint, answer, created_at) VALUES (%s, %s, %s, %s, %s)",
            [operator.pk, key.value, key.fingerprint, answer, now],
        )
    except IntegrityError as error:
        # A batch claims its thousand keys by writing them, without a lock for each.
        if isinstance(error.__cause__, UniqueViolation):
            raise in_progress() from error
        raise
    return Answered(answer=answer, is_replay=False)


@transaction.atomic(durable=True)
def find_answer(*, operator: Any, key: IdempotencyKey) -> Answered | None:
    """
    Return the answer to a key that has been answered, or None.

    For what must happen before the command and outside its transaction: it is not to happen
    again for a replay.

    :raises IdempotencyKeyReused: if the key was used for another request.
    :raises IdempotencyInProgress: if the first request takes longer than lock_timeout.
    """
    return _find_answer(operator_id=operator.pk, key=key)


def _find_answer(*, operator_id: int, key: IdempotencyKey) -> Answered | None:
    try:
        cursor = prepared_cursor()
        cursor.execute(
            "SELECT fingerprint, answer FROM core_claim_idempotency_key(%s, %s)",
            [operator_id, key.value],
        )
        row = cursor.fetchone()
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise in_progress() from error
        raise
    if row is None:
        return None
    fingerprint, answer = row
    if fingerprint != key.fingerprint:
        raise key_reused()
    return Answered(answer=answer, is_replay=True)


def key_reused() -> IdempotencyKeyReused:
    """Return the refusal of a key that belongs to another request."""
    return IdempotencyKeyReused(
        "This Idempotency-Key was used for another request. Use a fresh key for every command."
    )


def in_progress() -> IdempotencyInProgress:
    """Return the refusal of a key whose first request is still running."""
    return IdempotencyInProgress(
        "The first request with this Idempotency-Key is still running. Send it again shortly."
    )
