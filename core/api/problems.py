"""Every error of the API is an RFC 9457 problem document, made here and nowhere else."""

import logging
import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import psycopg.errors
import psycopg_pool
import structlog
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from core.errors import DomainError, InvalidRequest, NotFound, ResourceBusy

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "urn:windfall:problem:"

#: DRF's reasons, in our words.
_CODES = {
    400: "INVALID_REQUEST",
    401: "UNAUTHENTICATED",
    403: "INSUFFICIENT_SCOPE",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "BODY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
}

#: Failures of the database that say nothing about the request: it may be sent again.
_TRANSIENT = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.QueryCanceled,
    psycopg.errors.AdminShutdown,
    psycopg.errors.CrashShutdown,
    psycopg.errors.CannotConnectNow,
    psycopg.errors.TooManyConnections,
    psycopg_pool.PoolTimeout,
)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the problem response for ``error``, or None so that a bug becomes a 500."""
    path = context["request"].path
    if is_transient(error):
        logger.warning("the database could not serve %s: %s", path, error)
        error = ResourceBusy("The database is busy. Nothing was changed; send it again.")
    match error:
        case DomainError():
            return _respond(problem_of(error, path=path), retry_after_s=error.retry_after_s)
        case Http404():
            return exception_handler(NotFound("There is nothing here."), context)
        case PermissionDenied():
            return exception_handler(exceptions.PermissionDenied(), context)
        case exceptions.ValidationError():
            return exception_handler(refusal_of(error), context)
        case exceptions.APIException():
            return _from_drf(error, path)
        case _:
            return None


def refusal_of(error: exceptions.ValidationError) -> InvalidRequest:
    """Return the refusal of a body whose fields are invalid, with one entry for each."""
    errors = list(_field_errors(error.get_full_details()))
    return InvalidRequest("One or more fields are invalid.", errors=errors)


def is_transient(error: Exception) -> bool:
    """Tell whether ``error`` is the database being busy or away, not the request being wrong."""
    cause = error.__cause__ or error
    if isinstance(cause, _TRANSIENT):
        return True
    # A lost connection has no SQLSTATE of its own.
    return isinstance(error, InterfaceError | OperationalError) and not getattr(
        cause, "sqlstate", None
    )


def problem_of(error: DomainError, *, path: str) -> dict[str, Any]:
    """Return the problem document of a refusal: standard members first, and they win."""
    document = _document(
        code=error.code, title=error.title, status=error.status, detail=error.detail, path=path
    )
    return document | {name: value for name, value in error.members.items() if name not in document}


def not_found_page(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Answer a path that no route matches."""
    error = NotFound("There is nothing here.")
    return JsonResponse(problem_of(error, path=request.path), status=404, content_type=MEDIA_TYPE)


def server_error_page(request: HttpRequest) -> JsonResponse:
    """Answer a bug: the request id is what support needs to find it in the logs."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    document = _document(
        code="INTERNAL_ERROR",
        title="Internal error",
        status=500,
        detail="Something broke on our side. Quote the request id when you ask about it.",
        path=request.path,
    )
    return JsonResponse({**document, "request_id": request_id}, status=500, content_type=MEDIA_TYPE)


def _from_drf(error: exceptions.APIException, path: str) -> Response:
    status = error.status_code
    document = _document(
        code=_CODES.get(status, str(error.default_code).upper()),
        title=HTTPStatus(status).phrase,
        status=status,
        detail=str(error.detail),
        path=path,
    )
    return _respond(
        document,
        retry_after_s=getattr(error, "wait", None),
        auth_header=getattr(error, "auth_header", None),
    )


def _document(*, code: str, title: str, status: int, detail: str, path: str) -> dict[str, Any]:
    return {
        "type": TYPE_BASE + code.lower().replace("_", "-"),
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": path,
    }


def _respond(
    document: dict[str, Any],
    *,
    retry_after_s: float | None = None,
    auth_header: str | None = None,
) -> Response:
    headers = {}
    if retry_after_s is not None:
        headers["Retry-After"] = str(math.ceil(retry_after_s))
    if auth_header is not None:
        headers["WWW-Authenticate"] = auth_header
    return Response(document, status=document["status"], headers=headers, content_type=MEDIA_TYPE)


def _field_errors(details: Any, pointer: str = "") -> Iterator[dict[str, Any]]:
    """Yield one entry per invalid field, each with the JSON pointer of the field."""
    if isinstance(details, list):
        for index, item in enumerate(details):
            is_leaf = isinstance(item, dict) and set(item) == {"message", "code"}
            yield from _field_errors(item, pointer if is_leaf else f"{pointer}/{index}")
    elif set(details) == {"message", "code"}:
        yield {"pointer": pointer, "code": details["code"], "detail": str(details["message"])}
    else:
        for name, item in details.items():
            inner = pointer if name == "non_field_errors" else f"{pointer}/{name}"
            yield from _field_errors(item, inner)
