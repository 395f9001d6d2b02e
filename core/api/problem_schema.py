"""How refusals look in the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

_MEANING = {
    400: "The request is malformed: INVALID_REQUEST, CURRENCY_UNKNOWN, IDEMPOTENCY_KEY_REQUIRED.",
    401: "UNAUTHENTICATED: no API key, or not a valid one.",
    403: "INSUFFICIENT_SCOPE: the key may not do this.",
    404: "NOT_FOUND: absent, or another operator's.",
    409: "The state of things forbids it; `code` says which.",
    422: "IDEMPOTENCY_KEY_REUSED, or a configuration that cannot be.",
    429: "RATE_LIMITED: wait as Retry-After says.",
    502: "ADAPTER_REJECTED: the casino platform refused; `platform_code` is its word for why.",
    503: "RESOURCE_BUSY: nothing was changed; send it again after Retry-After.",
}


class FieldErrorSerializer(serializers.Serializer[None]):
    """One invalid field of a request."""

    pointer = serializers.CharField(help_text="JSON pointer of the field")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """An RFC 9457 problem document."""

    type = serializers.CharField(help_text="Stable URI that ends in the code")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What happened this time, safe to show")
    code = serializers.CharField(help_text="Stable UPPER_SNAKE code: branch on this")
    instance = serializers.CharField(help_text="The path of the request")
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the responses for those statuses, and for the ones every endpoint has."""
    return {
        (status, "application/problem+json"): OpenApiResponse(
            ProblemSerializer, description=_MEANING[status]
        )
        for status in sorted({*statuses, 401, 403, 429, 503})
    }
