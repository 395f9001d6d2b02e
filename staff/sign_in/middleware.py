"""Nothing of the back office without a second factor, where it is required."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from staff.sign_in.adapters import needs_second_factor

_BACK_OFFICE = "/admin/"
#: Under this name a session holds where somebody wanted to go before they were led away.
WANTED = "wanted_page"


class SecondFactorMiddleware:
    """Lead whoever signed in with a password alone to where they set up a second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            settings.STAFF_MFA_REQUIRED
            and request.path_info.startswith(_BACK_OFFICE)
            and request.path_info != reverse("admin:logout")
            and needs_second_factor(request)
        ):
            if request.method == "GET":
                request.session[WANTED] = request.get_full_path()
            return HttpResponseRedirect(reverse("mfa_activate_totp"))
        return self.get_response(request)
