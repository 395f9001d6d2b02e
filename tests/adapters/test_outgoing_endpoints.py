"""Webhook endpoints over HTTP: made, changed, switched off and on, tested; a secret once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from adapters.http import signing
from adapters.models import WebhookDelivery, WebhookEndpoint
from adapters.selectors import list_endpoint_secrets
from adapters.webhooks.topics import TOPICS
from core.models import AuditEntry, OutboxMessage
from operators.models import Operator
from tests.factories.webhooks import WebhookDeliveryFactory, WebhookEndpointFactory

pytestmark = pytest.mark.django_db

URL = "https://93.184.216.34/hooks"
SECRET = signing.make_secret()
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def endpoint_path(endpoint: WebhookEndpoint, verb: str = "") -> str:
    return f"/v1/webhook-endpoints/{endpoint.pk}{verb}"


def stored(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return WebhookEndpoint.objects.get(pk=endpoint.pk)


# Making one


def test_an_endpoint_is_made_and_its_secret_is_shown_once(client: Any, operator: Operator) -> None:
    with time_machine.travel(NOON, tick=False):
        response = client.post("/v1/webhook-endpoints", {"url": URL})

    assert response.status_code == 201
    body = response.json()
    endpoint = WebhookEndpoint.objects.for_operator(operator).get()
    secret = body.pop("secret")
    assert body == {
        "id": str(endpoint.pk),
        "url": URL,
        "description": "",
        "topics": [],
        "is_active": True,
        "disabled_reason": None,
        "failing_since": None,
        "previous_valid_until": None,
        "created_at": "2026-03-01T12:00:00Z",
    }
    assert list_endpoint_secrets(endpoint=endpoint, now=NOON) == [secret]
    assert client.get(endpoint_path(endpoint)).json() == body
    assert client.get("/v1/webhook-endpoints").json()["results"] == [body]


def test_a_secret_may_be_given(client: Any, operator: Operator) -> None:
    body = {"url": URL, "secret": SECRET, "topics": ["promo.claim.made"], "description": "CRM"}

    response = client.post("/v1/webhook-endpoints", body)

    assert response.json()["secret"] == SECRET
    assert (response.json()["topics"], response.json()["description"]) == (
        ["promo.claim.made"],
        "CRM",
    )


def test_a_secret_is_sealed_and_in_no_trail(client: Any, operator: Operator) -> None:
    client.post("/v1/webhook-endpoints", {"url": URL, "secret": SECRET})

    endpoint = WebhookEndpoint.objects.get()
    assert SECRET not in endpoint.sealed_secret
    entry = AuditEntry.objects.get(action="webhook.endpoint.created")
    assert entry.after == {"url": URL, "description": "", "topics": []}
    assert SECRET not in str(vars(entry))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": ""}, "/url"),
        ({"url": "hooks.example.com"}, "/url"),
        ({"url": "ftp://93.184.216.34/"}, "/url"),
        ({"url": "http://93.184.216.34/"}, "/url"),
        ({"url": "https://93.184.216.34:8443/"}, "/url"),
        ({"url": "https://me:pass@93.184.216.34/"}, "/url"),
        ({"url": "https://93.184.216.34/#part"}, "/url"),
        ({"url": "https://93.184.216.34/?a=b#part"}, "/url"),
        ({"url": "https://93.184.216.34/?a=ü"}, "/url"),
        ({"url": "https://127.0.0.1/"}, "/url"),
        ({"url": "https://10.0.0.8/hooks"}, "/url"),
        ({"url": "https://169.254.169.254/latest"}, "/url"),
        ({"url": "https://[::1]/"}, "/url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "/url"),
        ({"url": "https://localhost/"}, "/url"),
        ({"url": "https://2130706433/"}, "/url"),
        ({"url": "https://intern.local/"}, "/url"),
        ({"url": "https://93.184.216.34/" + "a" * 500}, "/url"),
        ({"url": 1}, "/url"),
        ({"url": URL, "topics": ["promo.claim.won"]}, "/topics/0"),
        ({"url": URL, "topics": "promo.claim.made"}, "/topics"),
        ({"url": URL, "topics": ["webhook.test"]}, "/topics/0"),
        ({"url": URL, "secret": "whsec_short"}, "/secret"),
        ({"url": URL, "secret": "hunter2"}, "/secret"),
        ({"url": URL, "description": "x" * 201}, "/description"),
        ({"url": URL, "is_active": False}, "/is_active"),
        ({"url": URL, "colour": "red"}, "/colour"),
    ],
)
def test_what_cannot_be_is_refused(body: dict[str, Any], pointer: str, client: Any) -> None:
    response = client.post("/v1/webhook-endpoints", body)

    assert refusal(response) == (400, "INVALID_REQUEST")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert WebhookEndpoint.objects.exists() is False
    assert AuditEntry.objects.exists() is False


def test_every_topic_can_be_asked_for(client: Any) -> None:
    response = client.post("/v1/webhook-endpoints", {"url": URL, "topics": [*TOPICS, *TOPICS]})

    assert response.json()["topics"] == sorted(TOPICS)


@pytest.mark.parametrize("url", [URL + "/", URL + "?token=a%20b", "https://93.184.216.34"])
def test_an_address_is_kept_as_it_was_given(url: str, client: Any) -> None:
    assert client.post("/v1/webhook-endpoints", {"url": url}).json()["url"] == url


# Changing one


def test_what_is_sent_is_changed_and_the_rest_stays(client: Any, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator, description="CRM")

    response = client.patch(
        endpoint_path(endpoint), {"url": URL, "topics": ["bonus.grant.issued"]}, format="json"
    )

    assert response.status_code == 200
    after = stored(endpoint)
    assert (after.url, after.topics, after.description) == (URL, ["bonus.grant.issued"], "CRM")
    entry = AuditEntry.objects.get(action="webhook.endpoint.changed")
    assert entry.before == {"url": endpoint.url, "topics": []}
    assert entry.after == {"url": URL, "topics": ["bonus.grant.issued"]}


def test_what_changes_nothing_leaves_no_trail(client: Any, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator, description="CRM")

    body = {"description": "CRM", "is_active": True}
    assert client.patch(endpoint_path(endpoint), body, format="json").status_code == 200

    assert AuditEntry.objects.exists() is False


def test_a_private_address_is_refused_when_changing_too(client: Any, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator)

    response = client.patch(
        endpoint_path(endpoint), {"url": "https://10.0.0.8/", "description": "x"}, format="json"
    )

    assert refusal(response) == (400, "INVALID_REQUEST")
    assert (stored(endpoint).url, stored(endpoint).description) == (endpoint.url, "")


# Off and on


@pytest.mark.parametrize("how", ["patch", "delete"])
def test_switched_off_what_is_pending_waits(how: str, client: Any, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator, failing_since=NOON)
    pending = WebhookDeliveryFactory.create(endpoint=endpoint)
    others = WebhookDeliveryFactory.create(endpoint__operator=operator)

    if how == "patch":
        response = client.patch(endpoint_path(endpoint), {"is_active": False}, format="json")
        assert response.json()["disabled_reason"] == "Switched off."
    else:
        assert client.delete(endpoint_path(endpoint)).status_code == 204
        assert client.delete(endpoint_path(endpoint)).status_code == 204

    after = stored(endpoint)
    assert (after.is_active, after.failing_since) == (False, None)
    assert WebhookDelivery.objects.get(pk=pending.pk).is_held
    assert not WebhookDelivery.objects.get(pk=others.pk).is_held
    assert AuditEntry.objects.filter(action="webhook.endpoint.disabled").count() == 1
    # It is kept, with its log.
    assert client.get(endpoint_path(endpoint)).json()["is_active"] is False


def test_switched_on_what_waited_is_due(client: Any, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator, is_active=False)
    held = WebhookDeliveryFactory.create(endpoint=endpoint, next_attempt_at=None)
    done = WebhookDeliveryFactory.create(endpoint=endpoint, status="delivered")

    with time_machine.travel(NOON, tick=False):
        response = client.patch(endpoint_path(endpoint), {"is_active": True}, format="json")

    assert (response.json()["is_active"], response.json()["disabled_reason"]) == (True, None)
    assert WebhookDelivery.objects.get(pk=held.pk).next_attempt_at == NOON
    assert WebhookDelivery.objects.get(pk=done.pk).next_attempt_at is None


def test_endpoints_are_listed_by_whether_they_are_on(client: Any, operator: Operator) -> None:
    on = WebhookEndpointFactory.create(operator=operator)
    WebhookEndpointFactory.create(operator=operator, is_active=False)

    response = client.get("/v1/webhook-endpoints?is_active=true")

    assert [each["id"] for each in response.json()["results"]] == [str(on.pk)]


# Rotating


def test_a_new_secret_leaves_the_old_one_valid_for_a_day(client: Any, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator, secret=SECRET)

    with time_machine.travel(NOON, tick=False):
        response = client.post(endpoint_path(endpoint, "/rotate-secret"))

    assert response.status_code == 200
    fresh = response.json()["secret"]
    assert response.json()["previous_valid_until"] == "2026-03-02T12:00:00Z"
    after = stored(endpoint)
    end = NOON + timedelta(days=1)
    assert list_endpoint_secrets(endpoint=after, now=end - timedelta(seconds=1)) == [fresh, SECRET]
    assert list_endpoint_secrets(endpoint=after, now=end) == [fresh]
    assert fresh not in str(vars(AuditEntry.objects.get(action="webhook.endpoint.secret_rotated")))


def test_a_second_rotation_drops_the_oldest(client: Any, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator)
    first = client.post(endpoint_path(endpoint, "/rotate-secret")).json()["secret"]
    client.post(endpoint_path(endpoint, "/rotate-secret"), {"secret": SECRET})

    live = list_endpoint_secrets(endpoint=stored(endpoint), now=datetime.now(UTC))
    assert live == [SECRET, first]


def test_a_malformed_secret_changes_nothing(client: Any, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator)

    response = client.post(endpoint_path(endpoint, "/rotate-secret"), {"secret": "whsec_?"})

    assert refusal(response) == (400, "INVALID_REQUEST")
    assert stored(endpoint).sealed_secret == endpoint.sealed_secret


# Testing


def test_a_test_message_goes_to_this_endpoint_whatever_it_wants(
    client: Any, operator: Operator, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator, topics=["jackpot.pot.won"])
    WebhookEndpointFactory.create(operator=operator)

    with django_capture_on_commit_callbacks() as callbacks:
        response = client.post(endpoint_path(endpoint, "/test"))

    assert response.status_code == 202
    delivery = WebhookDelivery.objects.get()
    assert response.json()["id"] == str(delivery.pk)
    assert (response.json()["topic"], response.json()["status"]) == ("webhook.test", "pending")
    assert delivery.endpoint == endpoint
    assert delivery.message.payload == {"endpoint_id": str(endpoint.pk)}
    # Nobody else is told of it.
    assert OutboxMessage.objects.unrelayed().exists() is False
    assert len(callbacks) == 1


def test_an_endpoint_that_is_off_is_not_tested(client: Any, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator, is_active=False)

    response = client.post(endpoint_path(endpoint, "/test"))

    assert refusal(response) == (409, "WEBHOOK_ENDPOINT_DISABLED")
    assert WebhookDelivery.objects.exists() is False


# Who may


@pytest.mark.parametrize(
    ("method", "verb"),
    [("patch", ""), ("delete", ""), ("post", "/rotate-secret"), ("post", "/test")],
)
def test_changing_needs_the_scope_manage(
    method: str, verb: str, operator: Operator, client_of: Callable[..., Any]
) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator)
    reader = client_of(operator, scopes=["read", "play"])

    assert reader.get(endpoint_path(endpoint)).status_code == 200
    assert refusal(getattr(reader, method)(endpoint_path(endpoint, verb))) == (
        403,
        "INSUFFICIENT_SCOPE",
    )
    assert stored(endpoint).is_active
