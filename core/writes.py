"""Writes that need nothing of each other's results, sent as one statement."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DataError
from psycopg.errors import NumericValueOutOfRange

from core.errors import InvalidRequest
from core.prepared import prepared_cursor

_COUNT = "(SELECT count(*) FROM write_{number})"


@dataclass(frozen=True, slots=True)
class _Write:
    sql: str
    params: Sequence[Any]
    written: Callable[[int], None] | None


class Writes:
    """
    What a command has yet to write, of one app and of another.

    Each app says its own INSERT or UPDATE; none may touch a row that another one touches.
    Whoever reads, or locks further down the stack of apps, sends what is there before.
    """

    def __init__(self) -> None:
        self._waiting: list[_Write] = []

    def add(
        self, sql: str, params: Sequence[Any], *, written: Callable[[int], None] | None = None
    ) -> None:
        """Keep a write, without RETURNING, for send(); ``written`` hears how many rows it met."""
        self._waiting.append(_Write(sql, params, written))

    def send(self) -> None:
        """
        Write what waits, in one round trip.

        :raises InvalidRequest: if a sum would be larger than can be stored.
        """
        writes, self._waiting = self._waiting, []
        if not writes:
            return
        numbers = range(len(writes))
        parts = ", ".join(
            f"write_{number} AS ({writes[number].sql} RETURNING 1)" for number in numbers
        )
        counts = ", ".join(_COUNT.format(number=number) for number in numbers)
        try:
            cursor = prepared_cursor()
            cursor.execute(
                f"WITH {parts} SELECT {counts}",
                [param for write in writes for param in write.params],
            )
            met = cursor.fetchone() or ()
        except DataError as error:
            if isinstance(error.__cause__, NumericValueOutOfRange):
                raise InvalidRequest("A sum would be larger than can be stored.") from error
            raise
        for write, count in zip(writes, met, strict=True):
            if write.written is not None:
                write.written(count)


@contextmanager
def write_together() -> Iterator[Writes]:
    """Collect writes and send what waits at the end; a refusal sends nothing."""
    writes = Writes()
    yield writes
    writes.send()
