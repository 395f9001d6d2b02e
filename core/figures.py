"""
The kernel's own figures: outbox, books, queues, ticks, connections.

Imported when the app starts, so that core.metrics knows them.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import kombu
from amqp.exceptions import ChannelError, NotFound
from django.conf import settings
from django.db import connection
from kombu.exceptions import ChannelError as TransportChannelError
from prometheus_client.metrics_core import Metric

from core import ticks
from core.metrics import COUNTED_MAX, age_of, gauge, gauges, register_collector, time_since
from core.transactions import highest_watermark, next_transaction_id

BROKER_TIMEOUT_S = 2

_OUTBOX = """
    SELECT count(*), min(waiting.created_at)
    FROM (
        SELECT created_at FROM core_outboxmessage WHERE relayed_at IS NULL
        ORDER BY id LIMIT %s
    ) AS waiting
"""
_BOOKS = """
    SELECT finished_at, jsonb_array_length(differences) FROM core_bookscheck
    ORDER BY id DESC LIMIT 1
"""
_CONNECTIONS = """
    SELECT coalesce(nullif(application_name, ''), 'unnamed'), coalesce(state, 'hidden'), count(*),
        extract(epoch FROM max(clock_timestamp() - xact_start)
            FILTER (WHERE backend_xid IS NOT NULL))
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
    GROUP BY 1, 2
"""


@register_collector("outbox")
def outbox_figures(now: datetime) -> Iterator[Metric]:
    """Tell of messages that have not been passed on yet."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTBOX, [COUNTED_MAX])
        count, oldest = cursor.fetchone() or (0, None)
    yield gauge("outbox_unrelayed", "Outbox messages that have not been passed on.", count)
    yield gauge(
        "outbox_oldest_unrelayed_seconds",
        "Age of the oldest outbox message that has not been passed on.",
        age_of(oldest, now),
    )


@register_collector("books")
def books_figures(now: datetime) -> Iterator[Metric]:
    """Tell what the last check of the books found, and when that was."""
    with connection.cursor() as cursor:
        cursor.execute(_BOOKS)
        finished_at, difference_count = cursor.fetchone() or (None, 0)
    yield gauge(
        "books_differences",
        "Differences that the last check of the books found.",
        difference_count,
    )
    yield gauge(
        "books_check_age_seconds",
        "Time since the last check of the books was finished.",
        time_since(finished_at, now),
    )


@register_collector("database")
def database_figures(_now: datetime) -> Iterator[Metric]:
    """Tell who is connected to the database, and of the longest transaction that writes."""
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTIONS)
        rows = cursor.fetchall()
        cursor.execute("SELECT current_setting('max_connections')::integer")
        (allowed,) = cursor.fetchone() or (0,)
    yield gauges(
        "database_connections",
        "Connections to the database, by the name that the client gave and by state.",
        ("application", "state"),
        {(name, state): count for name, state, count, _longest in rows},
    )
    yield gauge("database_connections_max", "Connections that the server allows.", allowed)
    yield gauge(
        "database_transactions_behind",
        "How far the counter of transactions is behind the meters: after a restore only.",
        max(highest_watermark() - next_transaction_id(), 0),
    )
    yield gauge(
        "database_oldest_write_seconds",
        "Age of the oldest transaction that has written something; meters are folded behind it.",
        max((float(longest) for *_rest, longest in rows if longest is not None), default=0.0),
    )


@register_collector("queues", reads_database=False)
def queue_figures(_now: datetime) -> Iterator[Metric]:
    """Tell how many messages wait in every queue."""
    lengths: dict[tuple[str, ...], float] = {}
    with kombu.Connection(
        settings.CELERY_BROKER_URL,
        connect_timeout=BROKER_TIMEOUT_S,
        transport_options={"socket_timeout": BROKER_TIMEOUT_S, "read_timeout": BROKER_TIMEOUT_S},
    ) as broker:
        broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S)
        for queue in settings.QUEUES:
            lengths[(queue,)] = _length_of(broker, queue)
    yield gauges(
        "queue_messages", "Messages that wait for a worker, by queue.", ("queue",), lengths
    )


@register_collector("ticks", reads_database=False)
def tick_figures(now: datetime) -> Iterator[Metric]:
    """Tell since when the workers of every queue have not been heard of."""
    found = ticks.last_ticks(queues=settings.QUEUES)
    yield gauges(
        "queue_tick_age_seconds",
        "Time since a worker of the queue last took a tick of beat; infinite: never.",
        ("queue",),
        {(queue,): time_since(instant, now) for queue, instant in found.items()},
    )


def _length_of(broker: kombu.Connection, queue: str) -> int:
    # A channel of its own: with AMQP, asking for a queue that is not there closes it.
    channel: Any = broker.channel()
    with channel:
        try:
            declared = channel.queue_declare(queue=queue, passive=True)
        except (ChannelError, NotFound, TransportChannelError):
            # Nobody has sent anything there yet, or all of it has been taken.
            return 0
    return int(declared.message_count)
