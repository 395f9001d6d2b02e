"""
The addresses of signing in, below /accounts/.

Allauth finds its pages by these names. What is not here does not exist: nobody signs up, and
nothing goes by e-mail. No page of them is kept by a browser or a proxy.
"""

from typing import Any

from allauth.account import views as account_views
from allauth.mfa.base import views as mfa_views
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from staff.sign_in import views


def _page(route: str, view: Any, name: str) -> URLPattern:
    page: URLPattern = path(route, never_cache(view), name=name)
    return page


urlpatterns = [
    _page("", RedirectView.as_view(pattern_name="mfa_index"), "account_home"),
    _page("login/", account_views.login, "account_login"),
    _page("logout/", account_views.logout, "account_logout"),
    _page("confirm/", account_views.reauthenticate, "account_reauthenticate"),
    _page("confirm/code/", mfa_views.reauthenticate, "mfa_reauthenticate"),
    _page("code/", views.CodeView.as_view(), "mfa_authenticate"),
    _page("security/", views.SecurityView.as_view(), "mfa_index"),
    _page("security/sessions/end/", views.end_other_sessions, "end_other_sessions"),
    _page("security/set-up/", views.SetUpSecondFactorView.as_view(), "mfa_activate_totp"),
    _page("security/remove/", views.RemoveSecondFactorView.as_view(), "mfa_deactivate_totp"),
    _page(
        "security/recovery-codes/", views.RecoveryCodesView.as_view(), "mfa_generate_recovery_codes"
    ),
]
