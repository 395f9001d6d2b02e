"""Webhooks of casino platforms about bonuses (docs/platform-events.md)."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.http import signing
from adapters.services.inbox import receive_bonus_event
from adapters.webhooks.throttling import SenderThrottle
from bonuses.enums import EventOutcome, GrantStatus, PlatformEventType
from core.api.parsers import BODY_BYTES_MAX, BodyTooLarge
from core.api.problem_schema import ProblemSerializer
from core.api.views import WindfallView

_PROBLEMS = {
    401: "WEBHOOK_SIGNATURE_INVALID: no live secret signed it, or more than five minutes ago.",
    404: "NOT_FOUND: no such adapter, or no such bonus. Not remembered: it may be sent again.",
    409: "EVENT_ID_REUSED: the event id belongs to an event with another body.",
    413: "BODY_TOO_LARGE: above 1 MiB.",
    422: "INVALID_EVENT: not JSON, or not an event of this contract.",
    429: "RATE_LIMITED: wait as Retry-After says.",
    503: (
        "RESOURCE_BUSY, or ADAPTER_SECRET_UNREADABLE: the signature cannot be checked at present. "
        "Nothing was changed; send it again after Retry-After."
    ),
}
_HEADERS = {
    signing.ID_HEADER: "The message's id; a redelivery repeats it.",
    signing.TIMESTAMP_HEADER: "Unix seconds, within five minutes of our clock.",
    signing.SIGNATURE_HEADER: (
        "`v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body` with the adapter's "
        "secret; several are separated by spaces."
    ),
}


class BonusEventDataSerializer(serializers.Serializer[Any]):
    """What an event says: of which bonus, by our id, the platform's, or both."""

    grant_id = serializers.UUIDField(required=False)
    platform_bonus_id = serializers.CharField(required=False, max_length=200)
    wagered_amount_subunit = serializers.IntegerField(
        required=False, min_value=0, help_text="bonus.wagered: staked since the last event."
    )
    weighted_progress_subunit = serializers.IntegerField(
        required=False, min_value=0, help_text="bonus.wagered: what of it counts."
    )
    reason = serializers.CharField(required=False, help_text="bonus.cancelled, bonus.forfeited")


class BonusEventSerializer(serializers.Serializer[Any]):
    """A platform's word about a bonus."""

    event_id = serializers.CharField(max_length=255, help_text="One effect per id.")
    event = serializers.ChoiceField(choices=PlatformEventType.choices)
    ts = serializers.DateTimeField(help_text="When it happened, by the platform's clock.")
    data = BonusEventDataSerializer()  # type: ignore[assignment]


class BonusEventResultSerializer(serializers.Serializer[Any]):
    """What came of an event."""

    received = serializers.BooleanField()
    applied = serializers.BooleanField()
    new_status = serializers.ChoiceField(
        choices=GrantStatus.choices, allow_null=True, help_text="The grant's, applied or not."
    )
    reason = serializers.ChoiceField(
        choices=[
            "duplicate",
            EventOutcome.PARKED.value,
            EventOutcome.TERMINAL_IMMUTABLE.value,
            EventOutcome.UNSUPPORTED_EVENT.value,
        ],
        allow_null=True,
        help_text="Why it was not applied.",
    )


class BonusEventView(WindfallView):
    """Takes events of a platform. The signature stands in for an API key."""

    scopes: ClassVar[dict[str, str]] = {}
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (SenderThrottle,)

    @extend_schema(
        operation_id="receive_bonus_event",
        summary="A platform tells of a bonus",
        description=(
            "Signed by Standard Webhooks over the raw body. Idempotent on the adapter's slug "
            "and `event_id`: a repeat is answered 200 with the reason `duplicate`. An event for "
            "a bonus that is still being issued is `parked` and applied when the grant appears."
        ),
        auth=[],
        parameters=[
            OpenApiParameter(
                name, str, OpenApiParameter.HEADER, required=True, description=description
            )
            for name, description in _HEADERS.items()
        ],
        request=BonusEventSerializer,
        responses={
            200: BonusEventResultSerializer,
            **{
                (status, "application/problem+json"): OpenApiResponse(
                    ProblemSerializer, description=description
                )
                for status, description in _PROBLEMS.items()
            },
        },
    )
    def post(self, request: Request, adapter_slug: str) -> Response:
        """Verify, store, interpret, and say what came of it."""
        # The bytes as they came: what is parsed and written again is not what was signed.
        body = request._request.read(BODY_BYTES_MAX + 1)
        if len(body) > BODY_BYTES_MAX:
            raise BodyTooLarge(f"The body is larger than {BODY_BYTES_MAX} bytes.")
        result = receive_bonus_event(
            adapter_slug=adapter_slug, headers=request.headers, body=body, now=timezone.now()
        )
        return Response(
            {
                "received": True,
                "applied": result.applied,
                "new_status": result.new_status,
                "reason": result.reason,
            }
        )
