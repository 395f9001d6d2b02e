"""
The database's counter of transactions, on which the order of the ledger rests.

Rows carry the id of the transaction that wrote them, and watermarks say up to which one rows
have been added up. Ids only grow, as long as the database stays in its cluster: a backup of
the whole cluster, a replica and pg_upgrade keep the counter. A dump that is restored into
another cluster does not. It brings ids that this cluster has not reached yet, and what is
written there now would lie below the watermarks and never be added up.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from django.apps import apps
from django.db import connection

from core.books import Difference, register_check
from core.models import XidField

#: So many transactions a statement: a second's work, well within the statement timeout.
_STEP = 20_000
#: What a row's own id is called; any other such column is a watermark.
_ROW_ID = "xid"


def next_transaction_id() -> int:
    """Return the id that the next transaction will have, or a little less."""
    with connection.cursor() as cursor:
        # The snapshot's end does not count the transaction that asks, if it has an id already.
        cursor.execute(
            "SELECT greatest(pg_snapshot_xmax(pg_current_snapshot())::text::numeric,"
            " pg_current_xact_id_if_assigned()::text::numeric + 1)"
        )
        (found,) = cursor.fetchone() or (0,)
    return int(found)


def highest_watermark() -> int:
    """Return the highest transaction up to which anything has been added up."""
    return _highest(_columns(rows=False))


def highest_stored_id() -> int:
    """Return the highest transaction that anything stored knows of; reads every row."""
    return _highest([*_columns(rows=False), *_columns(rows=True)])


def advance_counter(*, beyond: int, notify: Callable[[int], None]) -> int:
    """
    Use up transactions until the next one has an id above ``beyond``; return how many.

    For a database that was restored from a dump, before anything else writes to it. Safe to
    stop and to run again. ``notify`` is told how many there are still to go.
    """
    used_count = 0
    while (missing := beyond + 1 - next_transaction_id()) > 0:
        notify(missing)
        used_count += _use_up(min(missing, _STEP))
    return used_count


@register_check("core.transactions")
def check_counter() -> Iterator[Difference]:
    """Find a counter that is behind what has been added up."""
    following, watermark = next_transaction_id(), highest_watermark()
    if following < watermark:
        yield Difference(
            "core.transactions",
            "the next transaction (manage.py catch_up_transactions)",
            Decimal(following),
            Decimal(watermark),
        )


def _columns(*, rows: bool) -> list[tuple[str, str]]:
    return [
        (model._meta.db_table, str(field.column))
        for model in apps.get_models()
        if model._meta.managed
        for field in model._meta.local_fields
        if isinstance(field, XidField) and (field.column == _ROW_ID) is rows
    ]


def _highest(columns: list[tuple[str, str]]) -> int:
    quote = connection.ops.quote_name
    # Compared as numbers: xid8 has an order, and no max() before PostgreSQL 18.
    parts = [
        f"SELECT max({quote(column)}::text::numeric) AS id FROM {quote(table)}"  # noqa: S608
        for table, column in columns
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM ({' UNION ALL '.join(parts)}) AS known")  # noqa: S608
        (found,) = cursor.fetchone() or (0,)
    return int(found)


def _use_up(count: int) -> int:
    assert not connection.in_atomic_block, "each of them has to be a transaction of its own"
    with connection.cursor() as cursor:
        cursor.execute(
            f"DO $$ BEGIN FOR number IN 1..{count:d} LOOP"
            " PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
        )
    return count
