"""relaying.relay_outbox: every message is decided once: a delivery for whoever wants it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction

from adapters.enums import DeliveryStatus
from adapters.models import WebhookDelivery
from adapters.services import relaying
from core.models import OutboxMessage
from operators.models import Operator
from tests.concurrency.sabotage import at_once
from tests.factories.operators import OperatorFactory
from tests.factories.webhooks import WebhookEndpointFactory, message_of


def relay(now: datetime, *, messages_max: int = 1_000, batch_size: int = 100) -> int:
    return relaying.relay_outbox(now=now, messages_max=messages_max, batch_size=batch_size)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was handed to the workers: ids of deliveries."""
    ids: list[str] = []

    def send_task(name: str, kwargs: dict[str, Any]) -> None:
        assert name == "adapters.tasks.deliver_webhook"
        ids.append(kwargs["delivery_id"])

    monkeypatch.setattr(current_app, "send_task", send_task)
    return ids


@pytest.mark.django_db
def test_a_message_becomes_a_delivery_for_every_endpoint(operator: Operator, now: datetime) -> None:
    endpoints = WebhookEndpointFactory.create_batch(2, operator=operator)
    message = message_of(operator)

    assert relay(now) == 1

    deliveries = WebhookDelivery.objects.for_operator(operator).order_by("endpoint")
    assert [each.endpoint for each in deliveries] == endpoints
    for delivery in deliveries:
        assert (delivery.message, delivery.topic) == (message, "promo.claim.made")
        assert (delivery.status, delivery.attempts) == (DeliveryStatus.PENDING, 0)
        assert (delivery.next_attempt_at, delivery.created_at) == (now, now)
    assert OutboxMessage.objects.get(pk=message.pk).relayed_at == now


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("topics", "heard"),
    [
        ([], ["bonus.grant.issued", "promo.claim.made"]),
        (["promo.claim.made"], ["promo.claim.made"]),
        (["bonus.grant.issued", "promo.claim.made"], ["bonus.grant.issued", "promo.claim.made"]),
        (["jackpot.pot.won"], []),
    ],
)
def test_an_endpoint_hears_of_the_topics_it_asked_for(
    topics: list[str], heard: list[str], operator: Operator, now: datetime
) -> None:
    WebhookEndpointFactory.create(operator=operator, topics=topics)
    message_of(operator, "bonus.grant.issued")
    message_of(operator, "promo.claim.made")

    assert relay(now) == 2

    assert sorted(WebhookDelivery.objects.values_list("topic", flat=True)) == heard


@pytest.mark.django_db
def test_nobody_hears_of_another_operators_things(operator: Operator, now: datetime) -> None:
    WebhookEndpointFactory.create(operator=OperatorFactory.create())
    message = message_of(operator)

    relay(now)

    assert WebhookDelivery.objects.exists() is False
    assert OutboxMessage.objects.get(pk=message.pk).relayed_at == now


@pytest.mark.django_db
def test_an_endpoint_that_is_off_never_hears_of_what_happens_meanwhile(
    operator: Operator, now: datetime
) -> None:
    WebhookEndpointFactory.create(operator=operator, is_active=False)
    message_of(operator)

    assert relay(now) == 1

    assert WebhookDelivery.objects.exists() is False


@pytest.mark.django_db
def test_running_twice_is_harmless(operator: Operator, now: datetime) -> None:
    WebhookEndpointFactory.create(operator=operator)
    message_of(operator)

    assert [relay(now), relay(now)] == [1, 0]

    assert WebhookDelivery.objects.count() == 1


@pytest.mark.django_db
def test_a_run_takes_no_more_than_it_may_and_the_oldest_first(
    operator: Operator, now: datetime
) -> None:
    WebhookEndpointFactory.create(operator=operator)
    messages = [message_of(operator) for _ in range(5)]

    assert relay(now, messages_max=3, batch_size=2) == 3

    assert list(OutboxMessage.objects.unrelayed().order_by("pk")) == messages[3:]
    assert relay(now, batch_size=2) == 2


@pytest.mark.django_db(transaction=True)
def test_several_at_once_make_one_delivery_a_message(
    operator: Operator, now: datetime, sent: list[str]
) -> None:
    WebhookEndpointFactory.create(operator=operator)
    for _ in range(40):
        message_of(operator)

    relayed = at_once([lambda: relay(now, batch_size=5) for _ in range(4)])
    # Whoever met only messages that others held has left them to those.
    left = relay(now)

    assert sum(relayed) + left == 40
    assert WebhookDelivery.objects.count() == 40
    assert sorted(sent) == sorted(
        str(pk) for pk in WebhookDelivery.objects.values_list("pk", flat=True)
    )


@pytest.mark.django_db(transaction=True)
def test_a_relay_that_fails_loses_nothing(
    operator: Operator, now: datetime, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    WebhookEndpointFactory.create(operator=operator)
    message = message_of(operator)

    def die(**kwargs: Any) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(relaying.outbox, "mark_relayed", die)
        with pytest.raises(RuntimeError):
            relay(now)
    assert (WebhookDelivery.objects.count(), sent) == (0, [])
    assert OutboxMessage.objects.get(pk=message.pk).relayed_at is None

    relay(now)

    assert WebhookDelivery.objects.count() == len(sent) == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_not_committed_is_not_relayed(
    operator: Operator, now: datetime, sent: list[str]
) -> None:
    WebhookEndpointFactory.create(operator=operator)

    with transaction.atomic():
        message_of(operator)
        assert at_once([lambda: relay(now)]) == [0]
        transaction.set_rollback(True)

    assert relay(now) == 0
    assert WebhookDelivery.objects.exists() is False


@pytest.mark.django_db
def test_who_takes_nothing_at_the_moment_is_left_to_the_sweep(
    operator: Operator,
    now: datetime,
    sent: list[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    well = WebhookEndpointFactory.create(operator=operator)
    WebhookEndpointFactory.create(operator=operator, failing_since=now)
    message_of(operator)

    with django_capture_on_commit_callbacks(execute=True):
        relay(now)

    assert WebhookDelivery.objects.pending().count() == 2
    assert sent == [str(WebhookDelivery.objects.get(endpoint=well).pk)]


@pytest.mark.django_db
def test_a_broker_that_is_away_holds_nothing_up(
    operator: Operator,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    WebhookEndpointFactory.create(operator=operator)
    message_of(operator)
    calls: list[str] = []

    def send_task(name: str, kwargs: dict[str, Any]) -> None:
        calls.append(name)
        raise ConnectionError("no broker")

    monkeypatch.setattr(current_app, "send_task", send_task)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        relay(now)

    assert len(callbacks) == len(calls) == 1
    assert WebhookDelivery.objects.due(now=now).count() == 1


@pytest.mark.django_db
def test_a_batch_takes_few_statements(
    operator: Operator, now: datetime, django_assert_max_num_queries: Any
) -> None:
    WebhookEndpointFactory.create(operator=operator)
    for _ in range(20):
        message_of(operator)
    assert connection.in_atomic_block

    # Two savepoints, lock, endpoints, deliveries, mark.
    with django_assert_max_num_queries(6):
        relay(now)
