"""What every response gets, and what only pages need: the API has no session and no forms."""

import math
import re
from collections.abc import Callable
from typing import Any

import structlog
import uuid_utils
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

Handler = Callable[[HttpRequest], HttpResponse]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

#: The theme of the back office needs inline scripts and eval (docs/adr/0004).
_ADMIN_POLICY = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "frame-ancestors": [NONE],
    "base-uri": [SELF],
    "form-action": [SELF],
    "object-src": [NONE],
}


#: Nothing at all: JSON loads nothing and is shown in no frame.
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_API_PREFIXES = ("/v1/", "/v2/")


def is_of_the_api(request: HttpRequest) -> bool:
    """Tell whether a request is for the API, not for a page."""
    return request.path_info.startswith(_API_PREFIXES)


class RequestIdMiddleware:
    """Give every request an id: the caller's X-Request-Id if it is a plain one, else ours."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid_utils.uuid7())
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class RateLimitHeadersMiddleware:
    """Say on every counted response how much of the minute's allowance is left."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        counted = getattr(request, "rate_limit", None)
        if counted is not None:
            limit, remaining, reset_s = counted
            response["RateLimit-Limit"] = str(limit)
            response["RateLimit-Remaining"] = str(remaining)
            response["RateLimit-Reset"] = str(math.ceil(reset_s))
        return response


class _OnPagesOnly:
    """
    Let requests of the API pass a middleware that only pages need.

    The API authenticates by key, on every request anew: it has no session, so there is
    nothing that another site could ride on, nor anybody to show a message to.
    """

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if is_of_the_api(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class PageSessionMiddleware(_OnPagesOnly, SessionMiddleware):
    """Sessions, on pages."""


class PageCsrfViewMiddleware(_OnPagesOnly, CsrfViewMiddleware):
    """Protection of forms, on pages; views of the API are exempt anyway."""


class PageAuthenticationMiddleware(_OnPagesOnly, AuthenticationMiddleware):
    """Who is signed in, on pages."""


class PageMessageMiddleware(_OnPagesOnly, MessageMiddleware):
    """Messages, on pages."""


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The policy of pages; an answer of the API is nothing that a browser should run."""

    def __call__(self, request: HttpRequest) -> Any:
        if not is_of_the_api(request):
            return super().__call__(request)
        response: Any = self.get_response(request)
        response["Content-Security-Policy"] = _API_POLICY
        return response


class AdminContentSecurityPolicyMiddleware:
    """Relax the Content-Security-Policy below /admin/, and nowhere else."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_replace = _ADMIN_POLICY  # type: ignore[attr-defined]
        return response
