"""
64 requests with one key at one instant: one acts, all hear the same answer.

The control takes the key's lock away: then many act.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection

from core import audit, idempotency
from core.actors import Actor, ActorKind
from core.errors import IdempotencyInProgress
from core.idempotency import Answered, IdempotencyKey
from core.models import AuditEntry, IdempotencyRecord
from operators.models import Operator
from tests.concurrency.sabotage import impatient
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
KEY = IdempotencyKey(value="k", fingerprint="f")
ACTOR = Actor(kind=ActorKind.TASK, ref="race")


class Race:
    """Many threads that answer one key together, and how often the command was run."""

    def __init__(self, count: int) -> None:
        self.operator: Operator = OperatorFactory.create()
        self.start = threading.Barrier(count)
        self.count = count
        self.runs: list[int] = []

    def run(self) -> list[Answered | None]:
        with ThreadPoolExecutor(self.count) as pool:
            return list(pool.map(self._answer, range(self.count)))

    def _answer(self, number: int) -> Answered | None:
        try:
            with connection.cursor():
                # Connected before the start, so that all of them start.
                self.start.wait(timeout=30)
            return idempotency.answer_once(
                operator=self.operator, key=KEY, now=NOW, command=lambda: self._act(number)
            )
        except (IntegrityError, IdempotencyInProgress):
            return None
        finally:
            connection.close()

    def _act(self, number: int) -> str:
        self.runs.append(number)
        audit.record_action(
            operator=self.operator, actor=ACTOR, action="test.acted", subject=self.operator, now=NOW
        )
        return f"answer {number}"


def look_without_lock(*, operator_id: int, key: IdempotencyKey) -> Any:
    record = IdempotencyRecord.objects.filter(operator_id=operator_id, key=key.value).first()
    return record and Answered(answer=record.answer, is_replay=True)


def test_control_without_the_keys_lock_several_act(monkeypatch: pytest.MonkeyPatch) -> None:
    race = Race(8)
    all_have_looked = threading.Barrier(8)

    def look_together(**kwargs: Any) -> Any:
        found = look_without_lock(**kwargs)
        all_have_looked.wait(timeout=30)
        return found

    monkeypatch.setattr(idempotency, "_find_answer", look_together)

    answers = race.run()

    assert sorted(race.runs) == list(range(8))
    # Only the unique key stops them then, and those it stops hear no answer.
    assert len([answer for answer in answers if answer is None]) == 7


def test_one_acts_and_all_hear_its_answer() -> None:
    race = Race(64)

    answers = race.run()

    assert len(race.runs) == 1
    heard = [(answer.answer, answer.is_replay) for answer in answers if answer is not None]
    said = f"answer {race.runs[0]}"
    assert sorted(heard) == [(said, False)] + [(said, True)] * 63
    assert AuditEntry.objects.filter(action="test.acted").count() == 1
    assert IdempotencyRecord.objects.count() == 1


def test_who_cannot_wait_hears_that_it_is_in_progress() -> None:
    race = Race(1)
    acting, looked = threading.Event(), threading.Event()

    def act() -> str:
        acting.set()
        assert looked.wait(timeout=30)
        return "answer"

    def first() -> Answered:
        try:
            return idempotency.answer_once(operator=race.operator, key=KEY, now=NOW, command=act)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(first)
        assert acting.wait(timeout=30)
        try:
            with impatient(), pytest.raises(IdempotencyInProgress) as refusal:
                idempotency.answer_once(
                    operator=race.operator, key=KEY, now=NOW, command=lambda: "never"
                )
        finally:
            looked.set()
        assert answer.result(timeout=30) == Answered(answer="answer", is_replay=False)

    assert refusal.value.retry_after_s == 1
    assert IdempotencyRecord.objects.get().answer == "answer"
