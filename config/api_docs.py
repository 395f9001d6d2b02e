"""Swagger UI and ReDoc from our own host: no CDN, and a policy their scripts can run under."""

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

# Both write style attributes into the page, and ReDoc searches in a worker made of a blob.
_POLICY = {
    "default-src": [SELF],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "worker-src": [SELF, "blob:"],
    "frame-ancestors": [NONE],
    "object-src": [NONE],
}


@method_decorator(csp_replace(_POLICY), name="dispatch")
class SwaggerView(SpectacularSwaggerSplitView):
    """The API, to try out."""

    url_name = "openapi"
    title = "Windfall API"


@method_decorator(csp_replace(_POLICY), name="dispatch")
class RedocView(SpectacularRedocView):
    """The API, to read."""

    url_name = "openapi"
    title = "Windfall API"
    template_name = "docs/redoc.html"
