"""What allauth asks of us: who may sign in, what is remembered of it, how secrets are kept."""

import time
from typing import Any

from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.account.utils import get_login_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from core.addresses import client_address
from core.sealing import seal, unseal
from staff.selectors import has_second_factor
from staff.services.sign_ins import record_failed_sign_in, record_sign_in
from staff.sessions import AGENT_LENGTH_MAX, SIGN_IN

#: In the session between password and code: what the account was when the password was right.
_ACCOUNT_SEEN = "account_seen"
#: How allauth calls a step of signing in that was taken with a code.
SECOND_FACTOR = "mfa"


class AccountAdapter(DefaultAccountAdapter):
    """Signing in with name and password, then a code if the person has a second factor."""

    error_messages = {  # noqa: RUF012 -- as the base class has it
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "The user name and the password do not belong together.",
        "incorrect_password": "This is not your password.",
        "too_many_login_attempts": "Too many codes were wrong. Wait five minutes, or ask an "
        "administrator to unlock your account.",
        "rate_limited": "Too many codes were wrong. Wait five minutes and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: administrators add staff."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address by which allauth counts."""
        return client_address(request)

    def get_login_stages(self) -> list[str]:
        """Return what comes between a password that is right and being signed in."""
        return ["allauth.mfa.stages.AuthenticateStage"]

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count nothing here: axes does, by name and address together."""

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Write a wrong password down."""
        remember_failure(request, username=credentials.get("username", ""), step="password")

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """Remember what the account is while its owner looks for their code."""
        refused: HttpResponse | None = super().pre_login(request, user, **kwargs)
        request.session[_ACCOUNT_SEEN] = _fingerprint(user)
        return refused

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign in, unless the password has been changed or access taken since it was right."""
        seen = request.session.pop(_ACCOUNT_SEEN, "")
        if not constant_time_compare(seen, _fingerprint(user)):
            clear_login(request)
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))
        super().login(request, user)
        request.session[SIGN_IN] = {
            "at": timezone.now().isoformat(),
            "address": client_address(request),
            "agent": _agent(request),
        }

    def post_login(
        self, request: HttpRequest, user: Any, *, redirect_url: str | None, **kwargs: Any
    ) -> HttpResponse:
        """Write down that somebody signed in, and lead to where they wanted to go."""
        record_sign_in(
            user=user,
            address=client_address(request),
            agent=_agent(request),
            has_used_second_factor=has_used_second_factor(request, user),
            now=timezone.now(),
        )
        return HttpResponseRedirect(get_login_redirect_url(request, redirect_url))

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return the one way to confirm who one is: a code, for whoever has a second factor."""
        if not user.is_authenticated:
            return []
        wanted = "mfa_reauthenticate" if has_second_factor(user=user) else "reauthenticate"
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [method for method in methods if method["id"] == wanted]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Tell whether the last code, or without an app the last password, is too long ago."""
        user = self.request.user
        methods = {SECOND_FACTOR} if has_second_factor(user=user) else {SECOND_FACTOR, "password"}
        times = [
            record["at"]
            for record in get_authentication_records(self.request, user)
            if record["method"] in methods
        ]
        age_s = time.time() - max(times, default=0)
        return bool(age_s > account_settings.REAUTHENTICATION_TIMEOUT)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Authenticator apps: what they show, and how their secrets are kept."""

    error_messages = {  # noqa: RUF012 -- as the base class has it
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is wrong, or has been used already. Wait for the next one.",
    }

    def get_totp_label(self, user: Any) -> str:
        """Return what the app shows beside the code."""
        return str(user.get_username())

    def encrypt(self, text: str) -> str:
        """Return a secret as the database keeps it."""
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret as it was."""
        return unseal(encrypted_text)


def has_used_second_factor(request: HttpRequest, user: Any) -> bool:
    """Tell whether the session was opened, or confirmed since, with a code."""
    return any(
        record["method"] == SECOND_FACTOR for record in get_authentication_records(request, user)
    )


def needs_second_factor(request: HttpRequest) -> bool:
    """Tell whether the person must set up a second factor before anything else."""
    return (
        settings.STAFF_MFA_REQUIRED
        and request.user.is_authenticated
        and not has_used_second_factor(request, request.user)
    )


def remember_failure(request: Any, *, username: str, step: str) -> None:
    """Write down a failure that axes has counted: not an attempt while locked out."""
    if getattr(request, "axes_failures_since_start", None) is None:
        return
    record_failed_sign_in(
        username=username,
        step=step,
        address=client_address(request),
        has_locked_out=request.axes_locked_out,
        now=timezone.now(),
    )


def _fingerprint(user: User) -> str:
    """Return a digest of what signing in rests on; whoever reads the session learns nothing."""
    state = f"{user.pk}:{user.password}:{user.is_active}:{user.is_staff}"
    return salted_hmac("staff.sign_in", state, algorithm="sha256").hexdigest()


def _agent(request: HttpRequest) -> str:
    """Return what the browser calls itself."""
    return str(request.headers.get("User-Agent", ""))[:AGENT_LENGTH_MAX]
