"""What every test may ask for: an operator, an actor, an instant, a client, the locks taken."""

import random
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, settings
from rest_framework.test import APIClient

from core.actors import Actor, ActorKind
from jackpots.services import legs, pots
from operators import authentication, throttling
from operators.models import Operator
from tests.adapters.sandbox import (  # noqa: F401 -- fixtures
    sandbox_process,
    sandbox_server,
    webhook_receiver,
)
from tests.emptying import empty_tables
from tests.factories.operators import OperatorFactory, issue_key
from tests.running import running_windfall  # noqa: F401 -- a fixture
from tests.template import copy_template

# How long an example takes says something about the machine, and nothing about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def now() -> datetime:
    """One minute before Europe moves its clocks forward."""
    return datetime(2026, 3, 29, 0, 59, tzinfo=UTC)


@pytest.fixture
def operator(db: Any) -> Operator:
    return OperatorFactory.create()


@pytest.fixture
def actor() -> Actor:
    return Actor(kind=ActorKind.STAFF, ref="7")


class Client(APIClient):
    """A client of one operator: JSON both ways, and a fresh Idempotency-Key for every POST."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.key_number = 0
        self.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}")

    def post(self, path: str, data: Any = None, *, key: str | None = None, **extra: Any) -> Any:
        self.key_number += 1
        headers = {"Idempotency-Key": key or f"key-{id(self)}-{self.key_number}"}
        headers.update(extra.pop("headers", {}))
        body = {} if data is None else data
        return super().post(path, body, format="json", headers=headers, **extra)

    def put(self, path: str, data: Any = None, **extra: Any) -> Any:
        return super().put(path, {} if data is None else data, format="json", **extra)


@pytest.fixture
def client_of() -> Callable[..., Client]:
    """Return a function that makes a client with a key of an operator."""

    def make(operator: Operator, **kwargs: Any) -> Client:
        return Client(issue_key(operator, **kwargs))

    return make


@pytest.fixture
def client(operator: Operator, client_of: Callable[..., Client]) -> Client:
    """A client of ``operator``, with every scope."""
    return client_of(operator)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Copy the database that `make test` has migrated (tests/template.py)."""
    copy_template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Let nobody who signs in become number 7, who has asked for things in many a test."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT setval('auth_user_id_seq', 1000)")


@pytest.fixture(scope="session", autouse=True)
def _emptied_quickly() -> Iterator[None]:
    """Empty only what a test has filled (tests/emptying.py)."""
    with mock.patch.object(TransactionTestCase, "_fixture_teardown", empty_tables):
        yield


@pytest.fixture(autouse=True)
def _nothing_remembered(settings: Any) -> Iterator[None]:
    """Forget what a process remembers between requests: each test is a fresh process."""
    authentication.forget_cached_keys()
    throttling.forget_leases()
    # Not cache.clear(): the tests that run at the same time share the server.
    own = {**settings.CACHES["default"], "KEY_PREFIX": f"test-{uuid4()}"}
    settings.CACHES = {"default": own}
    yield
    authentication.forget_cached_keys()


@pytest.fixture(autouse=True)
def _same_luck(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let triggers and hits fall as the shuffling says: what failed fails again."""
    dice = random.Random(f"{random.random()} {request.node.nodeid}")
    for module in (pots, legs):
        lucky = SimpleNamespace(randbelow=dice.randrange, token_hex=secrets.token_hex)
        monkeypatch.setattr(module, "secrets", lucky)


@pytest.fixture
def record_locks() -> Callable[[], AbstractContextManager[list[str]]]:
    """
    Record the tables in which a block locks rows, in order, repeats left out.

    A behavioural test can hardly see a wrong lock order; the SQL shows it.
    """

    @contextmanager
    def record() -> Iterator[list[str]]:
        tables: list[str] = []
        with CaptureQueriesContext(connection) as queries:
            yield tables
        for query in queries:
            match = re.search(r'FOR NO KEY UPDATE OF "(\w+)"', query["sql"])
            if match and match[1] not in tables:
                tables.append(match[1])

    return record
