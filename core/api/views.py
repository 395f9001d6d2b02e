"""The base of every API view."""

from typing import ClassVar

from rest_framework.views import APIView


class WindfallView(APIView):
    """
    One path of the API.

    ``scopes`` names the scope that each method needs; ``idempotent_methods`` those that
    require an Idempotency-Key.
    """

    scopes: ClassVar[dict[str, str]]
    idempotent_methods: ClassVar[tuple[str, ...]] = ()
