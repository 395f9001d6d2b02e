"""The OpenAPI document: what drf-spectacular cannot see by itself."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter


class WindfallSchema(AutoSchema):
    """Adds the Idempotency-Key header to the views that require it."""

    def get_override_parameters(self) -> list[Any]:
        if self.method in getattr(self.view, "idempotent_methods", ()):
            return [
                OpenApiParameter(
                    "Idempotency-Key",
                    str,
                    OpenApiParameter.HEADER,
                    required=True,
                    description="1 to 255 printable ASCII characters, fresh for every command; "
                    "a retry repeats it and hears the first answer.",
                )
            ]
        return []
