"""What axes asks of us: under which name it counts, and what whoever failed too often is told."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from staff.selectors import name_counted_under

_MINUTE_S = 60


def counted_name(request: HttpRequest, credentials: Any) -> str:  # noqa: ARG001 -- axes passes it
    """Return the name under which a failure counts (the setting AXES_USERNAME_CALLABLE)."""
    return name_counted_under((credentials or {}).get("username") or "")


def locked_out(request: HttpRequest, *_what_axes_knows: Any) -> HttpResponse:
    """Return the page that says for how long (the setting AXES_LOCKOUT_CALLABLE)."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds()) // _MINUTE_S
    response = render(request, "account/locked_out.html", {"minutes": minutes}, status=429)
    response["Retry-After"] = str(minutes * _MINUTE_S)
    return response
