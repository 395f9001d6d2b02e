"""deliveries.attempt_delivery: sent signed, logged, tried again on the schedule, then given up."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.http import signing
from adapters.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from adapters.services import deliveries
from adapters.webhooks.schedule import ATTEMPTS_MAX, JITTER, delay_after
from core.actors import Actor, ActorKind
from core.models import AuditEntry, new_id
from core.sealing import seal
from tests.adapters.receivers import Receiver, receiving
from tests.factories.webhooks import WebhookDeliveryFactory, WebhookEndpointFactory

TASK = Actor(kind=ActorKind.TASK, ref="deliver_webhook")
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"o" * 32).decode()

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as server:
        yield server


@pytest.fixture
def endpoint(receiver: Receiver) -> WebhookEndpoint:
    return WebhookEndpointFactory.create(url=receiver.url, secret=SECRET)


@pytest.fixture
def delivery(endpoint: WebhookEndpoint) -> WebhookDelivery:
    return WebhookDeliveryFactory.create(endpoint=endpoint)


def attempt(delivery: WebhookDelivery, now: datetime) -> DeliveryAttempt | None:
    return deliveries.attempt_delivery(delivery_id=delivery.pk, actor=TASK, clock=lambda: now)


def stored(delivery: WebhookDelivery) -> WebhookDelivery:
    return WebhookDelivery.objects.get(pk=delivery.pk)


def signature_by_hand(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Return what the specification says, written out."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


# What is sent


def test_the_message_is_posted_signed(
    delivery: WebhookDelivery, receiver: Receiver, now: datetime
) -> None:
    attempt(delivery, now)

    [request] = receiver.received
    assert request.path == "/hooks"
    assert request.headers["content-type"] == "application/json"
    assert request.message_id == str(delivery.message_id)
    assert request.headers["webhook-timestamp"] == str(int(now.timestamp()))
    assert request.headers["webhook-signature"] == signature_by_hand(
        SECRET, request.message_id, request.headers["webhook-timestamp"], request.body
    )
    assert request.json == {
        "type": "promo.claim.made",
        "timestamp": "2026-01-01T00:00:00Z",
        "data": {"player_id": "anna", "bonus_amount": "10.00"},
    }
    signing.verify([SECRET], request.headers, request.body, now)


def test_both_secrets_sign_while_both_live(
    endpoint: WebhookEndpoint, receiver: Receiver, now: datetime
) -> None:
    endpoint.previous_sealed_secret = seal(OLD_SECRET)
    endpoint.previous_valid_until = now
    endpoint.save()
    first, second = WebhookDeliveryFactory.create_batch(2, endpoint=endpoint)

    attempt(first, now - timedelta(microseconds=1))
    attempt(second, now)

    both, one = receiver.received
    for secret in (SECRET, OLD_SECRET):
        signing.verify([secret], both.headers, both.body, now)
    signing.verify([SECRET], one.headers, one.body, now)
    assert len(both.headers["webhook-signature"].split()) == 2
    assert len(one.headers["webhook-signature"].split()) == 1


def test_text_of_any_language_is_signed_as_it_is_sent(
    endpoint: WebhookEndpoint, receiver: Receiver, now: datetime
) -> None:
    delivery = WebhookDeliveryFactory.create(
        endpoint=endpoint, message__payload={"player_id": 'Ägir 雪 \\ " </script>'}
    )

    attempt(delivery, now)

    [request] = receiver.received
    assert request.json["data"]["player_id"] == 'Ägir 雪 \\ " </script>'
    signing.verify([SECRET], request.headers, request.body, now)


@pytest.mark.parametrize("suffix", ["/", "?token=a%20b&x=1", "/?token=1"])
def test_the_address_is_used_as_it_was_given(
    suffix: str, receiver: Receiver, endpoint: WebhookEndpoint, now: datetime
) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url=receiver.url + suffix)

    attempt(WebhookDeliveryFactory.create(endpoint=endpoint), now)

    assert receiver.received[0].path == "/hooks" + suffix


# What comes back


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(
    status: int, delivery: WebhookDelivery, receiver: Receiver, now: datetime
) -> None:
    receiver.answers(status)

    made = attempt(delivery, now)

    assert made is not None
    assert (made.status_code, made.error, made.at) == (status, "", now)
    after = stored(delivery)
    assert (after.status, after.attempts, after.delivered_at) == ("delivered", 1, now)
    assert (after.next_attempt_at, after.leased_until) == (None, None)
    assert (after.last_status_code, after.last_error) == (status, "")
    assert attempt(delivery, now + timedelta(days=9)) is None
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 408, 429, 500, 503])
def test_anything_else_is_tried_again_later(
    status: int, delivery: WebhookDelivery, receiver: Receiver, now: datetime
) -> None:
    receiver.answers(status)
    receiver.headers = {"location": receiver.url + "/elsewhere"}

    attempt(delivery, now)

    after = stored(delivery)
    assert (after.status, after.attempts, after.last_status_code) == ("pending", 1, status)
    assert after.next_attempt_at is not None
    assert 4.5 <= (after.next_attempt_at - now).total_seconds() <= 5.5
    assert after.leased_until is None
    assert str(status) in after.last_error
    # Nothing was followed.
    assert [request.path for request in receiver.received] == ["/hooks"]
    assert attempt(delivery, now) is None


def test_it_is_given_up_after_three_days_of_attempts(
    delivery: WebhookDelivery, receiver: Receiver, now: datetime
) -> None:
    receiver.answers(500)
    waits = []
    for number in range(1, ATTEMPTS_MAX):
        assert attempt(delivery, now) is not None
        after = stored(delivery)
        assert (after.status, after.attempts) == ("pending", number)
        assert after.next_attempt_at is not None
        waits.append(after.next_attempt_at - now)
        # Not a moment earlier.
        assert attempt(delivery, after.next_attempt_at - timedelta(microseconds=1)) is None
        now = after.next_attempt_at

    attempt(delivery, now)

    for number, wait in enumerate(waits, start=1):
        plain = delay_after(number, luck=0.5)
        assert plain is not None
        assert (1 - JITTER) * plain <= wait <= (1 + JITTER) * plain
    after = stored(delivery)
    assert (after.status, after.attempts) == ("failed", ATTEMPTS_MAX)
    assert (after.next_attempt_at, after.delivered_at) == (None, None)
    assert {request.message_id for request in receiver.received} == {str(delivery.message_id)}
    assert len({request.body for request in receiver.received}) == 1
    assert len(receiver.received) == DeliveryAttempt.objects.count() == ATTEMPTS_MAX


def test_a_later_attempt_may_succeed(
    delivery: WebhookDelivery, receiver: Receiver, now: datetime
) -> None:
    receiver.answers(500, 200)

    attempt(delivery, now)
    attempt(delivery, now + timedelta(seconds=10))

    after = stored(delivery)
    assert (after.status, after.attempts, after.last_error) == ("delivered", 2, "")
    log = DeliveryAttempt.objects.filter(delivery=delivery).order_by("pk")
    assert [each.status_code for each in log] == [500, 200]


def test_410_gone_switches_the_endpoint_off(
    endpoint: WebhookEndpoint, delivery: WebhookDelivery, receiver: Receiver, now: datetime
) -> None:
    waiting = WebhookDeliveryFactory.create(endpoint=endpoint)
    receiver.answers(410)

    attempt(delivery, now)

    after = WebhookEndpoint.objects.get(pk=endpoint.pk)
    assert (after.is_active, after.disabled_reason) == (False, "It answered 410 Gone.")
    assert (stored(delivery).status, stored(delivery).last_status_code) == ("failed", 410)
    assert stored(waiting).is_held
    assert attempt(waiting, now) is None
    assert len(receiver.received) == 1
    entry = AuditEntry.objects.get(action="webhook.endpoint.disabled")
    assert (entry.actor_ref, entry.reason) == ("deliver_webhook", "It answered 410 Gone.")


def test_how_long_it_has_been_failing_is_known(
    endpoint: WebhookEndpoint, receiver: Receiver, now: datetime
) -> None:
    receiver.answers(500, 500, 200)
    first, second, third = WebhookDeliveryFactory.create_batch(3, endpoint=endpoint)

    attempt(first, now)
    attempt(second, now + timedelta(hours=1))
    assert WebhookEndpoint.objects.get(pk=endpoint.pk).failing_since == now
    assert WebhookEndpoint.objects.failing_since(now).count() == 1

    attempt(third, now + timedelta(hours=2))
    assert WebhookEndpoint.objects.get(pk=endpoint.pk).failing_since is None


def test_what_it_said_is_kept_short_and_harmless(
    delivery: WebhookDelivery, receiver: Receiver, now: datetime
) -> None:
    receiver.body = b"<script>alert(1)</script>\x00\xff\n" + b"x" * 5_000

    made = attempt(delivery, now)

    assert made is not None
    excerpt = DeliveryAttempt.objects.get(pk=made.pk).excerpt
    assert len(excerpt) == 1_000
    assert excerpt.startswith("<script>alert(1)</script>\ufffd\ufffd\nxxx")


def test_more_than_anybody_needs_is_a_failure(
    delivery: WebhookDelivery, receiver: Receiver, now: datetime
) -> None:
    receiver.body = b"x" * 300_000

    attempt(delivery, now)

    assert stored(delivery).status == "pending"
    assert "bytes" in stored(delivery).last_error


def test_who_hangs_is_given_up_by_the_deadline(
    delivery: WebhookDelivery, receiver: Receiver, now: datetime, settings: Any
) -> None:
    settings.ADAPTER_DEADLINE_S = 0.3
    receiver.is_released.clear()

    made = attempt(delivery, now)

    assert made is not None
    assert made.status_code is None
    assert made.duration_ms >= 250
    assert made.error == "It did not answer within 0.3 s."
    assert stored(delivery).status == "pending"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/hooks",
        "https://127.0.0.1/hooks",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/hooks",
        "https://localhost/hooks",
    ],
)
def test_an_address_of_our_own_network_is_not_connected_to(
    url: str, delivery: WebhookDelivery, receiver: Receiver, now: datetime, settings: Any
) -> None:
    # As if it had been saved before the guard knew: it is asked again at every attempt.
    settings.ADAPTER_ALLOWED_HOSTS = []
    WebhookEndpoint.objects.update(url=url)

    made = attempt(delivery, now)

    assert made is not None
    assert made.status_code is None
    assert "refused" in made.error
    assert receiver.received == []


# Leases


def test_an_attempt_under_way_is_not_made_twice(
    delivery: WebhookDelivery, receiver: Receiver, now: datetime
) -> None:
    WebhookDelivery.objects.update(leased_until=now + timedelta(microseconds=1), attempts=1)

    assert attempt(delivery, now) is None
    assert receiver.received == []

    assert attempt(delivery, now + timedelta(microseconds=1)) is not None
    assert stored(delivery).attempts == 2


def test_whoever_died_in_the_last_attempt_does_not_leave_it_pending(
    delivery: WebhookDelivery, receiver: Receiver, now: datetime
) -> None:
    WebhookDelivery.objects.update(attempts=ATTEMPTS_MAX, leased_until=now)

    assert attempt(delivery, now) is None

    assert (stored(delivery).status, receiver.received) == ("failed", [])


def test_a_delivery_that_is_not_there_is_nothing(now: datetime) -> None:
    assert deliveries.attempt_delivery(delivery_id=new_id(), actor=TASK, clock=lambda: now) is None


def test_whoever_outlived_its_lease_does_not_decide(
    delivery: WebhookDelivery, receiver: Receiver, now: datetime, monkeypatch: Any
) -> None:
    receiver.answers(500)
    until = now + timedelta(hours=1)

    def meanwhile(name: str) -> None:
        # Another worker thought this one dead, and is at it.
        WebhookDelivery.objects.update(leased_until=until, attempts=2)

    monkeypatch.setattr(deliveries, "failpoint", meanwhile)
    attempt(delivery, now)

    after = stored(delivery)
    assert (after.status, after.leased_until, after.attempts) == ("pending", until, 2)
    assert DeliveryAttempt.objects.count() == 1


def test_what_was_taken_is_delivered_whoever_hears_of_it(
    delivery: WebhookDelivery, receiver: Receiver, now: datetime, monkeypatch: Any
) -> None:
    def meanwhile(name: str) -> None:
        WebhookDelivery.objects.update(leased_until=now + timedelta(hours=1), attempts=2)

    monkeypatch.setattr(deliveries, "failpoint", meanwhile)
    attempt(delivery, now)

    assert stored(delivery).status == "delivered"


def test_locks_the_endpoint_before_its_delivery(
    delivery: WebhookDelivery, receiver: Receiver, now: datetime, record_locks: Callable[..., Any]
) -> None:
    receiver.answers(410)
    with record_locks() as leased_and_gone:
        attempt(delivery, now)

    # The first is the lease's own transaction.
    assert leased_and_gone == ["adapters_webhookdelivery", "adapters_webhookendpoint"]
