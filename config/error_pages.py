"""What nobody found, and what broke: a page for people, a problem document for machines."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.api import problems

_BACK_OFFICE = ("/admin/", "/accounts/")


def not_found_page(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a path that no route matches."""
    if request.path.startswith(_BACK_OFFICE):
        return render(request, "404.html", status=404)
    return problems.not_found_page(request, exception)


def server_error_page(request: HttpRequest) -> HttpResponse:
    """Answer a bug; the request id is what support needs to find it in the logs."""
    if request.path.startswith(_BACK_OFFICE):
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        return render(request, "500.html", {"request_id": request_id}, status=500)
    return problems.server_error_page(request)
