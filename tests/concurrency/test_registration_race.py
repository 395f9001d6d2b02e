"""
Many requests that register one player at one instant.

All of them look before any of them inserts, so the race is certain. The control takes
away what catches the loser, and the loser falls.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection

from core import locks
from core.actors import Actor, ActorKind
from core.models import AuditEntry
from games.models import Game
from games.services import catalogue
from operators.models import Operator
from players.models import Player
from players.services import registration
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
ACTOR = Actor(kind=ActorKind.TASK, ref="race")


def put_player(operator: Operator, level: int) -> bool:
    registered = registration.put_player(
        operator=operator,
        reference="anna",
        currency="EUR",
        profile={"kyc_level": level},
        actor=ACTOR,
        now=NOW,
    )
    return registered.is_new


def put_game(operator: Operator, number: int) -> bool:
    catalogued = catalogue.put_game(
        operator=operator,
        slug="sums",
        name=f"Sums {number}",
        category="slots",
        details={},
        actor=ACTOR,
        now=NOW,
    )
    return catalogued.is_new


@pytest.fixture
def look_together(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function after which the first look of ``count`` threads ends at one instant."""

    def arrange(count: int) -> None:
        all_have_looked = threading.Barrier(count)
        looked = threading.local()
        lock_many = locks.lock_many

        def lock_then_wait(queryset: Any) -> list[Any]:
            rows = lock_many(queryset)
            if not getattr(looked, "once", False):
                looked.once = True
                all_have_looked.wait(timeout=60)
            return rows

        monkeypatch.setattr(locks, "lock_many", lock_then_wait)

    return arrange


def put_at_once(put: Any, count: int) -> Counter[str]:
    """Let ``count`` threads put one thing together; count the outcomes."""
    operator = OperatorFactory.create()

    def outcome(number: int) -> str:
        try:
            return "new" if put(operator, number) else "known"
        except IntegrityError:
            return "fell"
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(outcome, range(1, count + 1)))


@pytest.mark.parametrize(
    ("put", "service"), [(put_player, registration), (put_game, catalogue)], ids=["player", "game"]
)
def test_control_without_the_second_look_the_losers_fall(
    put: Any, service: Any, look_together: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_together(2)
    monkeypatch.setattr(service, "IntegrityError", ZeroDivisionError)

    assert put_at_once(put, 2) == {"new": 1, "fell": 1}


@pytest.mark.parametrize(
    ("put", "model"), [(put_player, Player), (put_game, Game)], ids=["player", "game"]
)
def test_one_is_first_and_the_others_update(put: Any, model: Any, look_together: Any) -> None:
    look_together(8)

    assert put_at_once(put, 8) == {"new": 1, "known": 7}
    assert model.objects.count() == 1
    # Every one of them was audited, and each change starts where the one before it ended.
    first, *changes = AuditEntry.objects.order_by("pk")
    assert (first.action.split(".")[1], len(changes)) in (("registered", 7), ("added", 7))
    for earlier, later in zip([first, *changes], changes, strict=False):
        for field, value in later.before.items():
            assert earlier.after[field] == value
