"""API keys at the door: looked up by digest, believed for a moment, refused all alike."""

import time
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from operators.models import ApiKey
from operators.services.credentials import digest_of

SCHEME = "Api-Key"
_REFUSAL = "Send a valid key as 'Authorization: Api-Key <key>'."
#: More keys than this in one process are looked up again rather than remembered.
_CACHE_MAX = 10_000


class _Cached(NamedTuple):
    api_key: ApiKey
    believed_until: float


_cache: dict[str, _Cached] = {}


class ApiKeyAuthentication(BaseAuthentication):
    """
    Set ``request.auth`` to the caller's ApiKey, with its operator.

    A key that was found is believed for API_KEY_CACHE_S without asking the database, so a
    revocation is obeyed everywhere within that time. A key that was not found is asked
    for again each time: nothing that a stranger sends is remembered.
    """

    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        scheme, _space, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not secret:
            raise NotAuthenticated(_REFUSAL)
        if scheme.lower() != SCHEME.lower() or len(secret) > 200:
            raise AuthenticationFailed(_REFUSAL)
        api_key = _find(digest_of(secret=secret.strip()))
        if api_key is None:
            raise AuthenticationFailed(_REFUSAL)
        return None, api_key

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


def forget_cached_keys() -> None:
    """Forget every remembered key of this process."""
    _cache.clear()


def _find(digest: str) -> ApiKey | None:
    # The look-up is by digest: its timing says nothing about any key.
    cached = _cache.get(digest)
    now = timezone.now()
    if cached is not None and time.monotonic() < cached.believed_until:
        is_expired = cached.api_key.expires_at is not None and cached.api_key.expires_at <= now
        return None if is_expired else cached.api_key
    _cache.pop(digest, None)
    api_key = ApiKey.objects.live(now=now).select_related("operator").filter(digest=digest).first()
    if api_key is not None:
        if len(_cache) >= _CACHE_MAX:
            _cache.clear()
        _cache[digest] = _Cached(api_key, time.monotonic() + settings.API_KEY_CACHE_S)
    return api_key


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How keys look in the OpenAPI document."""

    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Authorization: Api-Key <key>`; a key belongs to one operator.",
        }
