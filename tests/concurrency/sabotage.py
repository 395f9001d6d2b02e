"""Threads that start at one instant, and guards taken away: what race tests are made of."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection

T = TypeVar("T")

#: What must happen is waited for so long, on a machine as busy as may be.
PATIENCE_S = 60


def at_once(work: Sequence[Callable[[], T]]) -> list[T]:
    """Run each piece of work in a thread and with a connection of its own, all together."""
    start = threading.Barrier(len(work))

    def run(piece: Callable[[], T]) -> T:
        try:
            start.wait(timeout=PATIENCE_S)
            return piece()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result() for future in [pool.submit(run, piece) for piece in work]]


def reading_together(count: int) -> Callable[[Any], list[Any]]:
    """Return what reads rows without a lock, and at first waits until ``count`` threads have."""
    all_have_read = threading.Barrier(count)
    read: set[int] = set()

    def read_without_lock(queryset: Any) -> list[Any]:
        rows = list(queryset)
        if threading.get_ident() not in read:
            read.add(threading.get_ident())
            all_have_read.wait(timeout=PATIENCE_S)
        return rows

    return read_without_lock


def select_only(select: str, params: Any, *, table: str) -> list[tuple[Any, ...]]:
    """Stand in for locks.lock_rows: the same rows of ``table``, held by nobody."""
    assert table in select
    return execute(select, params)


def let_them_read(readings: Sequence[Any]) -> None:
    """Wait until a reader has begun and ended another reading, however busy the machine is."""
    # The first to come may have begun before the caller wrote.
    enough, give_up_at = len(readings) + 2, time.monotonic() + PATIENCE_S
    while len(readings) < enough:
        assert time.monotonic() < give_up_at, "nobody reads"
        time.sleep(0.001)


def let_them_wait(count: int = 1, *, or_end: threading.Thread | None = None) -> None:
    """Wait until ``count`` other connections to this database wait for a lock, or a thread ends."""
    give_up_at = time.monotonic() + PATIENCE_S
    while or_end is None or or_end.is_alive():
        # Within a transaction the server tells of all activity as it was at the first question.
        execute("SELECT pg_stat_clear_snapshot()")
        [(waiting,)] = execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        if waiting >= count:
            return
        assert time.monotonic() < give_up_at, f"{waiting} wait, not {count}"
        time.sleep(0.01)


@contextmanager
def sabotaged(function: str, *replacements: tuple[str, str]) -> Iterator[None]:
    """Rewrite a database function for the duration of the block; each text must be in it."""
    original = execute("SELECT pg_get_functiondef(%s::regproc)", [function])[0][0]
    broken = original
    for old, new in replacements:
        assert old in broken, f"{old!r} is not in {function}"
        broken = broken.replace(old, new)
    execute(broken)
    try:
        yield
    finally:
        execute(original)


@contextmanager
def meeting(count: int) -> Iterator[str]:
    """
    Yield statements for a database function: whoever comes to them waits for ``count`` to come.

    Who comes later passes, and who waits in vain goes on after a minute.
    """
    execute("CREATE SEQUENCE meeting")
    try:
        yield f"""PERFORM nextval('meeting');
            FOR moment IN 1 .. 6000 LOOP
                EXIT WHEN (SELECT last_value FROM meeting) >= {count};
                PERFORM pg_sleep(0.01);
            END LOOP;"""
    finally:
        execute("DROP SEQUENCE meeting")


@contextmanager
def impatient() -> Iterator[None]:
    """Give up on a lock soon, on this thread's connection, until the end of the block."""
    execute("SET lock_timeout = '50ms'")
    try:
        yield
    finally:
        # The pool lends the connection to somebody else next.
        execute("RESET lock_timeout")


@contextmanager
def triggers_off() -> Iterator[None]:
    """Write as somebody who has got past every trigger, for the duration of the block."""
    execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        execute("SET session_replication_role = DEFAULT")


def execute(sql: str, params: Any = None) -> list[tuple[Any, ...]]:
    """Run a statement on the test's own connection and return its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []
