"""Who is calling: what every view passes on to its service."""

from rest_framework.request import Request

from core.actors import Actor, ActorKind
from operators.models import ApiKey, Operator


def calling_operator(request: Request) -> Operator:
    """Return the operator whose key the request carries."""
    return _api_key(request).operator


def calling_actor(request: Request) -> Actor:
    """Return the key as the actor of what the request does."""
    return Actor(kind=ActorKind.API_KEY, ref=_api_key(request).prefix)


def _api_key(request: Request) -> ApiKey:
    assert isinstance(request.auth, ApiKey), "an unauthenticated request got past the door"
    return request.auth
