"""clocks.set_time_zone and its page: where an operator's days begin."""

from datetime import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from core.actors import Actor
from core.errors import InvalidRequest, NotFound
from core.models import AuditEntry
from operators.models import Operator
from operators.services.clocks import set_time_zone
from tests.admin.conftest import messages_of, office, superuser

__all__ = ["office", "superuser"]

pytestmark = pytest.mark.django_db


def again(operator: Operator) -> Operator:
    return Operator.objects.get(pk=operator.pk)


def page_of(operator: Operator) -> str:
    return reverse("admin:operators_operator_time-zone", args=[operator.pk])


def test_the_zone_is_set_and_leaves_a_trail(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    changed = set_time_zone(
        operator_id=operator.pk, time_zone="Europe/Malta", reason="Moved", actor=actor, now=now
    )

    assert changed.time_zone == again(operator).time_zone == "Europe/Malta"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.operator_id) == ("operator.time_zone.set", operator.pk)
    assert (entry.before, entry.after) == ({"time_zone": "UTC"}, {"time_zone": "Europe/Malta"})
    assert (entry.reason, entry.created_at) == ("Moved", now)


def test_setting_what_is_set_changes_nothing(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    set_time_zone(operator_id=operator.pk, time_zone="UTC", reason="", actor=actor, now=now)

    assert AuditEntry.objects.exists() is False


@pytest.mark.parametrize("name", ["", "Europe/Atlantis", "europe/malta", "localtime", "+02:00"])
def test_what_is_no_zone_is_refused(
    name: str, operator: Operator, actor: Actor, now: datetime
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        set_time_zone(operator_id=operator.pk, time_zone=name, reason="", actor=actor, now=now)

    assert refused.value.members["errors"][0]["pointer"] == "/time_zone"
    assert again(operator).time_zone == "UTC"
    assert AuditEntry.objects.exists() is False


def test_an_operator_that_there_is_not_is_refused(actor: Actor, now: datetime) -> None:
    with pytest.raises(NotFound):
        set_time_zone(operator_id=-1, time_zone="UTC", reason="", actor=actor, now=now)


def test_the_database_refuses_none(operator: Operator) -> None:
    with pytest.raises(IntegrityError, match="operator_has_a_time_zone"), transaction.atomic():
        Operator.objects.filter(pk=operator.pk).update(time_zone="")


def test_the_page_says_what_it_changes_and_sets_it(office: Client, operator: Operator) -> None:
    asked = office.get(page_of(operator))

    done = office.post(
        page_of(operator), {"time_zone": "Asia/Kolkata", "reason": "Moved"}, follow=True
    )

    assert "Nothing that is stored changes" in " ".join(asked.context["consequences"])
    assert messages_of(done) == [f"The days of {operator} begin on the clocks of Asia/Kolkata."]
    assert again(operator).time_zone == "Asia/Kolkata"
    assert "Asia/Kolkata" in done.content.decode()
    assert AuditEntry.objects.get().reason == "Moved"


def test_the_page_takes_zones_only(office: Client, operator: Operator) -> None:
    response = office.post(page_of(operator), {"time_zone": "Mars/Base", "reason": "Moved"})

    assert "time_zone" in response.context["form"].errors
    assert again(operator).time_zone == "UTC"


def test_a_new_operator_has_the_zone_that_is_asked_for(capsys: Any) -> None:
    call_command("create_operator", "lucky-star", "--time-zone", "Europe/Malta")
    with pytest.raises(CommandError, match="There is no such time zone"):
        call_command("create_operator", "other-star", "--time-zone", "Mars/Base")

    assert list(Operator.objects.values_list("slug", "time_zone")) == [
        ("lucky-star", "Europe/Malta")
    ]
