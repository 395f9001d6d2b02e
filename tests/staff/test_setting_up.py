"""Setting a second factor up, replacing it, having to have one, and losing the phone."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from core.sealing import unseal
from staff.models import StaffSession
from tests.staff.conftest import (
    LOGIN,
    PASSWORD,
    SECURITY,
    SET_UP,
    actions,
    code_of,
    enter,
    is_signed_in,
    send_code,
    set_up,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_one_moment")]

REMOVE = "/accounts/security/remove/"
RECOVERY = "/accounts/security/recovery-codes/"
CONFIRM, CONFIRM_BY_CODE = "/accounts/confirm/", "/accounts/confirm/code/"


def test_an_app_is_set_up_and_recovery_codes_are_shown_once(ada: User, browser: Client) -> None:
    enter(browser)

    secret, response = set_up(browser)

    codes = re.findall(r"<li><code>(\d{8})</code>", response.content.decode())
    theirs = {each.type: each for each in Authenticator.objects.filter(user=ada)}
    assert len(set(codes)) == 10
    assert codes == theirs["recovery_codes"].wrap().get_unused_codes()
    assert unseal(theirs["totp"].data["secret"]) == secret
    assert secret not in str(theirs["totp"].data)
    assert is_signed_in(browser)
    assert "staff.second_factor.added" in actions()
    for path in (SECURITY, SET_UP, RECOVERY, REMOVE):
        assert not any(code in browser.get(path, follow=True).content.decode() for code in codes)


def test_a_wrong_first_code_sets_nothing_up(ada: User, browser: Client) -> None:
    enter(browser)
    browser.get(SET_UP)

    response = browser.post(SET_UP, {"code": "000000"})

    assert response.status_code == 200
    assert not Authenticator.objects.exists()


def test_the_first_code_does_not_sign_in_as_well(ada: User, browser_at: Any) -> None:
    owner, onlooker = browser_at(), browser_at()
    enter(owner)
    secret, _response = set_up(owner)

    enter(onlooker)
    send_code(onlooker, code_of(secret))

    assert not is_signed_in(onlooker)


def test_setting_up_ends_the_sessions_that_had_no_code(ada: User, browser_at: Any) -> None:
    here, there = browser_at(), browser_at()
    enter(here)
    enter(there)

    set_up(here)

    assert is_signed_in(here)
    assert not is_signed_in(there)


def test_an_old_session_confirms_who_it_is(
    ada: User, phone: Authenticator, browser: Client
) -> None:
    start = timezone.now()
    sign_in(browser)

    with time_machine.travel(start + timedelta(minutes=11), tick=False):
        asked = browser.get(RECOVERY)
        assert asked["Location"] == f"{CONFIRM_BY_CODE}?{urlencode({'next': RECOVERY})}"
        assert browser.post(RECOVERY)["Location"].startswith(CONFIRM_BY_CODE)
        # The password is not enough for whoever has a second factor.
        assert browser.post(CONFIRM, {"password": PASSWORD})["Location"].startswith(CONFIRM_BY_CODE)
        assert browser.get(RECOVERY)["Location"].startswith(CONFIRM_BY_CODE)

        browser.post(f"{CONFIRM_BY_CODE}?next={RECOVERY}", {"code": code_of()})

        assert browser.get(RECOVERY).status_code == 200


def test_whoever_has_no_app_confirms_with_the_password(ada: User, browser: Client) -> None:
    start = timezone.now()
    enter(browser)

    with time_machine.travel(start + timedelta(minutes=11), tick=False):
        assert browser.get(SET_UP)["Location"].startswith(CONFIRM)
        wrong = browser.post(CONFIRM, {"password": "wrong"})
        assert "This is not your password." in wrong.content.decode()
        assert browser.get(SET_UP)["Location"].startswith(CONFIRM)

        assert browser.post(CONFIRM, {"password": PASSWORD}).status_code == 302
        assert browser.get(SET_UP).status_code == 200


def test_new_recovery_codes_take_the_place_of_the_old(
    ada: User, phone: Authenticator, browser: Client
) -> None:
    before = RecoveryCodes.activate(ada).get_unused_codes()
    sign_in(browser)

    response = browser.post(RECOVERY)

    after = re.findall(r"<li><code>(\d{8})</code>", response.content.decode())
    assert len(after) == 10
    assert not set(before) & set(after)
    assert "staff.second_factor.recovery_codes_made" in actions()


def test_turning_it_off_takes_everything_away(
    ada: User, phone: Authenticator, browser_at: Any
) -> None:
    RecoveryCodes.activate(ada)
    here, there = browser_at(), browser_at()
    sign_in(here)
    sign_in(there, steps_from_now=1)

    here.post(REMOVE)

    assert not Authenticator.objects.exists()
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert "staff.second_factor.removed" in actions()


# Where it is required


def test_where_it_is_required_nothing_opens_before_it_is_set_up(
    ada: User, browser: Client, settings: Any
) -> None:
    settings.STAFF_MFA_REQUIRED = True
    enter(browser)

    for path in ("/admin/", "/admin/players/player/", "/admin/password_change/", "/admin/x/"):
        assert browser.get(path)["Location"] == SET_UP
        assert browser.post(path)["Location"] == SET_UP
    assert "A second factor is required here." in browser.get(SECURITY).content.decode()

    set_up(browser)

    assert is_signed_in(browser)


def test_where_it_is_required_one_arrives_at_the_page_that_was_wanted(
    ada: User, browser: Client, settings: Any
) -> None:
    settings.STAFF_MFA_REQUIRED = True
    enter(browser)
    browser.get("/admin/players/player/?q=grace&p=1")
    browser.post("/admin/x/")

    _secret, codes = set_up(browser)
    made_anew = browser.post(RECOVERY)

    assert codes.context["wanted_url"] == "/admin/players/player/?q=grace&p=1"
    assert 'href="/admin/players/player/?q=grace&amp;p=1"' in codes.content.decode()
    assert made_anew.context["wanted_url"] == "/admin/"


def test_where_it_is_required_removing_it_closes_the_back_office(
    ada: User, phone: Authenticator, browser: Client, settings: Any
) -> None:
    settings.STAFF_MFA_REQUIRED = True
    sign_in(browser)
    assert is_signed_in(browser)

    browser.post(REMOVE)

    assert browser.get("/admin/")["Location"] == SET_UP
    # What it was removed with does not count for setting another one up.
    assert browser.get(SET_UP)["Location"].startswith(CONFIRM)


def test_where_it_is_required_one_can_still_sign_out(
    ada: User, browser: Client, settings: Any
) -> None:
    settings.STAFF_MFA_REQUIRED = True
    enter(browser)

    assert browser.post("/admin/logout/")["Location"] == LOGIN


# A lost phone


def test_the_command_resets_it_and_ends_the_sessions(
    ada: User, phone: Authenticator, browser_at: Any
) -> None:
    RecoveryCodes.activate(ada)
    before = browser_at()
    sign_in(before)

    call_command("reset_second_factor", "ada", "--reason", "Lost in a taxi", verbosity=0)

    assert not Authenticator.objects.exists()
    assert not StaffSession.objects.filter(user=ada).exists()
    assert not is_signed_in(before)
    after = browser_at()
    enter(after)
    assert is_signed_in(after)
    entry = AuditEntry.objects.get(action="staff.second_factor.reset")
    assert entry.reason == "Lost in a taxi"
    assert entry.before == {"authenticators": ["recovery_codes", "totp"]}
