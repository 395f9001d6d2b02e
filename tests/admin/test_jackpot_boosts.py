"""Boosts take two people; a rollback loss takes an explanation; both wait at home until then."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import AuditEntry
from jackpots.enums import BoostStatus
from jackpots.models import Boost, Instance, RollbackLoss
from jackpots.selectors import read_meters
from operators.models import Operator
from tests.admin.conftest import decide, messages_of, page_of
from tests.admin.world import lose_to_a_rollback
from tests.factories.jackpots import BoostFactory, InstanceFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def daily(operator: Operator) -> Instance:
    return InstanceFactory.create(
        operator=operator, name="Daily", progressive=True, pots=[{"seed": "100"}]
    )


def page(boost: Boost, name: str) -> str:
    return reverse(f"admin:jackpots_boost_{name}", args=[boost.pk])


def test_one_person_asks_and_nothing_moves_until_another_applies_it(
    office: Client, staff_with: Any, daily: Instance
) -> None:
    given = {"pot": "main", "amount": "50.00", "reason": "The holidays"}
    second = staff_with("jackpots.view_boost", "jackpots.approve_boost")

    shown = office.get(page_of(daily, "boost")).context["consequences"]
    asked = office.post(page_of(daily, "boost"), given, follow=True)
    boost = Boost.objects.get()
    refused = office.post(page(boost, "apply"), {"reason": "Mine"})
    value_between = read_meters(instance_ids=[daily.pk])[daily.pk][0].value
    applied = decide(second, page(boost, "apply"), "Agreed")

    assert shown[0] == "At this instant the pots hold: main 100.00 EUR."
    assert messages_of(asked) == [
        "A boost of main by 50.00 EUR was requested. A second person decides."
    ]
    assert refused.status_code == 409
    assert "Somebody other than who asked for the boost must apply it" in refused.content.decode()
    assert value_between == 100
    assert messages_of(applied) == ["50.00 EUR was put into main."]
    assert read_meters(instance_ids=[daily.pk])[daily.pk][0].value == 150
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == [
        "jackpot.boost.requested",
        "jackpot.boost.applied",
    ]


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("", "This field is required"),
        ("0", "It must be above 0"),
        ("1.001", "It may have no more decimals than EUR has."),
        ("-1", "Type plain digits"),
    ],
)
def test_an_amount_that_cannot_be_is_marked(
    amount: str, sentence: str, office: Client, daily: Instance
) -> None:
    given = {"pot": "main", "amount": amount, "reason": "The holidays"}

    response = office.post(page_of(daily, "boost"), given)

    assert sentence in response.content.decode()
    assert not Boost.objects.exists()


def test_a_request_is_rejected_or_grows_too_old(office: Client, daily: Instance) -> None:
    pot = daily.pots.get()
    fresh = BoostFactory.create(pot=pot, requested_at=timezone.now())
    old = BoostFactory.create(pot=pot)

    rejected = decide(office, page(fresh, "reject"), "Too much")
    too_old = office.post(page(old, "apply"), {"reason": "Late"})

    assert messages_of(rejected) == ["The boost was rejected."]
    assert Boost.objects.get(pk=fresh.pk).status == BoostStatus.REJECTED
    assert too_old.status_code == 409
    assert "The request has expired" in too_old.content.decode()
    assert "Too old" in office.get(page(old, "change")).content.decode()


def test_a_loss_is_explained_once_and_the_money_stays_where_it_is(
    office: Client, daily: Instance
) -> None:
    loss = lose_to_a_rollback(daily, PlayerFactory.create(operator=daily.operator), timezone.now())
    path = reverse("admin:jackpots_rollbackloss_explain", args=[loss.pk])

    shown = office.get(path).context["consequences"]
    explained = office.post(path, {"reason": "A cancelled round"}, follow=True)
    again = office.post(path, {"reason": "Once more"})

    assert "The house bears 1.00 EUR, explained or not" in shown[1]
    assert messages_of(explained) == ["The loss was explained."]
    assert RollbackLoss.objects.get().explanation == "A cancelled round"
    assert again.status_code == 409
    assert "explained already" in again.content.decode()


def test_a_rollback_is_shown_as_one(office: Client, daily: Instance) -> None:
    loss = lose_to_a_rollback(daily, PlayerFactory.create(operator=daily.operator), timezone.now())
    contributions = reverse("admin:jackpots_contribution_changelist")
    reversal = reverse("admin:jackpots_contribution_change", args=[loss.reversal_id])
    original = reverse("admin:jackpots_contribution_change", args=[loss.reversal.reverses_id])

    listed = office.get(contributions).content.decode()

    assert ">Rolled back</span>" in listed
    assert "−1.00 EUR" in listed
    assert original in office.get(reversal).content.decode()
    assert reversal in office.get(original).content.decode()
