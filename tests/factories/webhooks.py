"""Builds webhook endpoints, messages and deliveries, without running the services under test."""

from typing import Any

import factory

from adapters.enums import DeliveryStatus
from adapters.http.signing import make_secret
from adapters.models import WebhookDelivery, WebhookEndpoint
from core.models import OutboxMessage, new_id
from core.sealing import seal
from tests.factories.operators import LONG_AGO, OperatorFactory


class WebhookEndpointFactory(factory.django.DjangoModelFactory[WebhookEndpoint]):
    """An endpoint that hears of everything. Give ``secret`` to know it."""

    class Meta:
        model = WebhookEndpoint
        exclude = ("secret",)

    secret = factory.LazyFunction(make_secret)
    id = factory.LazyFunction(new_id)
    operator = factory.SubFactory(OperatorFactory)
    url = factory.Sequence(lambda number: f"https://93.184.216.34/hooks/{number}")
    sealed_secret = factory.LazyAttribute(lambda endpoint: seal(endpoint.secret))
    disabled_reason = factory.LazyAttribute(
        lambda endpoint: "" if endpoint.is_active else "Switched off."
    )
    is_active = True
    created_at = LONG_AGO


class OutboxMessageFactory(factory.django.DjangoModelFactory[OutboxMessage]):
    """Something that happened to an operator; give ``operator``."""

    class Meta:
        model = OutboxMessage
        exclude = ("operator",)

    operator = factory.SubFactory(OperatorFactory)
    id = factory.LazyFunction(new_id)
    operator_id = factory.SelfAttribute("operator.pk")
    topic = "promo.claim.made"
    subject_type = "operators.operator"
    subject_id = factory.LazyAttribute(lambda message: str(message.operator_id))
    payload = factory.LazyFunction(lambda: {"player_id": "anna", "bonus_amount": "10.00"})
    created_at = LONG_AGO


class WebhookDeliveryFactory(factory.django.DjangoModelFactory[WebhookDelivery]):
    """A delivery that is due since long ago; a settled one has its instants."""

    class Meta:
        model = WebhookDelivery

    id = factory.LazyFunction(new_id)
    endpoint = factory.SubFactory(WebhookEndpointFactory)
    operator = factory.SelfAttribute("endpoint.operator")
    message = factory.SubFactory(
        OutboxMessageFactory, operator=factory.SelfAttribute("..operator"), relayed_at=LONG_AGO
    )
    topic = factory.SelfAttribute("message.topic")
    status = DeliveryStatus.PENDING
    next_attempt_at = factory.LazyAttribute(
        lambda delivery: delivery.created_at if delivery.status == DeliveryStatus.PENDING else None
    )
    delivered_at = factory.LazyAttribute(
        lambda delivery: (
            delivery.created_at if delivery.status == DeliveryStatus.DELIVERED else None
        )
    )
    created_at = LONG_AGO


def message_of(operator: Any, topic: str = "promo.claim.made", **kwargs: Any) -> OutboxMessage:
    """Return a message of ``operator`` that has not been passed on."""
    return OutboxMessageFactory.create(operator=operator, topic=topic, **kwargs)
