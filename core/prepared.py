"""Statements that come thousands of times a second: the server parses and plans them once."""

import threading
from typing import Any

import psycopg
from django.db import connections
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from django.db.utils import DEFAULT_DB_ALIAS


class _Told(CursorDebugWrapper):
    """Logs statements as Django does. Of what is prepared it would not know the text."""

    def debug_sql(
        self,
        sql: Any = None,
        params: Any = None,
        use_last_executed_query: bool = False,  # noqa: FBT001, FBT002 -- as Django calls it
        many: Any = False,  # noqa: FBT002
    ) -> Any:
        if use_last_executed_query:
            sql = self.db.ops.compose_sql(sql, params)
        return super().debug_sql(sql, params, many=many)


class _Own(threading.local):
    """The cursor of this thread, and the connection that it is a cursor of."""

    connection: Any = None
    cursor: Any = None


_own = _Own()


def prepared_cursor() -> CursorWrapper:
    """
    Return this thread's cursor for prepared statements, on the connection as Django has it.

    Parameters are bound by the server, so each must be something whose type the statement
    says, or that has but one. It takes part in transactions, and is never closed: nothing is
    made anew for a statement but its parameters. A result is read before the next statement.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    if _own.connection is not database.connection:
        _own.connection = database.connection
        _own.cursor = psycopg.Cursor(database.connection)
    if database.queries_logged:
        return _Told(_own.cursor, database)
    return database.make_cursor(_own.cursor)
