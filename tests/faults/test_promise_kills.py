"""
A process may be killed between any two steps of a promised contribution.

What was answered 202 is applied exactly once, and what was not answered is promised at the
next try. Real processes die by SIGKILL, against a real database.
"""

import re
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core.idempotency import IdempotencyKey
from core.models import IdempotencyRecord
from jackpots.models import Contribution, ContributionRequest, Instance
from jackpots.services import requests
from jackpots.services.contributions import Wager
from jackpots.services.requests import apply_contribution_requests, promise_contribution
from operators.models import Operator
from tests.concurrency.sabotage import at_once
from tests.factories.jackpots import InstanceFactory
from tests.factories.players import PlayerFactory
from tests.faults.forking import KILLED, run_forked
from tests.jackpots.conftest import link, meter

pytestmark = pytest.mark.django_db(transaction=True)

SERVICE = Path(__file__).resolve().parents[2] / "jackpots/services/requests.py"
#: Where promising can die, and whether the promise stands by then.
PROMISING = {"promises.before_commit": False, "promises.after_commit": True}
APPLYING = ("promises.after_effect", "promises.before_end")
KILLS = 2


class NoBroker:
    """Takes every message, and loses it."""

    def send_task(self, name: str, **kwargs: Any) -> None:
        return None


@pytest.fixture(autouse=True)
def _messages_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "current_app", NoBroker())


@pytest.fixture
def instances(operator: Operator) -> list[Instance]:
    """An instance and one that it is linked to; ``ada`` plays."""
    PlayerFactory.create(operator=operator, reference="ada")
    main, linked = InstanceFactory.create_batch(2, operator=operator)
    link(main, linked)
    return [main, linked]


def promise(instance: Instance) -> dict[str, Any]:
    promised = promise_contribution(
        operator=instance.operator,
        instance_id=instance.pk,
        wager=Wager("ada", Decimal("150.00"), "EUR"),
        key=IdempotencyKey("once", "f" * 64),
        now=timezone.now(),
    )
    return promised.answer


def sweep() -> int:
    return apply_contribution_requests(clock=timezone.now, limit=10)


def test_every_failpoint_of_the_service_is_killed_at() -> None:
    found = set(re.findall(r'failpoint\("([^"]+)"\)', SERVICE.read_text()))

    assert found == {*PROMISING, *APPLYING}


@pytest.mark.parametrize(("failpoint", "stands"), PROMISING.items())
def test_a_process_that_dies_promising_leaves_a_promise_or_nothing(
    instances: list[Instance], failpoint: str, stands: bool
) -> None:
    for _kill in range(KILLS):
        died = run_forked(lambda: promise(instances[0]), failpoints=f"{failpoint}:kill")
        assert died == KILLED
        assert ContributionRequest.objects.count() == stands
        assert IdempotencyRecord.objects.count() == stands
    answer = promise(instances[0])

    assert str(ContributionRequest.objects.get().pk) == answer["request_id"]
    assert sweep() == 1
    assert [meter(each) for each in instances] == [Decimal("1.5")] * 2


@pytest.mark.parametrize("failpoint", APPLYING)
def test_workers_that_die_again_and_again_apply_a_promise_once(
    instances: list[Instance], failpoint: str
) -> None:
    answer = promise(instances[0])

    for _kill in range(KILLS):
        assert run_forked(sweep, failpoints=f"{failpoint}:kill") == KILLED
        assert ContributionRequest.objects.pending().count() == 1
        assert Contribution.objects.exists() is False
    assert run_forked(sweep) == 0
    assert sweep() == 0

    assert ContributionRequest.objects.get().status == "done"
    assert {str(row.request_id) for row in Contribution.objects.all()} == {answer["request_id"]}
    assert [meter(each) for each in instances] == [Decimal("1.5")] * 2


def test_workers_at_once_apply_a_promise_once(instances: list[Instance]) -> None:
    promise(instances[0])

    ended = at_once([sweep] * 8)

    assert sum(ended) == 1
    assert [meter(each) for each in instances] == [Decimal("1.5")] * 2


def test_control_without_the_rows_lock_and_the_key_workers_apply_it_more_than_once(
    instances: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(instances[0])
    both_have_read = threading.Barrier(2)

    def read_without_lock(queryset: Any) -> list[Any]:
        rows = list(queryset)
        both_have_read.wait(timeout=60)
        return rows

    monkeypatch.setattr(requests.locks, "lock_many_skipping", read_without_lock)
    keys = iter(range(100))
    monkeypatch.setattr(
        requests, "_key_of", lambda request: IdempotencyKey(f"→ {next(keys)}", "f" * 64)
    )
    contribute = requests.contribute

    def contribute_elsewhere(**kwargs: Any) -> Any:
        # The legs of one request differ in the database: that guard is taken away, too.
        return contribute(**{**kwargs, "request_id": None})

    monkeypatch.setattr(requests, "contribute", contribute_elsewhere)

    assert at_once([sweep] * 2) == [1, 1]

    assert [meter(each) for each in instances] == [Decimal("3.0")] * 2
