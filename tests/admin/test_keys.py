"""API keys in the back office: issued once, shown once, revoked with a reason."""

import json
import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import AuditEntry
from operators.enums import Scope
from operators.models import ApiKey, Operator
from operators.services.credentials import digest_of
from tests.admin.conftest import messages_of
from tests.factories.operators import ApiKeyFactory

pytestmark = pytest.mark.django_db


def issue(office: Client, operator: Operator, **given: Any) -> Any:
    path = reverse("admin:operators_operator_issue-key", args=[operator.pk])
    return office.post(path, {"label": "Server", "scopes": ["read", "play"], **given})


def test_issues_the_key_that_was_asked_for(
    office: Client, superuser: Any, operator: Operator
) -> None:
    response = issue(office, operator, expires_at="2040-01-01T12:30")

    api_key = ApiKey.objects.get(operator=operator)
    assert response.status_code == 201
    assert api_key.digest == digest_of(secret=response.context["secret"])
    assert (api_key.label, api_key.scopes) == ("Server", ["play", "read"])
    assert api_key.expires_at == datetime(2040, 1, 1, 12, 30, tzinfo=UTC)
    entry = AuditEntry.objects.get(action="operator.api_key.issued")
    assert (entry.actor_ref, entry.operator_id) == (str(superuser.pk), operator.pk)


def test_shows_the_secret_once_and_keeps_it_nowhere(
    office: Client, operator: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    response = issue(office, operator)

    secret = response.context["secret"]
    assert response.content.decode().count(secret) == 1
    assert "no-store" in response["Cache-Control"]
    kept = [
        json.dumps(dict(office.session)),
        *(json.dumps(session.get_decoded()) for session in Session.objects.all()),
        *(str(cookie) for cookie in office.cookies.values()),
        *(json.dumps([entry.before, entry.after]) for entry in AuditEntry.objects.all()),
        str(response.headers),
        caplog.text,
    ]
    assert [place for place in kept if secret in place] == []
    for later in (
        reverse("admin:operators_operator_change", args=[operator.pk]),
        reverse("admin:operators_apikey_change", args=[ApiKey.objects.get().pk]),
        reverse("admin:operators_apikey_changelist"),
        "/admin/",
    ):
        page = office.get(later).content.decode()
        assert secret not in page
        assert ApiKey.objects.get().digest not in page


def test_loading_the_page_again_issues_no_other_key(office: Client, operator: Operator) -> None:
    form_token = str(uuid.uuid4())
    first = issue(office, operator, form_token=form_token)

    again = issue(office, operator, form_token=form_token)

    assert again.status_code == 302
    assert first.context["secret"] not in again.content.decode()
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"label": ""}, "label"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes"),
        ({"expires_at": "2020-01-01T00:00"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
    ],
)
def test_a_key_that_cannot_be_is_not_issued(
    given: dict[str, Any], field: str, office: Client, operator: Operator
) -> None:
    response = issue(office, operator, **given)

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert ApiKey.objects.exists() is False


def test_revokes_a_key_with_a_reason(office: Client, operator: Operator) -> None:
    api_key = ApiKeyFactory.create(operator=operator)
    path = reverse("admin:operators_apikey_revoke", args=[api_key.pk])

    response = office.post(path, {"reason": "It leaked"}, follow=True)

    assert messages_of(response) == [f"{api_key} was revoked."]
    assert ApiKey.objects.get().revoked_at is not None
    assert AuditEntry.objects.get(action="operator.api_key.revoked").reason == "It leaked"
    page = office.get(path).content.decode()
    assert "The key has been revoked already." in page
    assert f'href="{path}"' not in response.content.decode()


def test_a_list_says_which_keys_are_live(office: Client, operator: Operator) -> None:
    past = timezone.now() - timedelta(days=1)
    ApiKeyFactory.create(operator=operator, label="one")
    ApiKeyFactory.create(operator=operator, label="two", expires_at=past)
    ApiKeyFactory.create(operator=operator, label="three", revoked_at=past)

    rows = office.get(reverse("admin:operators_apikey_changelist")).content.decode()

    assert [word for word in ("Live", "Expired", "Revoked") if f">{word}</span>" in rows] == [
        "Live",
        "Expired",
        "Revoked",
    ]


def test_adds_an_operator_and_shows_its_first_key(office: Client) -> None:
    path = reverse("admin:operators_operator_add")

    response = office.post(path, {"slug": "lucky", "name": "Lucky", "base_currency": "EUR"})

    operator = Operator.objects.get(slug="lucky")
    api_key = ApiKey.objects.get(operator=operator)
    assert response.status_code == 201
    assert (operator.name, operator.base_currency) == ("Lucky", "EUR")
    assert api_key.digest == digest_of(secret=response.context["secret"])
    assert set(api_key.scopes) == set(Scope.values)


@pytest.mark.parametrize("slug", ["Lucky", "-lucky", "lucky-", "a b", "ü", ""])
def test_an_operator_with_a_slug_that_cannot_be_is_not_added(slug: str, office: Client) -> None:
    path = reverse("admin:operators_operator_add")

    response = office.post(path, {"slug": slug, "name": "Lucky", "base_currency": "EUR"})

    assert list(response.context["form"].errors) == ["slug"]
    assert Operator.objects.exists() is False


def test_a_slug_that_is_taken_is_refused(office: Client, operator: Operator) -> None:
    path = reverse("admin:operators_operator_add")

    response = office.post(path, {"slug": operator.slug, "name": "Lucky", "base_currency": "EUR"})

    assert response.status_code == 409
    assert f"There is an operator &#x27;{operator.slug}&#x27; already." in response.content.decode()
    assert Operator.objects.count() == 1
