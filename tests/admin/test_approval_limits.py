"""Limits in the back office: what one person may do alone, and how that is changed."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.models import ApprovalSettings
from core.models import AuditEntry
from operators.models import Operator
from tests.admin.conftest import confirm, messages_of
from tests.factories.approvals import ApprovalSettingsFactory

pytestmark = pytest.mark.django_db

HELD = {
    "clawback_above": "500",
    "manual_grant_above": "500",
    "live_terms": "on",
    "valid_hours": "72",
    "reason": "As agreed",
}


def edit_of(operator: Operator) -> str:
    return reverse("admin:approvals_approvalsettings_edit", args=[operator.pk])


def test_limits_are_set_for_an_operator_and_seen_on_its_page(
    office: Client, operator: Operator
) -> None:
    operator_page = reverse("admin:operators_operator_change", args=[operator.pk])
    add = reverse("admin:approvals_approvalsettings_add")
    given = {
        "operator": operator.pk,
        "clawback_above": "20.50",
        "manual_grant_above": "",
        "valid_hours": "24",
        "reason": "A team of three",
    }

    before = office.get(operator_page).content.decode()
    asked = office.get(f"{add}?operator={operator.pk}")
    done = confirm(office, add, given)
    after = office.get(operator_page).content.decode()

    assert "Above 500.00 USD" in before
    # Of the limits, and of the jackpot settings beside them.
    assert before.count("These are the defaults") == 2
    assert asked.context["form"]["operator"].value() == str(operator.pk)
    assert asked.context["form"]["clawback_above"].value() == "500"
    assert messages_of(done) == [f"The limits of {operator} were set."]
    assert "Above 20.50 USD" in after
    assert "Never: one person is enough" in after
    assert after.count("These are the defaults") == 1


def test_limits_are_edited_and_what_cannot_be_is_marked(office: Client, operator: Operator) -> None:
    limits = ApprovalSettingsFactory.create(operator=operator)
    edit = reverse("admin:approvals_approvalsettings_edit", args=[operator.pk])
    given = {"clawback_above": "0", "live_terms": "on", "valid_hours": "1", "reason": "Strict"}

    for wrong in (
        {"valid_hours": "0"},
        {"valid_hours": "721"},
        {"clawback_above": "-1"},
        {"reason": " "},
    ):
        refused = office.post(edit, {**given, **wrong})
        assert list(refused.context["form"].errors) == list(wrong)
    done = confirm(office, edit, given)

    assert messages_of(done) == [f"The limits of {operator} were set."]
    stored = type(limits).objects.get()
    assert (stored.clawback_above, stored.manual_grant_above) == (0, None)
    assert (stored.live_terms, stored.valid_hours) == (True, 1)
    entry = AuditEntry.objects.get(action="approval.settings_changed")
    assert (entry.actor_kind, entry.reason) == ("staff", "Strict")


@pytest.mark.parametrize(
    ("given", "told", "is_lower"),
    [
        (
            {"clawback_above": "9999"},
            (
                "Custom clawbacks: above 500.00 USD → above 9,999.00 USD. "
                "This lowers the protection: one person may do more alone."
            ),
            True,
        ),
        (
            {"manual_grant_above": ""},
            (
                "Bonuses given, and pots dropped, by hand: above 500.00 USD → never. "
                "This switches the protection off: one person is enough."
            ),
            True,
        ),
        (
            {"live_terms": ""},
            (
                "New terms of running jackpots: two people → one person. "
                "This switches the protection off: one person is enough."
            ),
            True,
        ),
        (
            {"clawback_above": "20"},
            "Custom clawbacks: above 500.00 USD → above 20.00 USD.",
            False,
        ),
        ({"valid_hours": "24"}, "Requests can be approved within: 72 hours → 24 hours.", False),
    ],
)
def test_what_changes_is_read_before_it_is_changed(
    office: Client,
    operator: Operator,
    changes_nothing: Any,
    given: dict[str, str],
    told: str,
    is_lower: bool,
) -> None:
    ApprovalSettingsFactory.create(operator=operator)

    with changes_nothing():
        shown = office.post(edit_of(operator), {**HELD, **given})
        # Another change than the one that was read is not made either.
        digest = shown.context["form"]["shown"].value()
        other = office.post(edit_of(operator), {**HELD, "clawback_above": "7", "shown": digest})

    assert shown.context["consequences"][0] == told
    assert ("Lower the protection" in shown.content.decode()) is is_lower
    assert "Nothing was changed yet." in other.content.decode()
    assert "above 7.00 USD" in other.context["consequences"][0]


def test_what_was_set_meanwhile_is_read_first(
    office: Client, operator: Operator, changes_nothing: Any
) -> None:
    ApprovalSettingsFactory.create(operator=operator)
    given = {**HELD, "clawback_above": "600"}
    digest = office.post(edit_of(operator), given).context["form"]["shown"].value()
    ApprovalSettings.objects.update(clawback_above=100)

    with changes_nothing():
        again = office.post(edit_of(operator), {**given, "shown": digest})

    assert "above 100.00 USD → above 600.00 USD" in again.context["consequences"][0]
