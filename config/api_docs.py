"""Swagger UI and ReDoc from our own host: no CDN, and a policy their scripts can run under."""

from functools import cache
from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

_REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"

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

    @staticmethod
    def _redoc_standalone() -> str:
        return reverse("redoc-bundle")


@cache_control(public=True, max_age=3600)
def redoc_bundle(_request: HttpRequest) -> HttpResponse:
    """Serve ReDoc's script with its one picture from a CDN replaced by our own."""
    return HttpResponse(_redoc_script(), content_type="text/javascript; charset=utf-8")


@cache
def _redoc_script() -> str:
    found = finders.find("drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js")
    assert isinstance(found, str), "the sidecar has no ReDoc"
    script = Path(found).read_text()
    assert _REDOC_LOGO in script, "ReDoc has another logo: look for what it loads from outside"
    return script.replace(_REDOC_LOGO, static("windfall/mark.svg"))
