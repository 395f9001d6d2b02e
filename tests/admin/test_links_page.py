"""The ordered list of links: shown, saved by one POST, and refused as a whole."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from jackpots.enums import InstanceStatus
from jackpots.models import Instance, LinkTraffic
from operators.models import Operator
from tests.admin.conftest import messages_of, page_of
from tests.admin.world import contribute_to
from tests.factories.jackpots import InstanceFactory, InstanceLinkFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def daily(operator: Operator) -> Instance:
    """Linked to Weekly; Monthly is there to be linked too."""
    daily = InstanceFactory.create(operator=operator, name="Daily")
    weekly = InstanceFactory.create(operator=operator, name="Weekly")
    InstanceFactory.create(operator=operator, name="Monthly", opt_in_required=True)
    InstanceLinkFactory.create(source=daily, target=weekly)
    return daily


def called(name: str) -> str:
    return str(Instance.objects.get(name=name).pk)


def linked(instance: Instance) -> list[str]:
    links = instance.links.select_related("target").order_by("position")
    return [link.target.name for link in links]


def test_shows_the_links_in_their_order_and_what_can_be_added(
    office: Client, daily: Instance
) -> None:
    InstanceFactory.create(name="Foreign")
    InstanceFactory.create(operator=daily.operator, name="Over", status=InstanceStatus.CLOSED)

    context = office.get(page_of(daily, "links")).context

    assert [row["name"] for row in context["chosen"]] == ["Weekly"]
    assert sorted(each.name for each in context["offered"]) == ["Monthly", "Weekly"]
    assert context["links_max"] == 20


def test_saves_the_list_in_the_order_sent(office: Client, daily: Instance) -> None:
    given = {"targets": [called("Monthly"), called("Weekly")], "reason": "A new month"}

    response = office.post(page_of(daily, "links"), given, follow=True)

    assert linked(daily) == ["Monthly", "Weekly"]
    assert messages_of(response) == ["Daily is linked to Monthly and Weekly."]
    entry = AuditEntry.objects.get(action="jackpot.links.replaced")
    assert entry.reason == "A new month"
    assert entry.after == {"linked_instances": given["targets"]}


def test_an_empty_list_removes_every_link(office: Client, daily: Instance) -> None:
    response = office.post(page_of(daily, "links"), {"reason": "No more"}, follow=True)

    assert linked(daily) == []
    assert messages_of(response) == ["Daily has no links any more."]


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        (["Daily"], "An instance cannot be linked to itself."),
        (["Weekly", "Weekly"], "This instance comes twice."),
        (["Foreign"], "There is no such jackpot instance."),
    ],
)
def test_a_list_that_cannot_be_is_refused_whole_and_shown_again(
    targets: list[str], sentence: str, office: Client, daily: Instance
) -> None:
    InstanceFactory.create(name="Foreign")
    given = {"targets": [called("Monthly"), *map(called, targets)], "reason": "Because"}

    response = office.post(page_of(daily, "links"), given)

    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert linked(daily) == ["Weekly"]
    assert AuditEntry.objects.exists() is False
    assert response.context["chosen"][0]["name"] == "Monthly"


def test_more_than_twenty_links_are_refused(office: Client, daily: Instance) -> None:
    targets = InstanceFactory.create_batch(21, operator=daily.operator)
    given = {"targets": [str(target.pk) for target in targets], "reason": "Because"}

    response = office.post(page_of(daily, "links"), given)

    assert response.status_code == 400
    assert "An instance has at most 20 links." in response.content.decode()
    assert linked(daily) == ["Weekly"]


def test_what_is_no_id_is_refused(office: Client, daily: Instance) -> None:
    response = office.post(page_of(daily, "links"), {"targets": ["x"], "reason": "Because"})

    assert response.status_code == 200
    assert "One of the instances is not an id." in response.content.decode()
    assert linked(daily) == ["Weekly"]


def test_without_a_reason_the_list_is_shown_as_it_was_sent(office: Client, daily: Instance) -> None:
    given = {"targets": [called("Monthly"), called("Weekly")], "reason": ""}

    response = office.post(page_of(daily, "links"), given)

    assert [row["name"] for row in response.context["chosen"]] == ["Monthly", "Weekly"]
    assert linked(daily) == ["Weekly"]


def test_without_a_script_every_button_arranges_the_list_and_stores_nothing(
    office: Client, daily: Instance, changes_nothing: Any
) -> None:
    page = page_of(daily, "links")
    monthly, weekly = called("Monthly"), called("Weekly")

    def names(**given: Any) -> list[str]:
        with changes_nothing():
            response = office.post(page, {"reason": "Half typed", **given})
        assert response.status_code == 200
        assert response.context["form"]["reason"].value() == "Half typed"
        return [row["name"] for row in response.context["chosen"]]

    assert names(targets=[weekly], add="1", wanted="monthly") == ["Weekly", "Monthly"]
    assert names(targets=[weekly], add="1", wanted=monthly) == ["Weekly", "Monthly"]
    assert names(targets=[weekly], add="1", wanted="Weekly") == ["Weekly"]
    assert names(targets=[weekly], add="1", wanted="Nothing") == ["Weekly"]
    assert names(targets=[weekly, monthly], up=monthly) == ["Monthly", "Weekly"]
    assert names(targets=[weekly, monthly], up=weekly) == ["Weekly", "Monthly"]
    assert names(targets=[weekly, monthly], down=weekly) == ["Monthly", "Weekly"]
    assert names(targets=[weekly, monthly], remove=weekly) == ["Monthly"]
    assert linked(daily) == ["Weekly"]


def test_suggests_what_can_be_linked_and_nothing_of_others(
    office: Client, staff_with: Any, daily: Instance
) -> None:
    InstanceFactory.create(name="Monthly of others")
    page = page_of(daily, "links")

    found = office.get(page, {"find": "month"}).json()["found"]

    assert [each["name"] for each in found] == ["Monthly"]
    assert called("Monthly") in found[0]["row"]
    assert office.get(page, {"find": "daily"}).json()["found"] == []
    assert staff_with("jackpots.view_instance").get(page, {"find": "m"}).status_code == 403


@pytest.mark.parametrize("status", [InstanceStatus.CLOSED, InstanceStatus.CANCELLED])
def test_the_links_of_what_has_ended_stay(
    status: InstanceStatus, office: Client, operator: Operator
) -> None:
    over = InstanceFactory.create(operator=operator, status=status)
    target = InstanceFactory.create(operator=operator)

    page = office.get(page_of(over, "links"))
    response = office.post(
        page_of(over, "links"), {"targets": [str(target.pk)], "reason": "Because"}
    )

    assert "stay as they are" in page.content.decode()
    assert response.status_code == 409
    assert linked(over) == []


def test_an_instance_shows_how_its_links_fared_in_the_last_day(
    office: Client, daily: Instance, now: datetime
) -> None:
    InstanceLinkFactory.create(
        source=daily, target=Instance.objects.get(name="Monthly"), position=1
    )
    contribute_to(daily, PlayerFactory.create(operator=daily.operator), now)

    context = office.get(page_of(daily, "change")).content.decode()

    health = context[context.index("Links, and their last 24 hours") :]
    assert "OPT_IN_REQUIRED" in health
    assert "The instance needs an opt-in, and the player has not opted in." in health
    assert 'wf-number wf-bad">1</td>' in health


def test_the_home_page_counts_failing_links(office: Client, daily: Instance) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    LinkTraffic.objects.bulk_create(
        LinkTraffic(
            source=daily, target_id=called(name), hour=hour, error_code=error_code, count=count
        )
        for name, error_code, count in (
            ("Weekly", "INSTANCE_NOT_ACTIVE", 2),
            ("Weekly", "PLAYER_BLOCKED", 1),
            ("Monthly", "OPT_IN_REQUIRED", 40),
            ("Monthly", "", 1000),
        )
    )

    page = office.get("/admin/").content.decode()

    assert '<span class="wf-tile-value">43</span>' in page
    assert "Over 2 links" in page
    assert page.index("OPT_IN_REQUIRED") < page.index("INSTANCE_NOT_ACTIVE")
    assert "PLAYER_BLOCKED" not in page
