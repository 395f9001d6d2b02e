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


class AdapterSecretUnreadable(DomainError):
    """No key that we have opens the adapter's secret; nothing is stored, the sender sends again."""

    code = "ADAPTER_SECRET_UNREADABLE"
    title = "Adapter secret unreadable"
    status = 503
    # Somebody has to mend the settings.
    retry_after_s = 60


class WebhookEndpointDisabled(DomainError):
    """The endpoint is switched off: nothing is sent to it."""

    code = "WEBHOOK_ENDPOINT_DISABLED"
    title = "Webhook endpoint disabled"


class WebhookDeliveryPending(DomainError):
    """The message is on its way already."""

    code = "WEBHOOK_DELIVERY_PENDING"
    title = "Webhook delivery pending"
