"""
The only module that takes locks (tests/architecture enforces it).

In one transaction locks only move down the stack of apps: advisory locks first, then
a service locks the rows of its own app, in one call, before it calls a service of a
lower app. All transactions then take their locks in one order, and none waits in a
circle. docs/architecture.md has the whole order.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.utils import OperationalError
from psycopg.errors import LockNotAvailable

from core.errors import NotFound, ResourceBusy
from core.prepared import prepared_cursor

M = TypeVar("M", bound=Model)


class AdvisoryLock(IntEnum):
    """
    What an advisory lock stands for: the first of its two numbers.

    Taken in this order, which is not that of the numbers: those stand in database functions
    too, so they are never reused and never changed. APPROVAL comes before everything, because
    what is approved takes whatever locks it needs by itself.
    """

    APPROVAL = 5
    IDEMPOTENCY_KEY = 1
    RAFFLE_PLAYER = 2
    INSTANCE = 3
    BONUS_PLAYER = 4


def lock_many(queryset: QuerySet[M]) -> list[M]:
    """
    Lock the rows of ``queryset`` in primary-key order and return them.

    The lock is FOR NO KEY UPDATE: it stops other writers but not the foreign-key checks
    of rows that point here. It lasts until the transaction ends.

    :raises ResourceBusy: if a row stays locked longer than lock_timeout.
    """
    _require_transaction()
    try:
        # list() matters: an unevaluated queryset takes no lock at all.
        return list(queryset.order_by("pk").select_for_update(of=("self",), no_key=True))
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise ResourceBusy("The row is in use. Try again.") from error
        raise


def lock_rows(
    select: str, params: Sequence[Any] | Mapping[str, Any], *, table: str
) -> list[tuple[Any, ...]]:
    """
    Lock the rows of ``table`` that a SELECT of our own finds; return all that it selects.

    As lock_many(), for a statement that runs for every request. The order of the locks is
    the statement's: it says ORDER BY, unless it can find one row only.

    :raises ResourceBusy: if a row stays locked longer than lock_timeout.
    """
    _require_transaction()
    try:
        cursor = prepared_cursor()
        cursor.execute(f'{select} FOR NO KEY UPDATE OF "{table}"', params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise ResourceBusy("The row is in use. Try again.") from error
        raise
    return found


def lock_many_skipping(queryset: QuerySet[M], *, count_max: int | None = None) -> list[M]:
    """
    Lock those rows of ``queryset`` that nobody holds, and return them; the others are left out.

    For sweeps: who holds a row is deciding about it, and the next run looks again. With
    ``count_max``, no more than the first so many are locked.
    """
    _require_transaction()
    free = queryset.order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True)
    return list(free[:count_max])


def lock_one(queryset: QuerySet[M]) -> M:
    """
    Lock the single row of ``queryset`` and return it.

    :raises NotFound: if there is no such row.
    :raises ResourceBusy: if the row stays locked longer than lock_timeout.
    """
    rows = lock_many(queryset)
    if not rows:
        raise NotFound(f"There is no such {queryset.model._meta.verbose_name}.")
    assert len(rows) == 1, f"expected one row, locked {len(rows)}"
    return rows[0]


def lock_exclusively(lock: AdvisoryLock, key: Any) -> None:
    """
    Take an advisory lock until the transaction ends, against its shared holders too.

    :raises ResourceBusy: if it is held longer than lock_timeout.
    """
    _take_advisory("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [int(lock), str(key)])


def lock_number_exclusively(lock: AdvisoryLock, number: int) -> None:
    """
    Take an advisory lock whose key is a row's number, as database functions do.

    :raises ResourceBusy: if it is held longer than lock_timeout.
    """
    _take_advisory("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", [int(lock), number])


def lock_shared(lock: AdvisoryLock, keys: Iterable[Any]) -> None:
    """
    Share advisory locks with other holders until the transaction ends, against exclusive ones.

    All in one call, and in the order of their numbers, as database functions take them.

    :raises ResourceBusy: if one is held exclusively longer than lock_timeout.
    """
    _take_advisory(
        "SELECT pg_advisory_xact_lock_shared(%s, number) FROM ("
        "SELECT DISTINCT hashtext(key) AS number FROM unnest(%s::text[]) AS key ORDER BY number"
        ") AS ordered",
        [int(lock), [str(key) for key in keys]],
    )


def _take_advisory(statement: str, params: list[Any]) -> None:
    _require_transaction()
    try:
        prepared_cursor().execute(statement, params)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise ResourceBusy("It is in use. Try again.") from error
        raise


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("A lock outside a transaction locks nothing.")
