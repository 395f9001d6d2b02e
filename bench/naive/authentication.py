"""Keys, looked up with every request."""

import hashlib

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from bench.naive.models import ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <key>`."""

    def authenticate(self, request: Request) -> tuple[ApiKey, None]:
        secret = request.headers.get("Authorization", "").removeprefix("Api-Key ")
        digest = hashlib.sha256(secret.encode()).hexdigest()
        api_key = ApiKey.objects.filter(digest=digest).first()
        if api_key is None:
            raise AuthenticationFailed("Unknown key.")
        return api_key, None

    def authenticate_header(self, request: Request) -> str:
        return "Api-Key"
