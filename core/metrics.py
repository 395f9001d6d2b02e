"""
What the product says of itself in figures, for whoever watches it.

Every app registers a collector here, as it registers its checks of the books, and
``/metrics`` runs them all. Figures are of the whole installation, not of the process that
answers: they come from the database, the broker and the cache, so it makes no difference
which web process is asked. Each is bounded by an index, counts no further than
``COUNTED_MAX``, and is given up after ``STATEMENT_TIMEOUT_MS``: watching must never weigh
on what is watched.
"""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, transaction
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector as PrometheusCollector
from psycopg_pool import PoolTimeout

logger = logging.getLogger(__name__)

#: Nothing is counted beyond this: more is no news, and counting it would take long.
COUNTED_MAX = 10_000
STATEMENT_TIMEOUT_MS = 2_000
_PREFIX = "windfall_"

Collect = Callable[[datetime], Iterable[Metric]]

_collectors: dict[str, tuple[Collect, bool]] = {}


def register_collector(name: str, *, reads_database: bool = True) -> Callable[[Collect], Collect]:
    """Register the decorated function as the collector ``name``; it returns its figures."""

    def register(collect: Collect) -> Collect:
        assert name not in _collectors, f"collector {name} is registered twice"
        _collectors[name] = (collect, reads_database)
        return collect

    return register


def collector_names() -> list[str]:
    """Return the names of all registered collectors, in order."""
    return sorted(_collectors)


def gauge(name: str, meaning: str, value: float) -> Metric:
    """Return one figure; its name is given the product's prefix."""
    return GaugeMetricFamily(_PREFIX + name, meaning, value=value)


def gauges(
    name: str, meaning: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
) -> Metric:
    """Return a figure for each of several things, told apart by ``labels``."""
    family = GaugeMetricFamily(_PREFIX + name, meaning, labels=labels)
    for each, value in values.items():
        family.add_metric(each, value)
    return family


def age_of(instant: datetime | None, now: datetime) -> float:
    """Return the seconds since the oldest of something; none is of no age."""
    return 0.0 if instant is None else max((now - instant).total_seconds(), 0.0)


def time_since(instant: datetime | None, now: datetime) -> float:
    """Return the seconds since something last happened; never is infinitely long ago."""
    return math.inf if instant is None else max((now - instant).total_seconds(), 0.0)


def collect_figures(*, now: datetime) -> Iterator[Metric]:
    """
    Yield every figure, and for every collector whether it could tell its own.

    One that breaks does not take the others with it. Once the database does not answer, nobody
    asks it again: the answer must come before whoever asks has given up.
    """
    health: dict[tuple[str, ...], float] = {}
    is_database_away = False
    for name in collector_names():
        collect, reads_database = _collectors[name]
        health[(name,)] = 0
        if reads_database and is_database_away:
            continue
        try:
            found = _bounded(collect, now) if reads_database else list(collect(now))
        except Exception as error:
            # Whatever broke, the other figures are still true, and this one is said to be missing.
            logger.exception("the figures of %s could not be collected", name)
            is_database_away = is_database_away or _means_away(error)
            continue
        health[(name,)] = 1
        yield from found
    yield gauges(
        "collector_up",
        "1 if the figures of this collector could be collected.",
        ("collector",),
        health,
    )


def exposition(*, now: datetime) -> bytes:
    """Return all figures in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_AsTheyAre(now))
    return generate_latest(registry)


class _AsTheyAre(PrometheusCollector):
    """Hands the figures of one instant to the library that writes them."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterable[Metric]:
        return collect_figures(now=self._now)


def _bounded(collect: Collect, now: datetime) -> list[Metric]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true)", [f"{STATEMENT_TIMEOUT_MS}"]
            )
        return list(collect(now))


def _means_away(error: Exception) -> bool:
    """Tell a database that is not there from a statement that took too long."""
    if isinstance(error, (InterfaceError, PoolTimeout)):
        return True
    return (
        isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) is None
    )
