"""deliveries.attempt_due_deliveries: everybody has a turn, and nobody holds the others up."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import current_app

from adapters import tasks
from adapters.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from adapters.services import deliveries
from adapters.webhooks import sender
from core.actors import Actor, ActorKind
from operators.models import Operator
from tests.adapters.receivers import Receiver, receiving
from tests.concurrency.sabotage import at_once
from tests.factories.webhooks import (
    WebhookDeliveryFactory,
    WebhookEndpointFactory,
    message_of,
)

TASK = Actor(kind=ActorKind.TASK, ref="deliver_due_webhooks")


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as server:
        yield server


def sweep(now: datetime, *, limit: int = 100, clock: Callable[[], datetime] | None = None) -> int:
    return deliveries.attempt_due_deliveries(
        limit=limit, time_max=timedelta(minutes=1), actor=TASK, clock=clock or (lambda: now)
    )


@pytest.mark.django_db
def test_what_is_due_is_attempted_and_nothing_else(receiver: Receiver, now: datetime) -> None:
    endpoint = WebhookEndpointFactory.create(url=receiver.url)
    due = WebhookDeliveryFactory.create_batch(2, endpoint=endpoint, next_attempt_at=now)
    WebhookDeliveryFactory.create(
        endpoint=endpoint, next_attempt_at=now + timedelta(microseconds=1)
    )
    WebhookDeliveryFactory.create(endpoint=endpoint, leased_until=now + timedelta(seconds=1))
    WebhookDeliveryFactory.create(endpoint=endpoint, status="delivered")
    WebhookDeliveryFactory.create(endpoint=endpoint, status="failed")
    WebhookDeliveryFactory.create(endpoint=endpoint, next_attempt_at=None)

    assert sweep(now) == 2

    assert {each.message_id for each in receiver.received} == {str(each.message_id) for each in due}
    assert sweep(now) == 0


@pytest.mark.django_db
def test_the_first_of_every_endpoint_comes_before_the_second_of_any(
    receiver: Receiver, now: datetime
) -> None:
    busy, quiet = (
        WebhookEndpointFactory.create(url=f"{receiver.url}/{name}") for name in ("busy", "quiet")
    )
    WebhookDeliveryFactory.create_batch(5, endpoint=busy)
    WebhookDeliveryFactory.create(endpoint=quiet, next_attempt_at=now)

    sweep(now, limit=2)

    assert [each.path for each in receiver.received] == ["/hooks/busy", "/hooks/quiet"]


@pytest.mark.django_db
def test_who_does_not_answer_is_left_alone_for_the_rest_of_the_run(
    receiver: Receiver, now: datetime
) -> None:
    # Nobody listens at the discard port.
    silent = WebhookEndpointFactory.create(url="http://127.0.0.1:9/hooks")
    well = WebhookEndpointFactory.create(url=receiver.url)
    WebhookDeliveryFactory.create_batch(3, endpoint=silent)
    WebhookDeliveryFactory.create_batch(3, endpoint=well)

    assert sweep(now) == 4

    assert len(receiver.received) == 3
    assert DeliveryAttempt.objects.filter(delivery__endpoint=silent).count() == 1


@pytest.mark.django_db
def test_a_run_ends_when_its_time_is_up(receiver: Receiver, now: datetime) -> None:
    endpoint = WebhookEndpointFactory.create(url=receiver.url)
    WebhookDeliveryFactory.create_batch(5, endpoint=endpoint)
    instants = iter(now + timedelta(seconds=15 * number) for number in range(100))

    # Every attempt reads the clock three times, and the run once before each.
    assert sweep(now, clock=lambda: next(instants)) == 1


@pytest.mark.django_db
def test_one_that_cannot_be_attempted_does_not_stop_the_others(
    receiver: Receiver, now: datetime
) -> None:
    broken = WebhookEndpointFactory.create(url=receiver.url, sealed_secret="nobody can open this")
    well = WebhookEndpointFactory.create(url=receiver.url)
    WebhookDeliveryFactory.create(endpoint=broken)
    WebhookDeliveryFactory.create(endpoint=well)

    assert sweep(now) == 1

    assert len(receiver.received) == 1


@pytest.mark.django_db(transaction=True)
def test_several_at_once_send_a_message_once(receiver: Receiver, now: datetime) -> None:
    endpoint = WebhookEndpointFactory.create(url=receiver.url)
    WebhookDeliveryFactory.create_batch(12, endpoint=endpoint)

    attempted = at_once([lambda: sweep(now) for _ in range(4)])

    assert sum(attempted) == len(receiver.received) == 12
    assert len({each.message_id for each in receiver.received}) == 12
    assert WebhookDelivery.objects.filter(status="delivered").count() == 12


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lease_a_message_is_sent_twice(
    receiver: Receiver, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = WebhookEndpointFactory.create(url=receiver.url)
    delivery = WebhookDeliveryFactory.create(endpoint=endpoint)
    # The second comes while the first is sending: not before, when the row is locked, and not
    # after, when it is settled.
    is_sending, both, send = threading.Event(), threading.Barrier(2), sender.send_message

    def send_together(**kwargs: Any) -> Any:
        is_sending.set()
        both.wait(timeout=60)
        return send(**kwargs)

    monkeypatch.setattr(sender, "send_message", send_together)
    due = deliveries.WebhookDelivery.objects.due

    def unleased(**kwargs: Any) -> Any:
        return deliveries.WebhookDelivery.objects.pending()

    assert due(now=now).count() == 1
    monkeypatch.setattr(
        type(deliveries.WebhookDelivery.objects), "due", lambda self, **_: unleased()
    )

    def attempt() -> Any:
        return deliveries.attempt_delivery(delivery_id=delivery.pk, actor=TASK, clock=lambda: now)

    at_once([attempt, lambda: is_sending.wait(timeout=60) and attempt()])

    assert len(receiver.received) == 2


@pytest.mark.django_db(transaction=True)
def test_from_the_outbox_to_the_receiver(
    operator: Operator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = WebhookEndpointFactory.create(operator=operator, url=receiver.url)
    message = message_of(operator)
    queued: list[dict[str, str]] = []
    monkeypatch.setattr(current_app, "send_task", lambda _name, kwargs: queued.append(kwargs))

    assert tasks.relay_outbox.apply().get() == 1
    [kwargs] = queued
    assert tasks.deliver_webhook.apply(kwargs={**kwargs, "of_a_newer_release": 1}).get() is True
    # Run again, and swept: nothing is sent twice.
    assert tasks.deliver_webhook.apply(kwargs=kwargs).get() is False
    assert tasks.deliver_due_webhooks.apply().get() == 0

    assert [each.message_id for each in receiver.received] == [str(message.pk)]
    assert WebhookEndpoint.objects.get(pk=endpoint.pk).failing_since is None
