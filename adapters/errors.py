"""Refusals of adapters and webhooks."""

from core.errors import DomainError


class AdapterSlugTaken(DomainError):
    """An adapter, perhaps another operator's, has this slug: slugs name the tenant."""

    code = "ADAPTER_SLUG_TAKEN"
    title = "Adapter slug taken"


class WebhookSignatureInvalid(DomainError):
    """The message is not signed with a live secret, or was signed too long ago."""

    code = "WEBHOOK_SIGNATURE_INVALID"
    title = "Webhook signature invalid"
    status = 401


class InvalidEvent(DomainError):
    """The event is signed, but is not one that the contract describes."""

    code = "INVALID_EVENT"
    title = "Invalid event"
    status = 422
