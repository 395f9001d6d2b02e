"""Casino platforms and webhooks, in and out, in the back office."""

from adapters.admin.configs import AdapterConfigAdmin
from adapters.admin.deliveries import WebhookDeliveryAdmin
from adapters.admin.endpoint_home import failing_endpoints_tile
from adapters.admin.endpoints import WebhookEndpointAdmin
from adapters.admin.inbox import WebhookMessageAdmin
from adapters.admin.player_timeline import webhook_events

__all__ = [
    "AdapterConfigAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
    "WebhookMessageAdmin",
    "failing_endpoints_tile",
    "webhook_events",
]
