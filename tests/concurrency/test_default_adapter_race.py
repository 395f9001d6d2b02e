"""
Many requests that each make another adapter the default, at one instant.

One of them is the default in the end, and none fails. The controls take away the lock, or only
its look before the list: then they meet at the database's own constraint, and losers fall.
"""

import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError

from adapters.errors import AdapterSlugTaken
from adapters.http.signing import make_secret
from adapters.models import AdapterConfig
from adapters.services.configs import put_adapter
from core import locks
from core.actors import Actor, ActorKind
from operators.models import Operator
from tests.concurrency.sabotage import at_once, let_them_wait, reading_together
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
ACTOR = Actor(kind=ActorKind.TASK, ref="race")
COUNT = 8


def put(operator: Operator, slug: str) -> str:
    try:
        added = put_adapter(
            operator=operator,
            slug=slug,
            kind="http",
            details={
                "base_url": "https://93.184.216.34",
                "secret": make_secret(),
                "is_default": True,
            },
            actor=ACTOR,
            now=NOW,
        )
    except (IntegrityError, AdapterSlugTaken) as error:
        return type(error).__name__
    return "added" if added.is_new else "changed"


def race(operator: Operator) -> Counter[str]:
    puts = [lambda number=number: put(operator, f"platform-{number}") for number in range(COUNT)]
    return Counter(at_once(puts))


def defaults_of(operator: Operator) -> int:
    return AdapterConfig.objects.for_operator(operator).default().count()


@pytest.fixture
def operator() -> Operator:
    return OperatorFactory.create()


def test_all_are_added_and_one_is_the_default(operator: Operator) -> None:
    assert race(operator) == {"added": COUNT}
    assert defaults_of(operator) == 1


def test_control_without_the_lock_some_fall(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "lock_one", lambda queryset: queryset.get())
    monkeypatch.setattr(locks, "lock_many", reading_together(COUNT))

    outcomes = race(operator)

    assert outcomes == {"added": 1, "IntegrityError": COUNT - 1}
    # The constraint stands behind the lock.
    assert defaults_of(operator) == 1


def test_control_a_list_from_before_the_lock_is_not_enough(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who waits for the rows of its snapshot does not see the row that was added meanwhile.
    assert put(operator, "platform") == "added"
    lock_many, all_wait = locks.lock_many, threading.Event()

    def lock_and_let_wait(queryset: Any) -> list[Any]:
        rows: list[Any] = lock_many(queryset)
        if not all_wait.is_set():
            let_them_wait(COUNT - 1)
            all_wait.set()
        return rows

    monkeypatch.setattr(locks, "lock_one", lambda queryset: queryset.get())
    monkeypatch.setattr(locks, "lock_many", lock_and_let_wait)

    outcomes = race(operator)

    assert outcomes == {"added": 1, "IntegrityError": COUNT - 1}
    assert defaults_of(operator) == 1


def test_of_many_operators_one_has_the_slug() -> None:
    operators = [OperatorFactory.create() for _number in range(COUNT)]

    outcomes = Counter(at_once([lambda each=each: put(each, "acme") for each in operators]))

    assert outcomes == {"added": 1, "AdapterSlugTaken": COUNT - 1}
    owner = AdapterConfig.objects.get(slug="acme").operator
    assert [defaults_of(each) for each in operators] == [1] * COUNT
    assert AdapterConfig.objects.get(operator=owner, is_default=True).slug == "acme"
