"""The queue: everything that waits for a second person, in one statement, for who may see it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.enums import ApprovalStatus
from approvals.models import Approval
from approvals.selectors import (
    QueueItem,
    count_waiting,
    list_decided,
    list_expired,
    list_open,
    list_waiting,
)
from jackpots.enums import BoostStatus, WinStatus
from jackpots.models import Boost, Win
from operators.models import Operator
from tests.factories.approvals import ApprovalFactory
from tests.factories.jackpots import BoostFactory, WinFactory
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db

ALL = ("approvals.view_approval", "jackpots.view_boost", "jackpots.view_win")


class Person:
    """Somebody with exactly the permissions named."""

    def __init__(self, *permissions: str) -> None:
        self.permissions = permissions

    def has_perm(self, perm: str) -> bool:
        return perm in self.permissions


@pytest.fixture
def waiting(operator: Operator, now: datetime) -> tuple[Approval, Boost, Win]:
    """One of each that waits, the win for longest; and one of each that does not."""
    approval = ApprovalFactory.create(operator=operator, requested_at=now)
    ApprovalFactory.create(operator=operator, requested_at=now, decided=ApprovalStatus.REJECTED)
    boost = BoostFactory.create(
        pot__instance__operator=operator, requested_at=now - timedelta(hours=1)
    )
    BoostFactory.create(pot__instance__operator=operator)
    win = WinFactory.create(
        pot__instance__operator=operator,
        player__reference="anna",
        amount=1500,
        found_at=now - timedelta(hours=2),
        status=WinStatus.AWAITING_APPROVAL,
    )
    WinFactory.create(pot__instance__operator=operator)
    return approval, boost, win


def keys(items: list[QueueItem]) -> list[tuple[str, str]]:
    return [(item.source, item.pk) for item in items]


def test_what_waits_is_counted_and_listed_longest_first_in_one_statement_each(
    waiting: tuple[Approval, Boost, Win], now: datetime
) -> None:
    approval, boost, win = waiting

    with CaptureQueriesContext(connection) as queries:
        count = count_waiting(Person(*ALL), now)
        items = list_waiting(Person(*ALL), now)

    assert len(queries) == 2
    assert count == 3
    assert keys(items) == [
        ("win", str(win.pk)),
        ("boost", str(boost.pk)),
        ("approval", str(approval.pk)),
    ]


def test_each_says_what_it_is_in_the_same_words(
    waiting: tuple[Approval, Boost, Win], operator: Operator, now: datetime
) -> None:
    approval, boost, win = waiting

    won, boosted, asked = list_waiting(Person(*ALL), now)

    assert (asked.title, asked.about) == ("Custom clawback", approval.summary[0])
    assert (asked.amount, asked.currency, asked.operator) == (600, "USD", operator.name)
    assert (asked.asked_at, asked.asked_by_kind, asked.asked_by_ref) == (now, "staff", "7")
    assert (asked.expires_at, asked.label) == (now + timedelta(hours=72), "Waiting")
    assert (asked.decide_permission, asked.model_label) == (
        "promos.approve_clawback",
        "approvals.approval",
    )
    assert (boosted.title, boosted.amount, boosted.currency) == ("Boost", 10, "EUR")
    assert boosted.about == f"{boost.pot.name} of {boost.pot.instance.name}"
    assert (boosted.decide_permission, boosted.model_label) == (
        "jackpots.approve_boost",
        "jackpots.boost",
    )
    assert (won.title, won.amount, won.expires_at) == ("Win", 1500, None)
    assert won.about == f"anna, pot {win.pot.name} of {win.instance.name}"
    assert (won.decide_permission, won.operator_id) == ("jackpots.approve_win", operator.pk)


@pytest.mark.parametrize(
    ("permissions", "sources"),
    [
        ((), []),
        (("approvals.view_approval",), ["approval"]),
        (("jackpots.view_win",), ["win"]),
        (("jackpots.view_win", "jackpots.view_boost"), ["win", "boost"]),
        (ALL, ["win", "boost", "approval"]),
    ],
)
def test_everybody_sees_what_they_may_see(
    permissions: tuple[str, ...],
    sources: list[str],
    waiting: tuple[Approval, Boost, Win],
    now: datetime,
) -> None:
    person = Person(*permissions)

    assert [item.source for item in list_waiting(person, now)] == sources
    assert count_waiting(person, now) == len(sources)


def test_at_the_instant_at_which_it_expires_it_waits_no_more(
    waiting: tuple[Approval, Boost, Win], now: datetime
) -> None:
    approval = waiting[0]
    person = Person("approvals.view_approval")

    before = approval.expires_at - timedelta(microseconds=1)
    assert keys(list_waiting(person, before)) == [("approval", str(approval.pk))]
    assert list_expired(person, before, limit=9) == []
    assert list_waiting(person, approval.expires_at) == []
    assert count_waiting(person, approval.expires_at) == 0
    (expired,) = list_expired(person, approval.expires_at, limit=9)
    assert (expired.pk, expired.is_expired(now=approval.expires_at)) == (str(approval.pk), True)


def test_what_was_decided_is_listed_newest_decision_first(
    waiting: tuple[Approval, Boost, Win], now: datetime
) -> None:
    WinFactory.create(found_at=now + timedelta(days=1), status=WinStatus.REJECTED)
    old = BoostFactory.create(requested_at=now - timedelta(days=9))
    Boost.objects.filter(pk=old.pk).update(
        status=BoostStatus.APPLIED,
        decided_at=now - timedelta(days=8),
        decided_by_kind="staff",
        decided_by_ref="8",
    )

    found = list_decided(Person(*ALL), limit=9)

    assert [(item.source, item.label) for item in found] == [
        ("win", "Rejected"),
        ("approval", "Rejected"),
        ("boost", "Applied"),
    ]
    assert [item.is_open for item in found] == [False] * 3


@pytest.mark.parametrize(
    ("kind", "sources"),
    [
        ("", ["win", "boost", "approval"]),
        ("clawback", ["approval"]),
        ("live_terms", []),
        ("boost", ["boost"]),
        ("win", ["win"]),
        ("nothing", []),
    ],
)
def test_a_kind_is_found_among_them(
    kind: str, sources: list[str], waiting: tuple[Approval, Boost, Win], now: datetime
) -> None:
    found = list_open(Person(*ALL), now, limit=9, kind=kind)

    assert [item.source for item in found] == sources


def test_an_operators_own_are_found_among_them(
    waiting: tuple[Approval, Boost, Win], operator: Operator, now: datetime
) -> None:
    other = OperatorFactory.create()
    theirs = ApprovalFactory.create(operator=other, requested_at=now)

    found = list_open(Person(*ALL), now, limit=9, operator_id=other.pk)

    assert keys(found) == [("approval", str(theirs.pk))]
    assert len(list_open(Person(*ALL), now, limit=9, operator_id=operator.pk)) == 3


def test_page_after_page_shows_each_once(operator: Operator, now: datetime) -> None:
    for number in range(4):
        at = now + timedelta(minutes=number)
        ApprovalFactory.create(operator=operator, requested_at=at)
        BoostFactory.create(pot__instance__operator=operator, requested_at=at)
    later = now + timedelta(hours=1)
    given: dict[str, Any] = {"limit": 3}

    pages = [list_open(Person(*ALL), later, offset=offset, **given) for offset in (0, 3, 6, 9)]

    assert [len(page) for page in pages] == [3, 3, 2, 0]
    shown = keys([item for page in pages for item in page])
    assert shown == keys(list_waiting(Person(*ALL), later))
    assert len(set(shown)) == 8
