"""
A process may be killed at any step of a contribution, or of a batch: all legs, or none.

Real processes die by SIGKILL; what they had sent is sent again, under the same keys.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.utils import timezone

from core.errors import DomainError
from core.idempotency import IdempotencyKey
from jackpots.models import Contribution, Instance
from jackpots.services.batches import BatchItem, contribute_batch
from jackpots.services.contributions import Wager, contribute
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.factories.players import PlayerFactory
from tests.faults.forking import KILLED, run_forked
from tests.jackpots.conftest import link, meter

pytestmark = pytest.mark.django_db(transaction=True)

ITEMS = 3
WAGER = Wager("ada", Decimal(10), "EUR")


@pytest.fixture
def chain(operator: Operator) -> list[Instance]:
    """An instance and the two it is linked to."""
    PlayerFactory.create(operator=operator, reference="ada")
    main, *linked = InstanceFactory.create_batch(3, operator=operator)
    link(main, *linked)
    return [main, *linked]


def one_by_one(main: Instance) -> list[bool]:
    return [
        contribute(
            operator=main.operator,
            instance_id=main.pk,
            wager=WAGER,
            follow_links=True,
            key=IdempotencyKey(f"key-{number}", "f" * 64),
            now=timezone.now(),
        ).is_replay
        for number in range(ITEMS)
    ]


def together(main: Instance) -> list[bool]:
    items = [
        BatchItem(IdempotencyKey(f"key-{number}", "f" * 64), main.pk, WAGER)
        for number in range(ITEMS)
    ]
    outcomes = contribute_batch(operator=main.operator, items=items, now=timezone.now())
    assert all(not isinstance(outcome, DomainError) for outcome in outcomes)
    return [outcome.is_replay for outcome in outcomes]


@pytest.mark.parametrize(
    ("failpoint", "send", "survivors"),
    [
        ("contribute.before_record", one_by_one, 0),
        ("contribute.after_record", one_by_one, 1),
        ("batch.before_record", together, 0),
        ("batch.after_record", together, ITEMS),
    ],
)
def test_all_legs_of_a_request_survive_a_kill_or_none_does(
    failpoint: str,
    send: Callable[[Instance], list[bool]],
    survivors: int,
    chain: list[Instance],
) -> None:
    status = run_forked(lambda: send(chain[0]), failpoints=f"{failpoint}:kill")

    assert status == KILLED
    assert [meter(each) for each in chain] == [Decimal("0.1") * survivors] * 3
    replays = send(chain[0])
    assert replays == [number < survivors for number in range(ITEMS)]
    assert [meter(each) for each in chain] == [Decimal("0.1") * ITEMS] * 3
    assert Contribution.objects.count() == 3 * ITEMS


def test_control_under_another_key_what_was_recorded_counts_again(chain: list[Instance]) -> None:
    def send(key: str) -> None:
        contribute(
            operator=chain[0].operator,
            instance_id=chain[0].pk,
            wager=WAGER,
            follow_links=True,
            key=IdempotencyKey(key, "f" * 64),
            now=timezone.now(),
        )

    died = run_forked(lambda: send("first"), failpoints="contribute.after_record:kill")
    send("second")

    assert died == KILLED
    assert [meter(each) for each in chain] == [Decimal("0.2")] * 3
