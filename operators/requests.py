"""Who is calling: what every view passes on to its service."""

from rest_framework.request import Request

from core.actors import Actor, ActorKind
from operators.models import Operator


def calling_operator(request: Request) -> Operator:
    """Return the operator whose key the request carries."""
    operator: Operator = request.auth.operator
    return operator


def calling_actor(request: Request) -> Actor:
    """Return the key as the actor of what the request does."""
    return Actor(kind=ActorKind.API_KEY, ref=f"{request.auth.prefix}")
