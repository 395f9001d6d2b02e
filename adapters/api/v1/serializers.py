"""The shapes adapters have on the wire."""

import re
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from adapters.enums import AdapterKind
from adapters.models import AdapterConfig
from adapters.models.config import BASE_URL_LENGTH_MAX, SLUG_PATTERN
from core.api.serializers import BodySerializer, FlagField, InstantField, TextField

#: Twice what the longest secret needs.
SECRET_LENGTH_MAX = 200


@extend_schema_field({"type": "string", "pattern": "^[a-z0-9-]{1,64}$", "example": "acme-platform"})
class AdapterSlugField(TextField):
    """An adapter's slug: 1 to 64 lower-case letters, digits and dashes."""

    default_error_messages: ClassVar = {
        "malformed": "Send 1 to 64 lower-case letters, digits and dashes."
    }

    def to_internal_value(self, data: Any) -> str:
        slug = super().to_internal_value(data)
        if not re.fullmatch(SLUG_PATTERN, slug):
            self.fail("malformed")
        return slug


class PutAdapterSerializer(BodySerializer[None]):
    """What an adapter is. The optional members keep their value when they are left out."""

    kind = serializers.ChoiceField(choices=AdapterKind.choices)
    base_url = TextField(
        required=False,
        max_length=BASE_URL_LENGTH_MAX,
        help_text="http adapters only. HTTPS, public, port 443, unless the deployment lists it.",
    )
    secret = TextField(
        required=False,
        write_only=True,
        max_length=SECRET_LENGTH_MAX,
        help_text="http adapters only. Standard Webhooks: `whsec_` and base64 of 24–64 bytes.",
    )
    is_default = FlagField(required=False, help_text="New bonuses go through it.")


class AdapterSerializer(serializers.Serializer[AdapterConfig]):
    """An adapter. Its secret is never shown."""

    slug = AdapterSlugField()
    kind = serializers.ChoiceField(choices=AdapterKind.choices)
    base_url = serializers.CharField(allow_null=True)
    is_default = serializers.BooleanField()
    has_secret = serializers.BooleanField()
    previous_valid_until = InstantField(
        allow_null=True, help_text="Until then the secret before this one is accepted too."
    )
    created_at = InstantField()
    updated_at = InstantField()
