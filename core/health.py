"""Is the process alive, and can it serve? No business words, no versions, no host names."""

from functools import cache

import kombu
from django.conf import settings
from django.core.cache import cache as shared_cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

BROKER_TIMEOUT_S = 2


@require_safe
@never_cache
def livez(_request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process can answer at all."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, migrations, broker and cache are ready, else 503."""
    checks = {
        "database": _database_answers,
        "migrations": _migrations_are_applied,
        "broker": _broker_answers,
        "cache": _cache_answers,
    }
    failing = [name for name, check in checks.items() if not _holds(check)]
    if failing:
        return JsonResponse({"status": "not ready", "failing": failing}, status=503)
    return JsonResponse({"status": "ready"})


def _holds(check: object) -> bool:
    try:
        return bool(check())  # type: ignore[operator]
    except Exception:  # noqa: BLE001
        # Any failure of a dependency, of whatever kind, means the same here: not ready.
        return False


def _database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


@cache
def _known_migrations_applied() -> bool:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError("migrations are waiting")
    return True


def _migrations_are_applied() -> bool:
    # Cached once true: a process never goes back to code without its migrations.
    return _known_migrations_applied()


def _broker_answers() -> bool:
    with kombu.Connection(
        settings.CELERY_BROKER_URL,
        connect_timeout=BROKER_TIMEOUT_S,
        # One that takes connections and says nothing is as good as away: Redis, then AMQP.
        transport_options={"socket_timeout": BROKER_TIMEOUT_S, "read_timeout": BROKER_TIMEOUT_S},
    ) as broker:
        broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S)
    return True


def _cache_answers() -> bool:
    shared_cache.get("readyz")
    return True
