"""Accounts in the back office: how somebody signs in, and what is done when they cannot."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client

from core.models import AuditEntry
from staff.models import StaffSession
from tests.admin.conftest import messages_of, signed_in, staff_with, superuser
from tests.staff.conftest import ELSEWHERE, HOME, LOGIN, PASSWORD, enter, is_signed_in

__all__ = ["staff_with", "superuser"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Client:
    return signed_in(User.objects.create_superuser("root", password="x"))


@pytest.fixture
def manager(staff_with: Any) -> Client:
    """Somebody who may manage staff, and is no superuser."""
    return staff_with("auth.change_user", "auth.view_user")


def page(user: User, name: str) -> str:
    return f"/admin/auth/user/{user.pk}/{name}/"


def lock_out(client: Client) -> None:
    for number in range(5):
        client.post(LOGIN, {"login": "ada", "password": f"guess {number}"})


def test_the_page_of_an_account_shows_how_it_signs_in(
    ada: User, office: Client, browser_at: Any
) -> None:
    lock_out(browser_at(ELSEWHERE))
    enter(browser_at(HOME))

    text = office.get(page(ada, "change")).content.decode()

    assert f"at {ELSEWHERE}" in text
    assert f"{HOME}, since" in text
    assert ada.password not in text


def test_the_list_says_who_has_a_second_factor(
    ada: User, phone: Authenticator, office: Client
) -> None:
    rows = {
        user.username: user.has_second_factor
        for user in office.get("/admin/auth/user/").context["cl"].result_list
    }

    assert rows == {"ada": True, "root": False}


def test_a_lost_phone_is_forgotten(
    ada: User, phone: Authenticator, office: Client, browser: Client
) -> None:
    browser.force_login(ada)
    asked = office.get(page(ada, "reset-second-factor")).content.decode()

    response = office.post(
        page(ada, "reset-second-factor"), {"reason": "Lost in a taxi"}, follow=True
    )

    assert "be sure it is they who ask" in asked
    assert messages_of(response) == ["The second factor of ada was reset."]
    assert not Authenticator.objects.exists()
    assert not is_signed_in(browser)
    entry = AuditEntry.objects.get(action="staff.second_factor.reset")
    assert (entry.subject_id, entry.reason) == (str(ada.pk), "Lost in a taxi")


def test_somebody_locked_out_is_let_in(ada: User, office: Client, browser: Client) -> None:
    lock_out(browser)
    assert f"ada is locked out at {HOME}." in office.get(page(ada, "unlock")).content.decode()

    office.post(page(ada, "unlock"), {"reason": "She called"})

    assert enter(browser).status_code == 302
    assert AuditEntry.objects.get(action="staff.user.unlocked").reason == "She called"


def test_somebody_is_signed_out_everywhere(ada: User, office: Client, browser_at: Any) -> None:
    browsers = [browser_at(HOME), browser_at(ELSEWHERE)]
    for browser in browsers:
        enter(browser)

    response = office.post(page(ada, "end-sessions"), {"reason": "Left a laptop"}, follow=True)

    assert messages_of(response) == ["ada was signed out (2 sessions)."]
    assert [is_signed_in(browser) for browser in browsers] == [False, False]


def test_what_there_is_nothing_to_do_about_is_not_offered(ada: User, office: Client) -> None:
    text = office.get(page(ada, "change")).content.decode()

    assert "/unlock/" in text
    assert "/reset-second-factor/" not in text
    assert "/end-sessions/" not in text


@pytest.mark.parametrize("name", ["reset-second-factor", "unlock", "end-sessions"])
def test_a_manager_helps_neither_superusers_nor_themselves(
    manager: Client, office: Client, ada: User, phone: Authenticator, name: str
) -> None:
    myself = User.objects.get(username__startswith="staff-")
    root = User.objects.get(username="root")
    signed_in(ada)

    assert manager.get(page(ada, name)).status_code == 200
    for user in (myself, root):
        assert manager.get(page(user, name)).status_code == 403
        assert manager.post(page(user, name), {"reason": "Because"}).status_code == 403
    assert StaffSession.objects.filter(user__in=[myself, root]).count() == 2


def test_whoever_may_only_look_sees_no_password_hash(
    staff_with: Any, ada: User, phone: Authenticator
) -> None:
    viewer = staff_with("auth.view_user")

    text = viewer.get(page(ada, "change")).content.decode()

    assert "ada" in text
    assert ada.password.split("$")[-1] not in text
    assert "secret" not in text.lower()


def test_history_leads_to_the_audit_trail(ada: User, office: Client) -> None:
    response = office.get(page(ada, "history"))

    assert response["Location"] == (
        f"/admin/core/auditentry/?subject_type=auth.user&subject_id={ada.pk}"
    )


def test_nothing_of_the_libraries_has_a_page_of_its_own(office: Client) -> None:
    for path in ("account/emailaddress", "mfa/authenticator", "axes/accessattempt", "sessions"):
        assert office.get(f"/admin/{path}/").status_code == 404


def test_the_menu_leads_to_one_s_own_security(office: Client) -> None:
    text = office.get("/admin/").content.decode()

    assert 'href="/accounts/security/"' in text
    assert 'href="/admin/password_change/"' in text


def test_a_password_that_is_set_by_another_ends_the_sessions(
    ada: User, office: Client, browser: Client
) -> None:
    enter(browser)
    given = {
        "usable_password": "true",
        "password1": "quite another one",
        "password2": "quite another one",
    }

    assert office.post(page(ada, "password"), given).status_code == 302

    assert not is_signed_in(browser)
    assert enter(browser, password=PASSWORD).status_code == 200
