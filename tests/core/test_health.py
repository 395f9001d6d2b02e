"""GET /livez and GET /readyz"""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from core import health


@pytest.fixture(autouse=True)
def _fresh_process() -> Iterator[None]:
    """Forget that the migrations were seen to be applied."""
    health._known_migrations_applied.cache_clear()
    yield
    health._known_migrations_applied.cache_clear()


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port on which somebody takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def ask(path: str) -> tuple[int, Any]:
    response = APIClient().get(path)
    return response.status_code, response.json()


def test_livez_asks_nobody(settings: Any, closed_port: int) -> None:
    # No database mark: a query would fail this test.
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{closed_port}/0"

    assert ask("/livez") == (200, {"status": "alive"})


@pytest.mark.django_db
def test_readyz_is_ready_when_everything_answers() -> None:
    assert ask("/readyz") == (200, {"status": "ready"})


@pytest.mark.django_db
def test_readyz_names_a_dead_broker(settings: Any, closed_port: int) -> None:
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{closed_port}/0"

    # Its name and no more: no host, no port, no version.
    assert ask("/readyz") == (503, {"status": "not ready", "failing": ["broker"]})


@pytest.mark.django_db
def test_readyz_does_not_wait_for_a_broker_that_says_nothing(
    settings: Any, silent_port: int
) -> None:
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{silent_port}/0"

    started = time.monotonic()
    answer = ask("/readyz")

    assert answer == (503, {"status": "not ready", "failing": ["broker"]})
    assert time.monotonic() - started < 20


@pytest.mark.django_db
def test_readyz_names_a_dead_cache(settings: Any, closed_port: int) -> None:
    default = settings.CACHES["default"]
    settings.CACHES = {"default": {**default, "LOCATION": f"redis://127.0.0.1:{closed_port}/1"}}

    assert ask("/readyz") == (503, {"status": "not ready", "failing": ["cache"]})


@pytest.mark.django_db
def test_readyz_names_waiting_migrations_until_they_are_applied() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'players' RETURNING app, name, applied"
        )
        removed = cursor.fetchall()

    waiting = ask("/readyz")
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", removed
        )

    assert waiting == (503, {"status": "not ready", "failing": ["migrations"]})
    assert ask("/readyz") == (200, {"status": "ready"})


def test_readyz_names_a_dead_database() -> None:
    # Without the database mark the connection is out of reach, like a server that is down.
    status, document = ask("/readyz")

    assert status == 503
    assert document["failing"] == ["database", "migrations"]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
@pytest.mark.django_db
def test_health_is_asked_without_a_key_and_never_cached(path: str) -> None:
    response = APIClient().get(path)

    assert response.status_code == 200
    assert "no-store" in response.headers.get("Cache-Control", "")
