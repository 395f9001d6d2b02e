"""The one queue: requests, boosts and wins together, for whoever may see them."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from approvals.enums import ApprovalStatus
from approvals.models import Approval
from jackpots.enums import WinStatus
from jackpots.models import Boost, Instance, Win
from operators.models import Operator
from tests.admin.conftest import decide
from tests.concurrency.sabotage import execute, triggers_off
from tests.factories.approvals import ApprovalFactory
from tests.factories.jackpots import BoostFactory, InstanceFactory, WinFactory
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db

QUEUE = reverse("admin:approvals_approval_changelist")
SEES = "approvals.view_approval"


@pytest.fixture
def daily(operator: Operator) -> Instance:
    return InstanceFactory.create(
        operator=operator, name="Daily", progressive=True, pots=[{"seed": "100"}]
    )


def page(approval: Approval, name: str = "change") -> str:
    return reverse(f"admin:approvals_approval_{name}", args=[approval.pk])


# Boosts and wins keep their own lives, and the same four eyes


@pytest.fixture
def boost(daily: Instance) -> Boost:
    return BoostFactory.create(pot=daily.pots.get(), requested_at=timezone.now())


@pytest.fixture
def win(daily: Instance) -> Win:
    return WinFactory.create(pot=daily.pots.get(), amount=1500, status=WinStatus.AWAITING_APPROVAL)


@pytest.mark.parametrize(
    ("model", "name"),
    [("boost", "apply"), ("boost", "reject"), ("win", "approve"), ("win", "reject")],
)
def test_a_boost_and_a_win_are_decided_as_they_were_shown_or_not_at_all(
    model: str, name: str, office: Client, boost: Boost, win: Win, changes_nothing: Any
) -> None:
    row: Any = {"boost": boost, "win": win}[model]
    path = reverse(f"admin:jackpots_{model}_{name}", args=[row.pk])
    shown = office.get(path).context["form"]["fingerprint"].value()

    with triggers_off():
        execute(f"UPDATE jackpots_{model} SET amount = amount + 1")
    for fingerprint in (shown, "", "0" * 64):
        with changes_nothing():
            refused = office.post(path, {"reason": "Because", "fingerprint": fingerprint})
        assert refused.status_code == 409
        assert "not what you were shown" in refused.content.decode()

    # Whoever looks again decides upon what is there now.
    assert decide(office, path, "Because").redirect_chain != []


# The queue


def test_the_queue_holds_all_of_it_longest_first_and_offers_the_decisions(
    office: Client, operator: Operator, boost: Boost, win: Win
) -> None:
    approval = ApprovalFactory.create(operator=operator, requested_at=timezone.now())

    shown = office.get(QUEUE)

    text = shown.content.decode()
    assert [row["kind"] for row in shown.context["rows"]] == ["Win", "Boost", "Custom clawback"]
    assert shown.context["tabs"][0]["count"] == 3
    for path in (
        page(approval, "approve"),
        page(approval, "reject"),
        reverse("admin:jackpots_boost_apply", args=[boost.pk]),
        reverse("admin:jackpots_win_approve", args=[win.pk]),
    ):
        assert path in text
    assert "1,500.00 EUR" in text


def test_the_queue_offers_nobody_their_own_or_what_they_may_not(
    staff_with: Any, operator: Operator
) -> None:
    viewer = staff_with(SEES, "promos.approve_clawback")
    user = User.objects.latest("pk")
    own = ApprovalFactory.create(
        operator=operator, requested_at=timezone.now(), requested_by_ref=str(user.pk)
    )
    other = ApprovalFactory.create(operator=operator, requested_at=timezone.now())
    terms = ApprovalFactory.create(
        operator=operator, requested_at=timezone.now(), kind="live_terms"
    )

    text = viewer.get(QUEUE).content.decode()

    assert page(other, "approve") in text
    assert page(own, "approve") not in text
    assert page(terms, "approve") not in text
    for approval in (own, other, terms):
        assert page(approval) in text


def test_boosts_and_wins_are_seen_in_the_queue_by_whoever_may_see_them(
    staff_with: Any, boost: Boost, win: Win
) -> None:
    assert staff_with(SEES).get(QUEUE).context["rows"] == []
    rows = staff_with(SEES, "jackpots.view_win").get(QUEUE).context["rows"]
    assert [row["kind"] for row in rows] == ["Win"]
    assert rows[0]["decisions"] == []
    assert staff_with("jackpots.view_win").get(QUEUE).status_code == 403


@pytest.mark.parametrize(
    ("query", "statuses"),
    [
        ({}, ["Waiting"]),
        ({"show": "waiting"}, ["Waiting"]),
        ({"show": "expired"}, ["Expired"]),
        ({"show": "decided"}, ["Rejected", "Approved"]),
        ({"show": "nonsense"}, ["Waiting"]),
        ({"kind": "win"}, []),
        ({"kind": "clawback"}, ["Waiting"]),
        ({"operator": "{other}"}, []),
        ({"operator": "{own}"}, ["Waiting"]),
        ({"operator": "-1", "p": "x"}, ["Waiting"]),
        ({"p": "1"}, []),
        ({"p": "9" * 400}, ["Waiting"]),
    ],
)
def test_the_queue_is_narrowed(
    query: dict[str, str], statuses: list[str], office: Client, operator: Operator
) -> None:
    now = timezone.now()
    for number, status in enumerate((ApprovalStatus.APPLIED, ApprovalStatus.REJECTED)):
        at = now + timedelta(minutes=number)
        ApprovalFactory.create(operator=operator, requested_at=at, decided=status)
    ApprovalFactory.create(operator=operator)
    ApprovalFactory.create(operator=operator, requested_at=now)
    names = {"own": operator.pk, "other": OperatorFactory.create().pk}

    given = {name: value.format(**names) for name, value in query.items()}
    shown = office.get(QUEUE, given).context["rows"]

    told = [row["status"].partition(">")[2].partition("<")[0] for row in shown]
    assert told == statuses


def test_the_queue_has_pages(office: Client, operator: Operator) -> None:
    ApprovalFactory.create_batch(51, operator=operator, requested_at=timezone.now())

    first = office.get(QUEUE)
    second = office.get(first.context["next_url"])

    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 1)
    assert first.context["previous_url"] == second.context["next_url"] == ""
    assert office.get(second.context["previous_url"]).context["rows"] == first.context["rows"]


def test_an_empty_queue_says_so(office: Client) -> None:
    assert "Nothing waits for a second person." in office.get(QUEUE).content.decode()
    decided = office.get(QUEUE, {"show": "decided"}).content.decode()
    assert "Nothing has been decided yet." in decided
