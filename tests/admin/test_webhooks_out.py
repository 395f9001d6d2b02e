"""Endpoints and deliveries in the back office: a secret once, off and on, and sent again."""

import json
import logging
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adapters.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from adapters.selectors import list_endpoint_secrets
from core.models import AuditEntry
from operators.models import Operator
from tests.admin.conftest import messages_of
from tests.factories.operators import LONG_AGO
from tests.factories.webhooks import WebhookDeliveryFactory, WebhookEndpointFactory

pytestmark = pytest.mark.django_db

URL = "https://93.184.216.34/hooks"


def page(row: Any, name: str = "change") -> str:
    return reverse(f"admin:adapters_{row._meta.model_name}_{name}", args=[row.pk])


def add(office: Client, operator: Operator, **given: Any) -> Any:
    path = reverse("admin:adapters_webhookendpoint_add")
    return office.post(path, {"operator": operator.pk, "url": URL, **given})


def stored(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return WebhookEndpoint.objects.get(pk=endpoint.pk)


# The secret


def test_an_endpoint_is_added(office: Client, superuser: Any, operator: Operator) -> None:
    response = add(office, operator, topics=["promo.claim.made"], description="CRM")

    endpoint = WebhookEndpoint.objects.for_operator(operator).get()
    assert response.status_code == 201
    assert (endpoint.url, endpoint.topics) == (URL, ["promo.claim.made"])
    assert list_endpoint_secrets(endpoint=endpoint, now=LONG_AGO) == [response.context["secret"]]
    entry = AuditEntry.objects.get(action="webhook.endpoint.created")
    assert (entry.actor_ref, entry.operator_id) == (str(superuser.pk), operator.pk)


@pytest.mark.parametrize("how", ["add", "rotate"])
def test_a_secret_is_shown_once_and_kept_nowhere(
    how: str, office: Client, operator: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    if how == "add":
        response = add(office, operator)
    else:
        endpoint = WebhookEndpointFactory.create(operator=operator)
        response = office.post(page(endpoint, "rotate-secret"), {"reason": "It leaked."})

    assert response.status_code == 201
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
    endpoint = WebhookEndpoint.objects.get()
    for later in (
        page(endpoint),
        page(endpoint, "edit"),
        reverse("admin:adapters_webhookendpoint_changelist"),
    ):
        shown = office.get(later).content.decode()
        assert secret not in shown
        assert endpoint.sealed_secret not in shown


def test_loading_the_page_again_makes_no_other_secret(office: Client, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator)
    given = {"reason": "It leaked.", "form_token": str(uuid.uuid4())}
    office.post(page(endpoint, "rotate-secret"), given)
    sealed = stored(endpoint).sealed_secret

    again = office.post(page(endpoint, "rotate-secret"), given)

    assert again.status_code == 302
    assert stored(endpoint).sealed_secret == sealed != endpoint.sealed_secret
    assert AuditEntry.objects.get(action="webhook.endpoint.secret_rotated").reason == "It leaked."


# Changing


@pytest.mark.parametrize("url", ["https://10.0.0.8/hooks", "http://93.184.216.34/", "hooks"])
def test_an_address_we_do_not_send_to_is_marked(
    url: str, office: Client, operator: Operator
) -> None:
    response = add(office, operator, url=url)

    assert response.status_code == 400
    assert list(response.context["form"].errors) == ["url"]
    assert WebhookEndpoint.objects.exists() is False


def test_an_endpoint_is_changed(office: Client, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator, topics=["promo.claim.made"])

    shown = office.get(page(endpoint, "edit"))
    assert shown.context["form"].initial["topics"] == ["promo.claim.made"]
    response = office.post(page(endpoint, "edit"), {"url": URL, "description": "New"}, follow=True)

    after = stored(endpoint)
    assert (after.url, after.description, after.topics) == (URL, "New", [])
    assert messages_of(response) == [f"{URL} was changed."]


def test_it_is_switched_off_and_on_again(office: Client, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator)
    waiting = WebhookDeliveryFactory.create(endpoint=endpoint)

    office.post(page(endpoint, "disable"), {"reason": "They moved."})
    assert (stored(endpoint).is_active, stored(endpoint).disabled_reason) == (False, "They moved.")
    assert WebhookDelivery.objects.get(pk=waiting.pk).is_held
    assert "1 message that waits is sent." in office.get(page(endpoint, "enable")).content.decode()

    office.post(page(endpoint, "enable"), {"reason": "They are back."})
    assert (stored(endpoint).is_active, stored(endpoint).disabled_reason) == (True, "")
    assert not WebhookDelivery.objects.get(pk=waiting.pk).is_held


def test_a_test_message_is_sent(office: Client, operator: Operator) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator)

    response = office.post(page(endpoint, "test"), {"reason": "Trying it out."}, follow=True)

    delivery = WebhookDelivery.objects.get()
    assert (delivery.endpoint, delivery.topic) == (endpoint, "webhook.test")
    assert "webhook.test" in response.content.decode()


def test_an_endpoint_that_fails_is_seen_to_fail(office: Client, operator: Operator) -> None:
    failing = WebhookEndpointFactory.create(operator=operator, failing_since=LONG_AGO)
    WebhookEndpointFactory.create(operator=operator)
    path = reverse("admin:adapters_webhookendpoint_changelist")

    shown = office.get(path, {"state": "failing"})

    assert [row.pk for row in shown.context["cl"].result_list] == [failing.pk]
    assert "since 1 Jan 2026, 00:00:00 UTC" in shown.content.decode()


def test_home_counts_who_has_been_failing_for_an_hour(office: Client, operator: Operator) -> None:
    now = timezone.now()
    for url, minutes in (("longer", 90), ("long", 60), ("short", 58)):
        WebhookEndpointFactory.create(
            operator=operator, url=f"{URL}/{url}", failing_since=now - timedelta(minutes=minutes)
        )
    WebhookEndpointFactory.create(operator=operator, url=f"{URL}/well")

    [tile] = [
        tile
        for tile in office.get("/admin/").context["tiles"]
        if tile.label == "Endpoints that fail"
    ]
    listed = office.get(tile.url).content.decode()

    assert tile.value == "2"
    assert tile.note.startswith("The longest for 1\xa0hour.")
    assert f"{URL}/long" in listed
    assert f"{URL}/longer" in listed
    assert f"{URL}/short" not in listed


def test_home_says_so_while_nobody_fails(office: Client, operator: Operator) -> None:
    WebhookEndpointFactory.create(operator=operator)

    assert "Every webhook endpoint has taken something" in office.get("/admin/").content.decode()


# Deliveries


def test_a_message_is_sent_again(office: Client, superuser: Any, operator: Operator) -> None:
    delivery = WebhookDeliveryFactory.create(endpoint__operator=operator, status="delivered")

    assert "acts twice" in office.get(page(delivery, "replay")).content.decode()
    response = office.post(page(delivery, "replay"), {"reason": "They lost it."}, follow=True)

    assert WebhookDelivery.objects.get(pk=delivery.pk).status == "pending"
    assert messages_of(response) == ["The message is on its way again."]
    entry = AuditEntry.objects.get(action="webhook.delivery.replayed")
    assert (entry.actor_ref, entry.reason) == (str(superuser.pk), "They lost it.")


def test_what_is_on_its_way_offers_no_replay(office: Client, operator: Operator) -> None:
    delivery = WebhookDeliveryFactory.create(endpoint__operator=operator)

    assert page(delivery, "replay") not in office.get(page(delivery)).content.decode()
    response = office.post(page(delivery, "replay"), {"reason": "Again."})

    assert response.status_code == 409
    assert AuditEntry.objects.exists() is False


def test_attempts_are_shown_and_what_came_back_is_text(office: Client, operator: Operator) -> None:
    delivery = WebhookDeliveryFactory.create(
        endpoint__operator=operator, message__payload={"player_id": "<script>alert(1)</script>"}
    )
    DeliveryAttempt.objects.create(
        delivery=delivery,
        at=LONG_AGO,
        status_code=500,
        duration_ms=1_234,
        error="It answered 500.",
        excerpt="<img src=x onerror=alert(2)>",
    )

    shown = office.get(page(delivery)).content.decode()

    assert "1,234 ms" in shown
    assert "It answered 500." in shown
    assert "<script>alert(1)" not in shown
    assert "<img src=x" not in shown
    assert "&lt;img src=x onerror=alert(2)&gt;" in shown


@pytest.mark.parametrize("by", ["pk", "message_id"])
def test_a_delivery_is_found_by_its_id_or_its_messages(
    by: str, office: Client, operator: Operator
) -> None:
    wanted = WebhookDeliveryFactory.create(endpoint__operator=operator)
    WebhookDeliveryFactory.create(endpoint__operator=operator)
    path = reverse("admin:adapters_webhookdelivery_changelist")

    shown = office.get(path, {"q": str(getattr(wanted, by))})

    assert [row.pk for row in shown.context["cl"].result_list] == [wanted.pk]


def test_deliveries_are_narrowed_by_topic_and_status(office: Client, operator: Operator) -> None:
    failed = WebhookDeliveryFactory.create(
        endpoint__operator=operator, status="failed", message__topic="bonus.grant.issued"
    )
    WebhookDeliveryFactory.create(endpoint__operator=operator)
    path = reverse("admin:adapters_webhookdelivery_changelist")

    for query in ({"topic": "bonus.grant.issued"}, {"status__exact": "failed"}):
        shown = office.get(path, query)
        assert [row.pk for row in shown.context["cl"].result_list] == [failed.pk]
