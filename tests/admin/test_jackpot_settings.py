"""Jackpot settings in the back office: above what a win waits for approval."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry
from jackpots.models import JackpotSettings
from operators.models import Operator
from tests.admin.conftest import confirm, messages_of

pytestmark = pytest.mark.django_db

ADD = "admin:jackpots_jackpotsettings_add"
LIST = "admin:jackpots_jackpotsettings_changelist"


def edit(operator: Operator) -> str:
    return reverse("admin:jackpots_jackpotsettings_edit", args=[operator.pk])


def test_they_are_set_for_an_operator_and_seen_on_its_page(
    office: Client, operator: Operator
) -> None:
    operator_page = reverse("admin:operators_operator_change", args=[operator.pk])
    add = f"{reverse(ADD)}?operator={operator.pk}"

    before = office.get(operator_page).content.decode()
    asked = office.get(add)
    given = {
        "operator": operator.pk,
        "wins": "above",
        "win_approval_above": "1000.50",
        "reason": "Our jackpots are small",
    }
    done = confirm(office, add, given)
    after = office.get(operator_page).content.decode()
    listed = office.get(reverse(LIST)).content.decode()

    assert "Above 10,000.00 USD" in before
    assert add in before
    assert asked.context["form"]["operator"].value() == str(operator.pk)
    assert messages_of(done) == [f"The jackpot settings of {operator} were set."]
    assert "Above 1,000.50 USD" in after
    assert "Above 10,000.00 USD" not in after
    assert "Above 1,000.50 USD" in listed


@pytest.mark.parametrize(
    ("wins", "typed", "stored"), [("above", "20", 20), ("above", "0", 0), ("never", "", None)]
)
def test_they_are_edited_with_a_trace(
    office: Client, superuser: Any, operator: Operator, wins: str, typed: str, stored: int | None
) -> None:
    JackpotSettings.objects.create(operator=operator, win_approval_above=1000)

    form = office.get(edit(operator)).context["form"]
    given = {"wins": wins, "win_approval_above": typed, "reason": "As agreed"}
    done = confirm(office, edit(operator), given)

    assert (form["wins"].value(), form["win_approval_above"].value()) == ("above", "1000")
    assert messages_of(done) == [f"The jackpot settings of {operator} were set."]
    assert JackpotSettings.objects.get().win_approval_above == stored
    entry = AuditEntry.objects.get(action="jackpot.settings_changed")
    assert (entry.actor_kind, entry.actor_ref) == ("staff", str(superuser.pk))
    assert (entry.before, entry.reason) == ({"win_approval_above": "1000.00"}, "As agreed")


@pytest.mark.parametrize(
    ("wins", "typed", "wrong"),
    [
        ("above", "-1", "win_approval_above"),
        ("above", "1e3", "win_approval_above"),
        ("above", "", "win_approval_above"),
        ("never", "20", "win_approval_above"),
        # That nothing waits is never what an empty form means.
        ("", "", "wins"),
    ],
)
def test_what_is_no_threshold_is_refused(
    office: Client, operator: Operator, changes_nothing: Any, wins: str, typed: str, wrong: str
) -> None:
    JackpotSettings.objects.create(operator=operator, win_approval_above=1000)

    with changes_nothing():
        given = {"wins": wins, "win_approval_above": typed, "reason": "As agreed"}
        refused = office.post(edit(operator), given)

    assert list(refused.context["form"].errors) == [wrong]


def test_whoever_may_only_look_is_not_led_to_the_form(staff_with: Any, operator: Operator) -> None:
    viewer = staff_with("operators.view_operator", "jackpots.view_jackpotsettings")
    stranger = staff_with("operators.view_operator")
    path = reverse("admin:operators_operator_change", args=[operator.pk])

    shown = viewer.get(path).content.decode()
    hidden = stranger.get(path).content.decode()

    assert "Wins wait for approval" in shown
    assert reverse(ADD) not in shown
    assert "Wins wait for approval" not in hidden


def test_switching_the_threshold_off_is_said_and_has_a_reason(
    office: Client, operator: Operator, changes_nothing: Any
) -> None:
    JackpotSettings.objects.create(operator=operator, win_approval_above=1000)
    given = {"wins": "never", "win_approval_above": ""}

    with changes_nothing():
        without = office.post(edit(operator), {**given, "reason": " "})
        asked = office.post(edit(operator), {**given, "reason": "We trust us"})

    assert list(without.context["form"].errors) == ["reason"]
    assert asked.context["consequences"][0] == (
        "Wins wait for approval: above 1,000.00 USD → never. This switches the protection off: "
        "one person is enough."
    )
    assert "Nothing was changed yet." in asked.content.decode()
