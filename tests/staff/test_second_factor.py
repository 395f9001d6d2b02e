"""The second factor: asked for after the password, taken once, and guessed by nobody."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from tests.staff.conftest import (
    CODE,
    LOGIN,
    PASSWORD,
    SECRET,
    SECURITY,
    actions,
    code_of,
    enter,
    is_signed_in,
    send_code,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_one_moment")]

WRONG = "This code is wrong, or has been used already."


def wrong_code() -> str:
    valid = {code_of(steps_from_now=step) for step in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in valid)


def test_the_password_alone_opens_nothing(phone: Authenticator, browser: Client) -> None:
    response = enter(browser)

    assert response["Location"] == CODE
    assert not is_signed_in(browser)
    assert browser.get(SECURITY)["Location"].startswith(LOGIN)


def test_password_and_code_open_the_back_office(phone: Authenticator, browser: Client) -> None:
    enter(browser, next="/admin/password_change/")

    response = send_code(browser, code_of())

    assert response["Location"] == "/admin/password_change/"
    assert is_signed_in(browser)
    assert AuditEntry.objects.get().after["second_factor"] is True


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_wrong(
    phone: Authenticator, browser: Client, steps: int, is_taken: bool
) -> None:
    sign_in(browser, steps_from_now=steps)

    assert is_signed_in(browser) is is_taken


def test_a_code_is_taken_once_even_if_the_cache_forgets(
    phone: Authenticator, browser_at: Any
) -> None:
    sign_in(browser_at())
    cache.clear()

    for steps in (0, -1):
        second = browser_at()
        enter(second)
        assert WRONG in send_code(second, code_of(steps_from_now=steps)).content.decode()
        assert not is_signed_in(second)

    later = browser_at()
    sign_in(later, steps_from_now=1)
    assert is_signed_in(later)


@pytest.mark.parametrize("code", ["", "12345", "٣٣٣٣٣٣", "0" * 33, "a\0b", "' OR 1=1"])
def test_what_is_no_code_is_refused(phone: Authenticator, browser: Client, code: str) -> None:
    enter(browser)

    assert send_code(browser, code).status_code == 200
    assert not is_signed_in(browser)


def test_codes_may_be_typed_with_spaces(phone: Authenticator, browser: Client) -> None:
    enter(browser)
    code = code_of()

    send_code(browser, f" {code[:3]} {code[3:]} ")

    assert is_signed_in(browser)


def test_codes_are_not_guessed_from_one_address(phone: Authenticator, browser: Client) -> None:
    enter(browser)

    statuses = [send_code(browser, wrong_code()).status_code for _ in range(5)]

    assert statuses == [200] * 4 + [429]
    # It is back at the password, which is refused.
    assert send_code(browser, code_of()).status_code == 302
    assert enter(browser).status_code == 429
    assert not is_signed_in(browser)
    assert actions() == ["staff.user.sign_in_failed"] * 5 + ["staff.user.locked_out"]
    assert AuditEntry.objects.latest("pk").after["step"] == "code"


def test_codes_are_not_guessed_from_many_addresses(phone: Authenticator, browser_at: Any) -> None:
    for number in range(5):
        guesser = browser_at(f"203.0.113.{number}")
        enter(guesser)
        send_code(guesser, wrong_code())

    right = browser_at("203.0.113.99")
    enter(right)

    assert "Too many codes were wrong" in send_code(right, code_of()).content.decode()
    assert not is_signed_in(right)


def test_codes_are_not_guessed_slowly(phone: Authenticator, browser_at: Any) -> None:
    start = timezone.now()
    for number in range(20):
        with time_machine.travel(start + timedelta(minutes=6 * number), tick=False):
            guesser = browser_at(f"203.0.113.{number}")
            enter(guesser)
            send_code(guesser, wrong_code())

    with time_machine.travel(start + timedelta(hours=3), tick=False):
        right = browser_at()
        enter(right)
        assert "Too many codes were wrong" in send_code(right, code_of()).content.decode()
        call_command("unlock_staff", "ada", "--reason", "x", verbosity=0)
        send_code(right, code_of())
        assert is_signed_in(right)


def test_somebody_else_may_sign_in_instead(phone: Authenticator, browser: Client) -> None:
    enter(browser)
    assert browser.get(LOGIN)["Location"] == CODE

    browser.post("/accounts/logout/")

    assert browser.get(LOGIN).status_code == 200
    assert send_code(browser, code_of())["Location"] == LOGIN


def test_the_code_is_worth_nothing_without_the_password(
    phone: Authenticator, browser: Client
) -> None:
    assert send_code(browser, code_of())["Location"] == LOGIN
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "change", [{"password": "x"}, {"is_active": False}, {"is_staff": False}], ids=str
)
def test_between_password_and_code_access_may_end(
    phone: Authenticator, browser: Client, change: dict[str, Any]
) -> None:
    enter(browser)
    User.objects.filter(pk=phone.user_id).update(**change)

    response = send_code(browser, code_of())

    assert response["Location"] == LOGIN
    assert not is_signed_in(browser)


def test_a_password_waits_ten_minutes_for_its_code(phone: Authenticator, browser: Client) -> None:
    start = timezone.now()
    enter(browser)

    with time_machine.travel(start + timedelta(minutes=11), tick=False):
        response = send_code(browser, code_of())

        assert response["Location"] == LOGIN
        assert not is_signed_in(browser)


def test_a_recovery_code_lets_in_once(ada: User, phone: Authenticator, browser_at: Any) -> None:
    code, *others = RecoveryCodes.activate(ada).get_unused_codes()
    first, second = browser_at(), browser_at()

    enter(first)
    send_code(first, code)
    enter(second)
    send_code(second, code)

    assert is_signed_in(first)
    assert not is_signed_in(second)
    assert f"<dd>{len(others)}</dd>" in first.get(SECURITY).content.decode()


def test_no_secret_and_no_code_is_written_down(phone: Authenticator, browser: Client) -> None:
    enter(browser)
    send_code(browser, "canary")
    send_code(browser, code_of())

    kept = str(list(AuditEntry.objects.values()))
    assert len(kept) > 100
    for secret in ("canary", code_of(), SECRET, PASSWORD):
        assert secret not in kept
