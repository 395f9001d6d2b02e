"""
GET /metrics: figures for Prometheus, for the operator's own monitoring and nobody else.

With METRICS_TOKEN set, whoever bears it may ask, from wherever. Without one, only the machine
itself may, and only where METRICS_FROM_LOOPBACK allows it: behind a proxy on the same machine
everybody comes from a loopback address, and not every proxy says that it is one. So
production has to be told, and a request that carries any trace of a proxy is refused.
"""

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from core.metrics import exposition

#: What proxies leave behind; whoever sends one of these was not alone with us.
_TRACES_OF_A_PROXY = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
_SCHEME = "Bearer "


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with every figure, or refuse: 401 without the token, 403 from elsewhere."""
    if settings.METRICS_TOKEN:
        if not _bears_the_token(request):
            refusal = HttpResponse("A token is needed.\n", status=401, content_type="text/plain")
            refusal["WWW-Authenticate"] = "Bearer"
            return refusal
    elif not (settings.METRICS_FROM_LOOPBACK and _is_asked_from_here(request)):
        return HttpResponse("Not from here.\n", status=403, content_type="text/plain")
    return HttpResponse(
        exposition(now=timezone.now()), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
    )


def _bears_the_token(request: HttpRequest) -> bool:
    given = request.META.get("HTTP_AUTHORIZATION", "")
    return given.startswith(_SCHEME) and constant_time_compare(
        given.removeprefix(_SCHEME), settings.METRICS_TOKEN
    )


def _is_asked_from_here(request: HttpRequest) -> bool:
    if any(name in request.META for name in _TRACES_OF_A_PROXY):
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback
