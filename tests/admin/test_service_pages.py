"""
Pages that call a service: a permission of their own, nothing on GET, a reason, one call.

The rules that every one of them keeps; what each does is in a file of its own.
"""

import uuid
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from adapters.models import AdapterConfig, WebhookDelivery, WebhookEndpoint
from bonuses.models import BonusGrant, BonusIssuance, BonusTemplate, Discrepancy
from core.models import AuditEntry
from jackpots.enums import InstanceStatus
from jackpots.models import Boost, Instance, RollbackLoss, Win
from operators.models import ApiKey, ExchangeRate, Operator
from promos.models import CodeBatch, Promo, UserPromo, WithdrawalLock
from tests.admin.commands import ALSO, PERMISSIONS, address, all_pages
from tests.admin.conftest import page_of
from tests.factories.jackpots import InstanceFactory

pytestmark = pytest.mark.django_db

WITH_REASON = (
    "activate",
    "pause",
    "resume",
    "close",
    "cancel",
    "links",
    "revoke",
    "codes",
    "disable",
    "archive",
    "lift",
    "forfeit",
    "give-up",
    "retry",
    "replay",
    "enable",
    "rotate-secret",
    "explain",
    "deactivate",
    "remove",
    "budget",
    "start",
)
WITH_REASON += (
    "end-sessions",
    "reset-second-factor",
    "unlock",
    "apply",
    "reject",
    "approve",
    "boost",
    "draw",
    "drop",
    "terms",
    "time-zone",
    "approvals.ApprovalSettings:add",
    "approvals.ApprovalSettings:edit",
    "jackpots.JackpotSettings:add",
    "jackpots.JackpotSettings:edit",
)
#: An empty form of these is an empty list, and the list was empty; or it asks for nothing.
HARMLESS = ("promos.Promo:games", "adapters.AdapterConfig:test")
NO_ROWS = {
    f"{prefix}-{count}": "0"
    for prefix in ("pots", "games")
    for count in ("TOTAL_FORMS", "INITIAL_FORMS")
}


ADDRESSES = sorted(all_pages())


def test_every_page_has_the_permission_that_is_its_own() -> None:
    assert {name: command.permission for name, (_, command) in all_pages().items()} == PERMISSIONS


@pytest.mark.parametrize("name", ADDRESSES)
def test_staff_with_every_other_permission_are_refused_on_get_and_post(
    name: str, staff_with: Any, operator: Operator
) -> None:
    others = sorted(set(PERMISSIONS.values()) - {PERMISSIONS[name]})
    client = staff_with(
        *others, "operators.view_operator", "jackpots.view_instance", "promos.view_promo"
    )
    path = address(name, operator)
    rows = (
        Instance,
        ApiKey,
        Operator,
        ExchangeRate,
        Promo,
        UserPromo,
        CodeBatch,
        WithdrawalLock,
        AdapterConfig,
        WebhookEndpoint,
        WebhookDelivery,
        BonusTemplate,
        BonusIssuance,
        BonusGrant,
        Discrepancy,
        Boost,
        RollbackLoss,
        Win,
        AuditEntry,
    )
    before = [list(model._default_manager.order_by("pk").values()) for model in rows]

    assert client.get(path).status_code == 403
    assert client.post(path, {"reason": "Because"}).status_code == 403

    assert [list(model._default_manager.order_by("pk").values()) for model in rows] == before


@pytest.mark.parametrize("name", ADDRESSES)
def test_staff_with_the_permission_alone_see_the_page(
    name: str, staff_with: Any, operator: Operator
) -> None:
    client = staff_with(PERMISSIONS[name], *([ALSO[name]] if name in ALSO else []))

    assert client.get(address(name, operator)).status_code == 200


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_get_changes_nothing_whatever_it_carries(
    name: str, office: Client, operator: Operator, changes_nothing: Any
) -> None:
    path = address(name, operator)
    everything = {"reason": "Because", "label": "x", "scopes": "read", "slug": "x", "name": "x"}

    with changes_nothing():
        assert office.get(path, {**everything, "kind": "raffle"}).status_code == 200
        assert office.head(path).status_code == 200


@pytest.mark.parametrize("name", ADDRESSES)
def test_other_methods_are_refused(
    name: str, office: Client, operator: Operator, changes_nothing: Any
) -> None:
    path = address(name, operator)

    with changes_nothing():
        for method in ("put", "patch", "delete"):
            assert getattr(office, method)(path).status_code == 405, method


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_empty_form_changes_nothing(
    name: str, office: Client, operator: Operator, changes_nothing: Any
) -> None:
    path = address(name, operator)

    with changes_nothing():
        response = office.post(path, NO_ROWS)

    assert response.status_code in (200, 302)
    assert response.status_code == 200 or name in HARMLESS
    if response.status_code == 200:
        assert "Nothing was changed." in response.content.decode()


@pytest.mark.parametrize("name", [name for name in ADDRESSES if name.endswith(WITH_REASON)])
def test_a_reason_is_required_and_can_be_printed(
    name: str, office: Client, operator: Operator, changes_nothing: Any
) -> None:
    path = address(name, operator)

    for reason in ("", "   ", "\n\t ", "x" * 201, "a\x07b", "a\x00b"):
        with changes_nothing():
            response = office.post(path, {"reason": reason})

        assert response.status_code == 200
        # What else a form asks for is missing, too.
        assert "reason" in response.context["form"].errors, reason


def test_a_form_without_its_token_from_this_site_is_refused(superuser: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(superuser)
    instance = InstanceFactory.create()

    response = strict.post(page_of(instance, "pause"), {"reason": "Because"})

    assert response.status_code == 403
    assert "This form can no longer be sent" in response.content.decode()
    assert Instance.objects.get(pk=instance.pk).paused_at is None


def test_a_form_that_is_sent_twice_is_obeyed_once(office: Client, operator: Operator) -> None:
    path = reverse("admin:operators_operator_issue-key", args=[operator.pk])
    given = {"label": "Server", "scopes": "read", "form_token": str(uuid.uuid4())}

    first = office.post(path, given)
    second = office.post(path, given, follow=True)

    assert first.status_code == 201
    assert [str(message) for message in second.context["messages"]] == [
        "This form had been sent already, so nothing was done a second time."
    ]
    assert ApiKey.objects.filter(operator=operator).count() == 1


def test_a_form_that_was_refused_can_be_sent_again(
    office: Client, operator: Operator, now: datetime
) -> None:
    instance = InstanceFactory.create(operator=operator, status=InstanceStatus.DRAFT)
    path = page_of(instance, "links")
    form_token = str(uuid.uuid4())
    given = {"targets": [str(instance.pk)], "reason": "Because", "form_token": form_token}

    refused = office.post(path, given)
    renewed = refused.context["form"]["form_token"].value()
    accepted = office.post(path, {"reason": "Because", "form_token": renewed})

    assert refused.status_code == 400
    assert renewed != form_token
    assert accepted.status_code == 302


@pytest.mark.parametrize("name", ADDRESSES)
def test_the_form_carries_a_token_of_its_own(name: str, office: Client, operator: Operator) -> None:
    path = address(name, operator)
    tokens = {office.get(path).context["form"]["form_token"].value() for _ in range(2)}

    assert len(tokens) == 2
