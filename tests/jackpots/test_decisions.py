"""A stake is decided once, and never longer than what it was decided upon holds."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from jackpots.models import Contribution
from jackpots.services import decisions
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory

pytestmark = pytest.mark.django_db

Contribute = Callable[..., Any]


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[Decimal]:
    """The stakes that were decided, rather than remembered."""
    stakes: list[Decimal] = []
    genuine = decisions.decide_legs

    def decide_legs(**kwargs: Any) -> Any:
        stakes.append(kwargs["base_wager"])
        return genuine(**kwargs)

    monkeypatch.setattr(decisions, "decide_legs", decide_legs)
    return stakes


def test_wagers_of_one_stake_are_decided_once(
    contribute: Contribute, operator: Operator, decided: list[Decimal]
) -> None:
    instance = InstanceFactory.create(operator=operator, ticket_cost=None)

    answers = [
        contribute(instance, base_wager=stake).json() for stake in ("10.00", "10.0", "20.00")
    ]

    assert decided == [Decimal(10), Decimal(20)]
    assert [each["results"][0]["amount"] for each in answers] == ["0.10", "0.10", "0.20"]
    assert len({each["request_id"] for each in answers}) == 3
    stored = Contribution.objects.order_by("number").values_list("id", "amount")
    assert [(str(key), amount) for key, amount in stored] == [
        (each["results"][0]["contribution_id"], Decimal(each["results"][0]["amount"]))
        for each in answers
    ]


def test_what_opens_and_closes_is_decided_every_time(
    contribute: Contribute, operator: Operator, decided: list[Decimal]
) -> None:
    instance = InstanceFactory.create(
        operator=operator, ticket_cost=None, closes_at=timezone.now() + timedelta(hours=1)
    )

    for _time in range(2):
        contribute(instance, base_wager="10.00")

    assert len(decided) == 2


def test_no_more_stakes_are_remembered_than_there_is_room_for(
    contribute: Contribute,
    operator: Operator,
    decided: list[Decimal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decisions, "_REMEMBERED_MAX", 2)
    instance = InstanceFactory.create(operator=operator, ticket_cost=None)

    for stake in ("1.00", "2.00", "3.00", "3.00", "1.00"):
        contribute(instance, base_wager=stake)

    assert decided == [Decimal(1), Decimal(2), Decimal(3), Decimal(1)]


def test_new_terms_are_obeyed_at_once(
    contribute: Contribute, operator: Operator, decided: list[Decimal]
) -> None:
    instance = InstanceFactory.create(operator=operator, ticket_cost=None)
    contribute(instance, base_wager="10.00")
    # As every change does.
    instance.contribution_percent = Decimal(2)
    instance.revision += 1
    instance.save()

    answer = contribute(instance, base_wager="10.00").json()

    assert answer["results"][0]["amount"] == "0.20"
