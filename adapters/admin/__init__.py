"""Casino platforms in the back office."""

from adapters.admin.configs import AdapterConfigAdmin
from adapters.admin.inbox import WebhookMessageAdmin

__all__ = [
    "AdapterConfigAdmin",
    "WebhookMessageAdmin",
]
