"""What the admin does itself and should not: signing in, and changing passwords unseen."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.ratelimit import consume_or_429
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from core.admin.pages import staff_actor
from staff.services.sessions import record_password_change

View = Callable[..., HttpResponse]


def lead_to_sign_in(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """
    Lead to the page where signing in is possible, or home whoever is signed in.

    In the admin's own view a password would be enough, also for somebody who is signed in as
    another person already: so it is not kept for anybody.
    """
    home = reverse("admin:index")
    if request.user.is_authenticated:
        return HttpResponseRedirect(home)
    return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME) or home)


def recording_password_changes(view: View) -> View:
    """Return the view that changes one's own password, slow to guess with, and written down."""

    @wraps(view)
    def recording(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        refused = consume_or_429(request, action="change_password", user=request.user)
        if refused is not None:
            return refused
        with transaction.atomic():
            response = view(request, extra_context)
            if request.method == "POST" and response.status_code == 302:
                assert isinstance(request.user, User), "nobody is signed in"
                record_password_change(
                    user=request.user, actor=staff_actor(request), now=timezone.now()
                )
            return response

    return recording


def guard(site: admin.AdminSite) -> None:
    """Send whoever wants to sign in to the one page where that is possible."""
    site.login = lead_to_sign_in  # type: ignore[method-assign]
    site.password_change = recording_password_changes(  # type: ignore[method-assign, assignment]
        site.password_change
    )
