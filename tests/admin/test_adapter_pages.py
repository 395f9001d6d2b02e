"""Adapters in the back office: connected, tested, and their secrets nowhere to be seen."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from adapters.http.signing import make_secret
from adapters.models import AdapterConfig, WebhookMessage
from core.models import AuditEntry
from core.sealing import unseal
from operators.models import Operator
from tests.adapters.fake_platform import FakePlatform
from tests.admin.conftest import messages_of
from tests.factories.adapters import AdapterConfigFactory

pytestmark = pytest.mark.django_db

ADD = "admin:adapters_adapterconfig_add"
INBOX = "admin:adapters_webhookmessage_changelist"


@pytest.fixture
def secret() -> str:
    return make_secret()


@pytest.fixture
def config(operator: Operator, secret: str) -> AdapterConfig:
    return AdapterConfigFactory.create(operator=operator, slug="casino", secret=secret)


def page_of(row: Any, name: str = "change") -> str:
    return reverse(f"admin:adapters_{row._meta.model_name}_{name}", args=[row.pk])


def given(operator: Operator, secret: str) -> dict[str, Any]:
    return {
        "operator": operator.pk,
        "slug": "casino",
        "base_url": "https://203.0.113.7/api",
        "secret": secret,
        "reason": "Contract signed",
    }


def errors_of(response: Any) -> list[str]:
    return list(response.context["form"].errors)


@pytest.fixture(autouse=True)
def _documentation_addresses_are_allowed(settings: Any) -> None:
    settings.ADAPTER_ALLOWED_HOSTS = ["203.0.113.7", "127.0.0.1"]


def test_an_adapter_is_added_and_its_secret_sealed(
    office: Client, operator: Operator, secret: str
) -> None:
    response = office.post(reverse(ADD), given(operator, secret), follow=True)

    config = AdapterConfig.objects.get(slug="casino")
    assert response.redirect_chain == [(page_of(config), 302)]
    assert messages_of(response) == ["casino was added. Test the connection next."]
    assert (config.kind, config.base_url, config.is_default) == (
        "http",
        "https://203.0.113.7/api",
        False,
    )
    assert unseal(config.sealed_secret) == secret
    entry = AuditEntry.objects.get(action="adapter.added")
    assert (entry.actor_kind, entry.reason) == ("staff", "Contract signed")
    assert secret not in str(entry.after)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"slug": "Not A Slug"}, "slug"),
        ({"slug": "mine-internal"}, "slug"),
        ({"base_url": "http://10.0.0.1"}, "base_url"),
        ({"base_url": "ftp://203.0.113.7"}, "base_url"),
        ({"secret": "whsec_short"}, "secret"),
        ({"secret": ""}, "secret"),
        ({"reason": ""}, "reason"),
    ],
)
def test_what_cannot_be_is_marked_and_the_secret_is_not_sent_back(
    changes: dict[str, str], wrong: str, office: Client, operator: Operator, secret: str
) -> None:
    response = office.post(reverse(ADD), {**given(operator, secret), **changes})

    assert response.status_code in (200, 400)
    assert errors_of(response) == [wrong]
    assert secret not in response.content.decode()
    assert AdapterConfig.objects.filter(kind="http").exists() is False


def test_no_page_shows_a_secret_sealed_or_not(
    office: Client, config: AdapterConfig, secret: str
) -> None:
    pages = [
        office.get(path).content.decode()
        for path in (
            page_of(config),
            page_of(config, "edit"),
            page_of(config, "test"),
            reverse("admin:adapters_adapterconfig_changelist"),
            reverse("admin:core_auditentry_changelist"),
        )
    ]

    for page in pages:
        assert secret not in page
        assert secret.removeprefix("whsec_") not in page
        assert config.sealed_secret not in page
    assert "Set; sealed, and never shown" in pages[0]
    assert "/v1/adapters/casino/webhooks/bonus-events" in pages[0]


def test_an_empty_secret_stays_and_a_new_one_leaves_the_old_valid_for_a_day(
    office: Client, config: AdapterConfig, secret: str
) -> None:
    changes = {"base_url": "https://203.0.113.7/v2", "reason": "They moved"}
    office.post(page_of(config, "edit"), changes)
    kept = AdapterConfig.objects.get(pk=config.pk)
    new = make_secret()
    office.post(page_of(config, "edit"), {**changes, "secret": new})
    rotated = AdapterConfig.objects.get(pk=config.pk)

    assert (kept.base_url, unseal(kept.sealed_secret)) == ("https://203.0.113.7/v2", secret)
    assert (unseal(rotated.sealed_secret), unseal(rotated.previous_sealed_secret)) == (new, secret)
    assert "The previous one is accepted until" in office.get(page_of(config)).content.decode()


def test_the_default_moves_and_comes_back(
    office: Client, config: AdapterConfig, operator: Operator
) -> None:
    internal = AdapterConfig.objects.get(operator=operator, kind="internal")
    changes = {"base_url": config.base_url.replace("platform.example.com", "203.0.113.7")}

    def default() -> str:
        return AdapterConfig.objects.get(operator=operator, is_default=True).slug

    office.post(page_of(config, "edit"), {**changes, "is_default": "on", "reason": "Now"})
    assert default() == "casino"
    fields = office.get(page_of(internal, "edit")).context["form"].fields
    office.post(page_of(internal, "edit"), {"is_default": "on", "reason": "Back"})

    assert default() == internal.slug
    assert not {"base_url", "secret"} & set(fields)


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("ok", "The platform answered, and accepted our signature. It took"),
        ("stranger", "The platform refused us: BAD_SIGNATURE"),
    ],
)
def test_a_connection_is_tested_against_a_real_platform(
    mode: str, said: str, office: Client, config: AdapterConfig, secret: str, changes_nothing: Any
) -> None:
    with FakePlatform() as platform:
        if mode == "ok":
            platform.secrets = [secret]
        AdapterConfig.objects.filter(pk=config.pk).update(base_url=platform.url)
        with changes_nothing():
            response = office.post(page_of(config, "test"), follow=True)

    assert response.redirect_chain == [(page_of(config), 302)]
    assert said in messages_of(response)[0]
    assert [message.level_tag for message in response.context["messages"]] == [
        "success" if mode == "ok" else "error"
    ]


def test_a_platform_that_is_not_there_is_an_answer_too(
    office: Client, config: AdapterConfig
) -> None:
    with FakePlatform() as platform:
        url = platform.url
    AdapterConfig.objects.filter(pk=config.pk).update(base_url=url)

    response = office.post(page_of(config, "test"), follow=True)

    assert response.status_code == 200
    [message] = response.context["messages"]
    assert message.level_tag == "error"


def test_the_adapter_of_our_own_ledger_needs_no_connection(
    office: Client, operator: Operator
) -> None:
    internal = AdapterConfig.objects.get(operator=operator)

    response = office.post(page_of(internal, "test"), follow=True)

    assert "it is our ledger" in messages_of(response)[0]


@pytest.fixture
def message(config: AdapterConfig, now: datetime) -> WebhookMessage:
    """Bytes that are neither JSON nor text, and would be a script if they were shown as HTML."""
    return WebhookMessage.objects.create(
        operator=config.operator,
        adapter_slug=config.slug,
        webhook_id="message-1",
        signed_at=now,
        signatures="v1,c2lnbmF0dXJl",
        body=b"<script>alert(1)</script>\xff",
        digest="0" * 64,
        outcome="refused",
        status_code=422,
        event_id="event-1",
        detail="INVALID_EVENT: The body is not JSON.",
        received_at=now,
        last_received_at=now,
    )


def test_a_message_is_shown_as_it_came_and_as_text(office: Client, message: WebhookMessage) -> None:
    page = office.get(page_of(message)).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\xff" in page
    assert "<script>alert" not in page
    for told in ("message-1", "v1,c2lnbmF0dXJl", "INVALID_EVENT", "Refused", "422"):
        assert told in page


@pytest.mark.parametrize("term", ["casino", "message-1", "event-1"])
def test_a_message_is_found(term: str, office: Client, message: WebhookMessage) -> None:
    found = office.get(reverse(INBOX), {"q": term}).context["cl"].result_list
    others = office.get(reverse(INBOX), {"q": f"{term}0"}).context["cl"].result_list

    assert [row.pk for row in found] == [message.pk]
    assert others == []
