"""
Whether an index serves a statement, whatever is known of the tables.

Which of several indexes PostgreSQL takes depends on statistics, and those of a test's tables on
what was in them before and on when they were last looked at. So nothing is left to choose: a
large table is not read from end to end, and its other indexes are out of sight.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection, transaction

# Rolled back with the block. A statement is planned without an index that is not valid.
_HIDE_OTHERS = """
    UPDATE pg_index SET indisvalid = false
    WHERE indrelid IN (SELECT indrelid FROM pg_index WHERE indexrelid = ANY(%(names)s::regclass[]))
    AND indexrelid <> ALL(%(names)s::regclass[])
"""


def conditions_by_index(
    sql: str, params: Mapping[str, Any] | None = None, *, indexes: tuple[str, ...]
) -> dict[str, list[str]]:
    """
    Return by what each of the indexes is searched when PostgreSQL answers the statement.

    One that is not used is left out, and a search for all that an index holds is an empty
    text: a partial index serves so, any other does not.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_HIDE_OTHERS, {"names": list(indexes)})
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        [[[explained]]] = cursor.fetchall()
        transaction.set_rollback(True)
    found: dict[str, list[str]] = {}
    for node in _nodes(explained["Plan"]):
        name = node.get("Index Name")
        if name in indexes:
            found.setdefault(name, []).append(node.get("Index Cond", ""))
    return found


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
