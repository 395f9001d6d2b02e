"""jackpots.metrics: what has not been added up, kept, paid, decided or drawn."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.actors import Actor
from jackpots.enums import InstanceStatus, WinStatus
from jackpots.services import folding
from operators.models import Operator
from tests.factories.jackpots import ContributionRequestFactory, InstanceFactory, WinFactory
from tests.jackpots.conftest import let_the_horizon_pass
from tests.watching import searched_by, told_by

HOUR = timedelta(hours=1)


@pytest.mark.django_db
def test_where_nothing_happens_everything_is_nothing(now: datetime) -> None:
    assert set(told_by("jackpots", now).values()) == {0}


@pytest.mark.django_db(transaction=True)
def test_the_fold_lags_by_the_oldest_contribution_it_has_not_added(
    operator: Operator, contribute: Callable[..., Any], actor: Actor
) -> None:
    instance, other = InstanceFactory.create_batch(2, operator=operator, progressive=True)
    contribute(other)
    let_the_horizon_pass()
    folding.fold_contributions(actor=actor, now=timezone.now(), limit=10)
    folded = told_by("jackpots", timezone.now() + HOUR)
    contribute(instance)
    contribute(other)

    waiting = told_by("jackpots", timezone.now() + HOUR)
    let_the_horizon_pass()
    folding.fold_contributions(actor=actor, now=timezone.now(), limit=10)

    assert folded["fold_lag_seconds"] == 0
    assert 3600 <= waiting["fold_lag_seconds"] < 3660
    assert told_by("jackpots", timezone.now() + HOUR)["fold_lag_seconds"] == 0


@pytest.mark.django_db
def test_promises_wait_until_they_have_ended(operator: Operator, now: datetime) -> None:
    for hours in (1, 3):
        ContributionRequestFactory.create(operator=operator, received_at=now - hours * HOUR)
    ContributionRequestFactory.create(
        operator=operator,
        received_at=now - 9 * HOUR,
        status="done",
        answer={},
        finished_at=now,
    )

    found = told_by("jackpots", now)

    assert found["promises_waiting"] == 2
    assert found["promises_oldest_waiting_seconds"] == 3 * 3600


@pytest.mark.django_db
def test_wins_wait_to_be_paid_or_to_be_decided_about(now: datetime) -> None:
    WinFactory.create(found_at=now - 5 * HOUR, next_attempt_at=now + HOUR)
    WinFactory.create(found_at=now - HOUR)
    WinFactory.create(found_at=now - 3 * HOUR, status=WinStatus.AWAITING_APPROVAL)
    for status in (WinStatus.PAID, WinStatus.REJECTED):
        WinFactory.create(found_at=now - 9 * HOUR, status=status)

    found = told_by("jackpots", now)

    assert (found["payouts_waiting"], found["payouts_due"]) == (2, 1)
    assert found["payouts_oldest_waiting_seconds"] == 5 * 3600
    assert found["wins_awaiting_approval"] == 1
    assert found["wins_oldest_awaiting_approval_seconds"] == 3 * 3600


@pytest.mark.django_db
def test_a_raffle_that_has_closed_waits_to_be_drawn(now: datetime) -> None:
    InstanceFactory.create(status=InstanceStatus.CLOSING, closing_at=now - HOUR)
    InstanceFactory.create(status=InstanceStatus.DRAWN, closing_at=now - 2 * HOUR)
    InstanceFactory.create(
        status=InstanceStatus.CLOSING, closing_at=now - 3 * HOUR, progressive=True
    )

    assert told_by("jackpots", now)["raffles_oldest_undrawn_seconds"] == 3600


@pytest.mark.django_db
def test_large_tables_are_asked_through_an_index(now: datetime) -> None:
    # Each of these holds nothing but what is counted.
    partial = ("contribution_request_pending", "win_to_pay", "win_awaiting_approval")

    searched = searched_by("jackpots", now, "contribution_to_fold", *partial)

    assert [searched[index] for index in partial] == [[""]] * 3
    [condition] = searched["contribution_to_fold"]
    assert "instance_id = " in condition
    assert "xid >= " in condition
