"""
Rows of adapters.

Rows of two models are locked in this order: config, endpoint, delivery.
"""

from adapters.models.config import AdapterConfig, AdapterConfigQuerySet
from adapters.models.delivery import DeliveryAttempt, WebhookDelivery, WebhookDeliveryQuerySet
from adapters.models.endpoint import WebhookEndpoint, WebhookEndpointQuerySet
from adapters.models.inbox import WebhookMessage

__all__ = [
    "AdapterConfig",
    "AdapterConfigQuerySet",
    "DeliveryAttempt",
    "WebhookDelivery",
    "WebhookDeliveryQuerySet",
    "WebhookEndpoint",
    "WebhookEndpointQuerySet",
    "WebhookMessage",
]
