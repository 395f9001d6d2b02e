"""Where a request comes from, for everybody who counts by address."""

from allauth.core.internal.httpkit import get_client_ip
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """
    Return the client's address: what the outermost of our own proxies saw (TRUSTED_PROXY_COUNT).

    What a client itself says in X-Forwarded-For is not believed: each lie would be an address
    with a count of its own. A request that came past the proxies has the address it came from.
    """
    try:
        found = get_client_ip(request)
    except ImproperlyConfigured:
        found = None
    return str(found or request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104 -- nobody's
