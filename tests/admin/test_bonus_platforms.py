"""What platforms said and where they disagree: found, read, explained."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bonuses.enums import DiscrepancyStatus
from bonuses.models import BonusGrant, Discrepancy
from core.models import AuditEntry
from operators.models import Operator
from tests.admin.conftest import messages_of
from tests.factories.bonuses import (
    BonusIssuanceFactory,
    DiscrepancyFactory,
    PlatformEventFactory,
)

pytestmark = pytest.mark.django_db

EVENTS = "admin:bonuses_platformevent_changelist"
DISCREPANCIES = "admin:bonuses_discrepancy_changelist"


@pytest.fixture
def discrepancy(operator: Operator) -> Discrepancy:
    return DiscrepancyFactory.create(grant__asked_template__operator=operator)


def page_of(row: Any, name: str = "change") -> str:
    return reverse(f"admin:bonuses_{row._meta.model_name}_{name}", args=[row.pk])


def test_a_discrepancy_is_explained_and_the_grant_stays(
    office: Client, discrepancy: Discrepancy
) -> None:
    before = BonusGrant.objects.filter(pk=discrepancy.grant_id).values().get()

    response = office.post(
        page_of(discrepancy, "explain"), {"reason": "They lost a table"}, follow=True
    )

    assert messages_of(response) == ["The discrepancy was explained."]
    explained = Discrepancy.objects.get()
    assert (explained.status, explained.explanation) == ("explained", "They lost a table")
    assert BonusGrant.objects.filter(pk=discrepancy.grant_id).values().get() == before
    entry = AuditEntry.objects.get(action="bonus.discrepancy.explained")
    assert (entry.actor_kind, entry.reason) == ("staff", "They lost a table")


def test_a_closed_discrepancy_is_not_explained_again(
    office: Client, discrepancy: Discrepancy, changes_nothing: Any
) -> None:
    office.post(page_of(discrepancy, "explain"), {"reason": "They lost a table"})

    with changes_nothing():
        again = office.post(page_of(discrepancy, "explain"), {"reason": "Once more"})

    assert again.status_code == 409
    assert (
        f'href="{page_of(discrepancy, "explain")}"'
        not in office.get(page_of(discrepancy)).content.decode()
    )


def test_open_discrepancies_are_listed(office: Client, discrepancy: Discrepancy) -> None:
    DiscrepancyFactory.create(
        grant__asked_template__operator=discrepancy.operator,
        status=DiscrepancyStatus.FIXED,
        closed_at=discrepancy.opened_at,
    )

    narrowed = office.get(reverse(DISCREPANCIES), {"status__exact": "open"})
    found = office.get(reverse(DISCREPANCIES), {"q": str(discrepancy.grant_id)})

    assert [row.pk for row in narrowed.context["cl"].result_list] == [discrepancy.pk]
    assert [row.pk for row in found.context["cl"].result_list] == [discrepancy.pk]


@pytest.mark.parametrize("term", ["{event_id}", "{grant_id}"])
def test_an_event_is_found(term: str, office: Client, operator: Operator) -> None:
    event = PlatformEventFactory.create(grant__asked_template__operator=operator)
    PlatformEventFactory.create(grant__asked_template__operator=operator)

    query = term.format(event_id=event.event_id, grant_id=event.grant_id)
    found = office.get(reverse(EVENTS), {"q": query}).context["cl"].result_list

    assert [row.pk for row in found] == [event.pk]


def test_a_parked_event_leads_to_the_issuance_that_it_waits_for(
    office: Client, operator: Operator
) -> None:
    issuance = BonusIssuanceFactory.create(template__operator=operator, external=True)
    event = PlatformEventFactory.create(
        grant=None,
        operator=operator,
        adapter_slug=issuance.adapter_slug,
        issuance=issuance,
        outcome="parked",
        new_status="",
        applied_at=None,
    )

    found = office.get(reverse(EVENTS), {"q": event.event_id}).context["cl"].result_list
    page = office.get(page_of(event)).content.decode()

    assert [row.pk for row in found] == [event.pk]
    assert f'href="{page_of(issuance)}"' in page
    assert "Parked: the grant is not there yet" in page


def test_what_a_platform_said_is_text(office: Client, operator: Operator) -> None:
    event = PlatformEventFactory.create(
        grant__asked_template__operator=operator,
        payload={"data": {"reason": "<script>alert(1)</script>"}},
    )

    page = office.get(page_of(event)).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
