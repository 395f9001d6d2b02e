"""The shapes webhook endpoints and deliveries have on the wire."""

from typing import Any

from rest_framework import serializers

from adapters.api.v1.serializers import SECRET_LENGTH_MAX
from adapters.enums import DeliveryStatus
from adapters.models import WebhookDelivery, WebhookEndpoint
from adapters.models.endpoint import (
    DESCRIPTION_LENGTH_MAX,
    REASON_LENGTH_MAX,
    URL_LENGTH_MAX,
)
from adapters.webhooks.topics import TOPICS
from core.api.serializers import BodySerializer, FlagField, InstantField, TextField
from core.instants import format_instant

_URL_HELP = "HTTPS, public, port 443, unless the deployment lists it. It may have a query."
_TOPICS_HELP = "What to hear of. Empty: everything, topics to come included."
_SIGNING_HELP = "Standard Webhooks: `whsec_` and base64 of 24–64 bytes. Without it, one is made."

# In


class TopicsField(serializers.ListField):
    """Topics of the catalogue."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [(topic.name, topic.title) for topic in TOPICS.values()]
        super().__init__(child=serializers.ChoiceField(choices=choices), max_length=100, **kwargs)


class UpdateEndpointSerializer(BodySerializer[Any]):
    """What to change; what is left out stays."""

    url = TextField(required=False, max_length=URL_LENGTH_MAX, help_text=_URL_HELP)
    description = TextField(required=False, allow_blank=True, max_length=DESCRIPTION_LENGTH_MAX)
    topics = TopicsField(required=False, help_text=_TOPICS_HELP)
    is_active = FlagField(
        required=False, help_text="false switches it off; true on again, and sends what waited."
    )


class CreateEndpointSerializer(BodySerializer[Any]):
    """Where to send what."""

    url = TextField(max_length=URL_LENGTH_MAX, help_text=_URL_HELP)
    description = TextField(
        required=False, allow_blank=True, max_length=DESCRIPTION_LENGTH_MAX, default=""
    )
    topics = TopicsField(required=False, default=list, help_text=_TOPICS_HELP)
    secret = TextField(
        required=False,
        default=None,
        write_only=True,
        max_length=SECRET_LENGTH_MAX,
        help_text=_SIGNING_HELP,
    )


class RotateSecretSerializer(BodySerializer[Any]):
    """The new secret; nothing: one is made."""

    secret = TextField(
        required=False,
        default=None,
        write_only=True,
        max_length=SECRET_LENGTH_MAX,
        help_text=_SIGNING_HELP,
    )


class TestEndpointSerializer(BodySerializer[Any]):
    """Nothing."""


class ReplayDeliverySerializer(BodySerializer[Any]):
    """Why; it is kept in the audit trail."""

    reason = TextField(required=False, default="", max_length=REASON_LENGTH_MAX)


# Out


class EndpointSerializer(serializers.Serializer[Any]):
    """A webhook endpoint. Its secret is not shown."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    description = serializers.CharField()
    topics = serializers.ListField(child=serializers.CharField(), help_text=_TOPICS_HELP)
    is_active = serializers.BooleanField()
    disabled_reason = serializers.CharField(
        allow_null=True, help_text="Why it is off. An endpoint that answers 410 is switched off."
    )
    failing_since = InstantField(
        allow_null=True, help_text="The first failure after the last message that it took."
    )
    previous_valid_until = InstantField(
        allow_null=True, help_text="Until then messages are signed with the old secret too."
    )
    created_at = InstantField()


class EndpointSecretSerializer(EndpointSerializer):
    """A webhook endpoint with its new secret, which is shown this once."""

    secret = serializers.CharField()


class DeliverySerializer(serializers.Serializer[Any]):
    """One message on its way to one endpoint."""

    id = serializers.UUIDField()
    endpoint_id = serializers.UUIDField()
    message_id = serializers.UUIDField(help_text="The header `webhook-id`.")
    topic = serializers.CharField()
    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    attempts = serializers.IntegerField(help_text="Since it was last queued.")
    next_attempt_at = InstantField(
        allow_null=True, help_text="Null while the endpoint is off, and when nothing is to come."
    )
    last_status_code = serializers.IntegerField(allow_null=True)
    last_error = serializers.CharField(allow_null=True)
    delivered_at = InstantField(allow_null=True)
    created_at = InstantField()


def represent_endpoint(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Return an endpoint as EndpointSerializer describes it."""
    return {
        "id": str(endpoint.pk),
        "url": endpoint.url,
        "description": endpoint.description,
        "topics": list(endpoint.topics),
        "is_active": endpoint.is_active,
        "disabled_reason": endpoint.disabled_reason or None,
        "failing_since": _instant(endpoint.failing_since),
        "previous_valid_until": _instant(endpoint.previous_valid_until),
        "created_at": format_instant(endpoint.created_at),
    }


def represent_delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    """Return a delivery as DeliverySerializer describes it."""
    return {
        "id": str(delivery.pk),
        "endpoint_id": str(delivery.endpoint_id),
        "message_id": str(delivery.message_id),
        "topic": delivery.topic,
        "status": str(delivery.status),
        "attempts": delivery.attempts,
        "next_attempt_at": _instant(delivery.next_attempt_at),
        "last_status_code": delivery.last_status_code,
        "last_error": delivery.last_error or None,
        "delivered_at": _instant(delivery.delivered_at),
        "created_at": format_instant(delivery.created_at),
    }


def _instant(value: Any) -> str | None:
    return None if value is None else format_instant(value)
