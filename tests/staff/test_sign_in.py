"""Signing in: with name and password, and with one answer for all who may not."""

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import AuditEntry
from staff.models import StaffSession
from staff.sign_in.urls import urlpatterns
from tests.staff.conftest import HOME, LOGIN, PASSWORD, enter, is_signed_in

pytestmark = pytest.mark.django_db

REFUSED = "The user name and the password do not belong together."
COOKIE = "windfall_session"


def seen(response: Any) -> str:
    """Return the page without what differs each time it is shown, and without what was typed."""
    text = re.sub(r'value="[^"]*"', "", response.content.decode())
    return re.sub(r"nonce-\S+", "", text)


def test_name_and_password_lead_to_the_back_office(ada: User, browser: Client) -> None:
    response = enter(browser)

    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert is_signed_in(browser)


def test_the_admin_s_own_form_is_not_another_way_in(ada: User, browser: Client) -> None:
    shown = browser.get("/admin/login/?next=/admin/players/player/")
    sent = browser.post("/admin/login/", {"username": "ada", "password": PASSWORD})

    assert shown["Location"] == f"{LOGIN}?next=/admin/players/player/"
    assert sent.status_code == 302
    assert sent["Location"].startswith(LOGIN)
    assert not is_signed_in(browser)


def test_the_admin_s_own_form_is_no_way_to_another_account(ada: User, browser: Client) -> None:
    browser.force_login(User.objects.create_user("bob", is_staff=True))

    response = browser.post("/admin/login/", {"username": "ada", "password": PASSWORD})

    assert response["Location"] == "/admin/"
    assert browser.get("/admin/").wsgi_request.user.username == "bob"


def test_whoever_is_led_to_sign_in_gets_to_where_they_wanted(ada: User, browser: Client) -> None:
    asked = browser.get("/admin/password_change/", follow=True)

    response = enter(browser, next=asked.context["redirect_field_value"])

    assert response["Location"] == "/admin/password_change/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "https:evil.example",
    ],
)
def test_nobody_is_led_to_another_site(ada: User, browser: Client, elsewhere: str) -> None:
    assert enter(browser, next=elsewhere)["Location"] == "/admin/"
    # Who is signed in already is led on at once.
    assert browser.get(LOGIN, {"next": elsewhere})["Location"] == "/admin/"


def test_all_who_may_not_get_in_get_one_answer(ada: User, browser_at: Any) -> None:
    User.objects.create_user("gone", password=PASSWORD, is_staff=True, is_active=False)
    User.objects.create_user("guest", password=PASSWORD)
    User.objects.create_user("keyless", is_staff=True)

    answers = [
        enter(browser_at(), "ada", "wrong"),
        enter(browser_at(), "nobody", "wrong"),
        enter(browser_at(), "gone", PASSWORD),
        enter(browser_at(), "gone", "wrong"),
        enter(browser_at(), "guest", PASSWORD),
        enter(browser_at(), "keyless", ""),
        enter(browser_at(), "keyless", "!"),
        enter(browser_at(), "ADA", PASSWORD),
    ]

    whole = [answer for answer in answers if answer is not answers[5]]
    assert {answer.status_code for answer in answers} == {200}
    assert len({seen(answer) for answer in whole}) == 1
    assert REFUSED in seen(answers[0])


def test_every_refusal_hashes_one_password(
    ada: User, browser_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create_user("gone", password=PASSWORD, is_active=False)
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher,
        "encode",
        lambda self, password, salt: hashed.append(password) or encode(self, password, salt),
    )

    counts = []
    for name in ("ada", "nobody", "gone"):
        enter(browser_at(), name, "a wrong one")
        counts.append(hashed.count("a wrong one"))
        hashed.clear()

    assert counts == [1, 1, 1]


def test_the_session_of_before_is_worth_nothing_after(ada: User, browser_at: Any) -> None:
    victim, attacker = browser_at(), browser_at()
    # Something has to be kept for a browser to be given a session before it signs in.
    session = attacker.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    victim.cookies[COOKIE] = planted

    enter(victim)

    assert victim.cookies[COOKIE].value != planted
    assert is_signed_in(victim)
    attacker.cookies[COOKIE] = planted
    assert not is_signed_in(attacker)
    assert not StaffSession.objects.filter(session_key=planted).exists()


def test_nothing_is_remembered_beyond_the_browser(ada: User, browser: Client) -> None:
    response = enter(browser, remember="on")

    cookie = response.cookies[COOKIE]
    assert cookie["max-age"] == cookie["expires"] == ""
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"


def test_the_form_is_refused_without_its_token(ada: User, browser_at: Any) -> None:
    strict = browser_at(enforce_csrf_checks=True)

    assert enter(strict).status_code == 403
    assert not is_signed_in(strict)


def test_signing_in_is_written_down(ada: User, browser: Client) -> None:
    enter(browser)

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_ref, entry.subject_id) == (
        "staff.user.signed_in",
        str(ada.pk),
        str(ada.pk),
    )
    assert entry.after == {"address": HOME, "browser": "Firefox", "second_factor": False}


def test_signing_out_takes_a_form(ada: User, browser: Client) -> None:
    enter(browser)

    assert browser.get("/accounts/logout/").status_code == 200
    assert is_signed_in(browser)
    assert browser.post("/accounts/logout/")["Location"] == LOGIN
    assert not is_signed_in(browser)
    assert not StaffSession.objects.filter(user=ada).exists()


def test_the_admin_s_button_signs_out_too(ada: User, browser: Client) -> None:
    enter(browser)

    assert browser.post("/admin/logout/")["Location"] == LOGIN
    assert not is_signed_in(browser)


def test_nobody_signs_up_and_nothing_goes_by_mail(browser: Client) -> None:
    for path in ("signup/", "password/reset/", "email/", "login/code/", "3rdparty/", "social/"):
        assert browser.get(f"/accounts/{path}").status_code == 404, path


def pages() -> list[str]:
    return [reverse(pattern.name) for pattern in urlpatterns]


@pytest.mark.parametrize("signed_in", [False, True])
def test_every_page_has_the_strict_policy_and_is_never_kept(
    ada: User, browser: Client, signed_in: bool
) -> None:
    if signed_in:
        enter(browser)

    for path in pages():
        response = browser.get(path)
        policy = response["Content-Security-Policy"]
        assert "default-src 'self'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert response["X-Frame-Options"] == "DENY", path
        if response.status_code == 200:
            assert "no-store" in response["Cache-Control"], path
        assert not re.search(r"<style|style=|<script>|\son\w+=", response.content.decode()), path


def test_strangers_see_no_page_of_an_account(browser: Client) -> None:
    entrances = {LOGIN}

    for path in pages():
        response = browser.get(path)
        assert response.status_code == (200 if path in entrances else 302), path


@pytest.mark.parametrize("has_phone", [False, True])
def test_a_get_of_any_page_changes_nothing_but_the_session(
    ada: User, browser: Client, request: pytest.FixtureRequest, has_phone: bool
) -> None:
    if has_phone:
        request.getfixturevalue("phone")
    browser.force_login(ada)

    with CaptureQueriesContext(connection) as queries:
        for path in pages():
            browser.get(path)

    # The secret that somebody is about to scan waits in their session.
    writes = re.compile(r'\s*(INSERT|UPDATE|DELETE) (?!("|INTO "|FROM ")staff_staffsession)')
    assert [each["sql"] for each in queries if writes.match(each["sql"])] == []


@pytest.mark.parametrize("path", pages())
def test_every_form_is_refused_without_its_token(ada: User, browser_at: Any, path: str) -> None:
    strict = browser_at(enforce_csrf_checks=True)
    strict.force_login(ada)

    assert strict.post(path).status_code == 403


def test_what_is_not_there_is_a_page_for_people(browser: Client) -> None:
    response = browser.get("/accounts/nothing/")

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()
