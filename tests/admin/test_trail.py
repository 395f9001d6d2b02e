"""The audit trail in the back office: readable, filtered, searched, and linked from every row."""

from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from core import audit
from core.actors import Actor, ActorKind
from core.models import AuditEntry
from jackpots.models import Instance
from operators.models import Operator
from tests.admin.conftest import page_of
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/core/auditentry/"


@pytest.fixture
def instance(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator, name="Daily")


@transaction.atomic
def record(subject: Any, now: datetime, **given: Any) -> AuditEntry:
    whole: dict[str, Any] = {
        "operator": subject.operator,
        "actor": Actor(kind=ActorKind.API_KEY, ref="wf_abc"),
        "action": "jackpot.instance.updated",
        "subject": subject,
        "now": now,
        **given,
    }
    return audit.record_action(**whole)


def shown(office: Client, **query: Any) -> list[AuditEntry]:
    response = office.get(LIST, query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def test_an_entry_shows_each_field_before_and_after(
    office: Client, instance: Instance, now: datetime
) -> None:
    entry = record(
        instance,
        now,
        before={"name": "Old", "opt_in_required": False, "pots": []},
        after={"name": "New", "opt_in_required": True, "pots": [{"name": "main", "share": "1"}]},
        reason="A better name",
    )

    response = office.get(f"{LIST}{entry.pk}/change/")

    page = response.content.decode()
    assert "A better name" in page
    assert '<pre class="wf-pre wf-before">Old</pre>' in page
    assert '<pre class="wf-pre wf-after">New</pre>' in page
    assert '<pre class="wf-pre wf-before">no</pre>' in page
    assert '<pre class="wf-pre wf-after">yes</pre>' in page
    assert "opt in required" in page
    assert "&quot;share&quot;: &quot;1&quot;" in page
    assert "jackpot instance" in page
    assert page_of(instance, "change") in page


def test_staff_and_operators_are_shown_by_name(
    office: Client, superuser: Any, instance: Instance, now: datetime
) -> None:
    record(instance, now, actor=Actor(kind=ActorKind.STAFF, ref=str(superuser.pk)))
    record(instance, now, actor=Actor(kind=ActorKind.STAFF, ref="999999"))

    page = office.get(LIST).content.decode()

    assert "Staff: ada" in page
    assert "Staff: 999999" in page
    assert instance.operator.name in page


def test_filters_by_action_actor_and_operator(
    office: Client, superuser: Any, instance: Instance, now: datetime
) -> None:
    mine = record(
        instance,
        now,
        action="jackpot.instance.paused",
        actor=Actor(kind=ActorKind.STAFF, ref=str(superuser.pk)),
    )
    theirs = record(InstanceFactory.create(operator=OperatorFactory.create()), now)
    nobodys = record(instance, now, operator=None, action="staff.user.added")

    assert shown(office) == [nobodys, theirs, mine]
    assert shown(office, action="jackpot.instance.paused") == [mine]
    assert shown(office, actor="staff") == [mine]
    assert shown(office, actor=f"staff:{superuser.pk}") == [mine]
    assert shown(office, actor="api_key:wf_abc") == [nobodys, theirs]
    assert shown(office, operator=str(theirs.operator_id)) == [theirs]
    assert shown(office, operator="x") == [nobodys, theirs, mine]


def test_finds_what_happened_to_one_thing(
    office: Client, instance: Instance, now: datetime
) -> None:
    entry = record(instance, now)
    record(InstanceFactory.create(), now)

    assert shown(office, q=str(instance.pk)) == [entry]


def test_the_history_of_a_row_is_its_part_of_the_trail(
    office: Client, instance: Instance, now: datetime
) -> None:
    entry = record(instance, now)
    record(InstanceFactory.create(), now)

    response = office.get(page_of(instance, "history"), follow=True)

    assert len(response.redirect_chain) == 1
    assert list(response.context["cl"].result_list) == [entry]


def test_only_who_may_read_the_trail_is_led_to_it(staff_with: Any, instance: Instance) -> None:
    viewer = staff_with("jackpots.view_instance")
    page = viewer.get(page_of(instance, "change")).content.decode()

    assert page_of(instance, "history") not in page
    assert viewer.get(LIST).status_code == 403


def test_an_entry_about_something_that_has_no_page_is_shown(
    office: Client, instance: Instance, now: datetime
) -> None:
    entry = record(instance, now)
    unknown = AuditEntry.objects.create(
        actor_kind="task",
        actor_ref="sweep",
        action="gone.thing.done",
        subject_type="gone.thing",
        subject_id="7",
        created_at=entry.created_at,
    )

    assert office.get(LIST).status_code == 200
    page = office.get(f"{LIST}{unknown.pk}/change/").content.decode()
    assert "gone.thing 7" in page
    assert "The entry records no fields" in page
