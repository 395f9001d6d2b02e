"""What every response gets; and the API, which has no session and no forms."""

import math
import re
from collections.abc import Callable
from typing import Any

import structlog
import uuid_utils
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import SimpleTemplateResponse
from django.urls import resolve
from django.utils.module_loading import import_string

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
#: What the API's paths begin with, and no page's.
API_PREFIXES = ("/v1/", "/v2/")
_BACK_OFFICE = ("/admin/", "/accounts/")


class RequestIdMiddleware:
    """Give every request an id: the caller's X-Request-Id if it is a plain one, else ours."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid_utils.uuid7())
        tokens = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.reset_contextvars(**tokens)
        response["X-Request-Id"] = request_id
        return response


class ApiMiddleware:
    """
    Answer the API here, past what only pages need: its requests get no further.

    The API authenticates by key, on every request anew. It has no session, so there is nothing
    that another site could ride on, nor anybody to show a message to. What it does share with
    pages is named in API_MIDDLEWARE; hooks for views and templates are not called.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        answer: Any = convert_exception_to_response(_answer)
        for path in reversed(settings.API_MIDDLEWARE):
            answer = convert_exception_to_response(import_string(path)(answer))
        self._answer: Handler = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(API_PREFIXES):
            return self.get_response(request)
        response = self._answer(request)
        response["Content-Security-Policy"] = _API_POLICY
        response["X-Frame-Options"] = "DENY"
        # How much of the minute's allowance is left, on every answer that was counted.
        counted = getattr(request, "rate_limit", None)
        if counted is not None:
            limit, remaining, reset_s = counted
            response["RateLimit-Limit"] = str(limit)
            response["RateLimit-Remaining"] = str(remaining)
            response["RateLimit-Reset"] = str(math.ceil(reset_s))
        return response


def _answer(request: HttpRequest) -> HttpResponse:
    """Find the view of a path, and return its answer."""
    found = request.resolver_match = resolve(request.path_info)
    response: HttpResponse = found.func(request, *found.args, **found.kwargs)
    if isinstance(response, SimpleTemplateResponse):
        # DRF's answers are written late.
        response.render()
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


class RefuseNulMiddleware:
    """
    Refuse addresses of the back office that hold a NUL, which PostgreSQL has in no text.

    Every list and filter would have to look for it otherwise.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(_BACK_OFFICE) and (
            "%00" in request.META.get("QUERY_STRING", "") or "\0" in request.path_info
        ):
            return render(request, "400.html", status=400)
        return self.get_response(request)
