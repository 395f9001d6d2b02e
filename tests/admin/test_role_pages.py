"""What pages tell each role: no way to a refusal, and no more of colleagues than it may know."""

import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from core import audit
from core.actors import Actor, ActorKind
from core.models import AuditEntry
from operators.models import Operator
from tests.admin.conftest import signed_in
from tests.admin.world import fill_world
from tests.factories.approvals import ApprovalFactory
from tests.factories.bonuses import (
    BonusCampaignFactory,
    BonusGrantFactory,
    BonusIssuanceFactory,
)
from tests.factories.jackpots import BoostFactory, WinFactory
from tests.factories.promos import UserPromoFactory

pytestmark = pytest.mark.django_db

TOLD_OF = {
    "approval": ApprovalFactory,
    "boost": BoostFactory,
    "campaign": BonusCampaignFactory,
    "claim": UserPromoFactory,
    "grant": BonusGrantFactory,
    "issuance": BonusIssuanceFactory,
    "win": WinFactory,
}
_LINK = re.compile(r'<a\b[^>]*\shref="(/[^"#]*)')


def in_role(role: str) -> Client:
    """Return a browser in which somebody of exactly that role is signed in."""
    user = User.objects.create_user(role.replace(" ", "-"), password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return signed_in(user)


def page_of(subject: Model) -> str:
    names = (subject._meta.app_label, subject._meta.model_name)
    return reverse("admin:{}_{}_change".format(*names), args=[subject.pk])


@transaction.atomic
def decide(subject: Any, by: User, now: datetime) -> AuditEntry:
    return audit.record_action(
        operator=subject.operator,
        actor=Actor(kind=ActorKind.STAFF, ref=str(by.pk)),
        action="thing.decided",
        subject=subject,
        reason="She rang",
        now=now,
    )


@pytest.mark.parametrize("thing", TOLD_OF)
def test_names_reasons_and_entries_are_for_readers_of_the_trail(thing: str, now: datetime) -> None:
    subject = TOLD_OF[thing].create()
    grace = User.objects.create_user("grace", password="x")
    entry = decide(subject, grace, now)

    pages = {
        role: in_role(role).get(page_of(subject)).content.decode()
        for role in ("Viewer", "Compliance")
    }

    for page in pages.values():
        assert "thing.decided" in page
    told = ("Staff: grace", "“She rang”", page_of(entry))
    assert [each in pages["Compliance"] for each in told] == [True, True, True]
    assert [each in pages["Viewer"] for each in told] == [False, False, False]
    assert "<td>Staff</td>" in pages["Viewer"]


@pytest.mark.parametrize("role", ["Viewer", "Compliance"])
def test_no_link_of_a_list_or_a_row_leads_to_a_refusal(
    role: str, operator: Operator, superuser: User, now: datetime
) -> None:
    fill_world(operator, now, rows=1)
    for model in admin.site._registry:
        row = model._default_manager.last()
        if hasattr(model, "operator") and row is not None:
            decide(row, superuser, now)
    client = in_role(role)

    found = {kind_of(link): (link, page) for link, page in links(client)}

    refused = [(link, page) for link, page in found.values() if client.get(link).status_code == 403]
    assert refused == []
    assert len(found) > 50


def links(client: Client) -> Iterator[tuple[str, str]]:
    """Yield where links lead to, and on which page: home, and what the person may list."""
    yield from links_of(client, "/admin/")
    for model in admin.site._registry:
        names = (model._meta.app_label, model._meta.model_name)
        path = reverse("admin:{}_{}_changelist".format(*names))
        row = model._default_manager.last()
        on_list = list(links_of(client, path))
        yield from on_list
        if on_list and row is not None:
            yield from links_of(client, page_of(row))


def links_of(client: Client, path: str) -> Iterator[tuple[str, str]]:
    response = client.get(path)
    if response.status_code == 403:
        return
    page = response.content.decode()
    yield from ((unescape(link), path) for link in _LINK.findall(page))


def kind_of(link: str) -> str:
    """Return what links of one view have in common: who may see one row may see all."""
    return re.sub(r"/[^/]*\d[^/]*/", "/…/", link.partition("?")[0])
