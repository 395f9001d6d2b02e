"""Somebody who signs in, and the phone in their hand."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from core.sealing import seal

PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"
LOGIN, CODE, SECURITY = "/accounts/login/", "/accounts/code/", "/accounts/security/"
SET_UP = "/accounts/security/set-up/"


@pytest.fixture
def ada(db: Any) -> User:
    """A member of staff."""
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True)


@pytest.fixture
def browser_at() -> Callable[..., Client]:
    """Return a function that opens a fresh browser at an address."""

    def make(address: str = HOME, **kwargs: Any) -> Client:
        return Client(REMOTE_ADDR=address, HTTP_USER_AGENT="Firefox", **kwargs)

    return make


@pytest.fixture
def browser(browser_at: Any) -> Client:
    return browser_at()


@pytest.fixture
def _at_one_moment() -> Iterator[None]:
    """Let no test begin in one half minute and end in the next."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def phone(ada: User) -> Authenticator:
    """The authenticator that Ada has set up."""
    return Authenticator.objects.create(
        user=ada, type=Authenticator.Type.TOTP, data={"secret": seal(SECRET)}
    )


def enter(client: Client, username: str = "ada", password: str = PASSWORD, **extra: str) -> Any:
    """Send the sign-in form."""
    return client.post(LOGIN, {"login": username, "password": password, **extra})


def code_of(secret: str = SECRET, *, steps_from_now: int = 0) -> str:
    """Return what an authenticator app shows now, or so many half minutes from now."""
    step = int(time.time()) // 30 + steps_from_now
    return format_hotp_value(hotp_value(secret, step))


def is_signed_in(client: Client) -> bool:
    """Tell whether the back office opens."""
    return client.get("/admin/").status_code == 200


def send_code(client: Client, code: str) -> Any:
    """Send the form that asks for a code."""
    return client.post(CODE, {"code": code})


def sign_in(client: Client, *, steps_from_now: int = 0) -> None:
    """Sign Ada in with password and code."""
    enter(client)
    send_code(client, code_of(steps_from_now=steps_from_now))


def set_up(client: Client) -> tuple[str, Any]:
    """Set an authenticator up as a person would; return its secret and the answer."""
    page = client.get(SET_UP)
    secret = page.context["form"].secret
    return secret, client.post(SET_UP, {"code": code_of(secret)})


def actions() -> list[str]:
    """Return what the audit trail says was done, oldest first."""
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
