"""Sessions end at once when what they rest on is changed by whatever door, and after 12 hours."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from staff.models import StaffSession
from staff.services.sessions import delete_expired_sessions
from staff.tasks import delete_expired_sessions as delete_expired_sessions_task
from tests.staff.conftest import ELSEWHERE, HOME, SECURITY, enter, is_signed_in

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "another horse entirely"


@pytest.fixture
def role(db: Any) -> Group:
    return Group.objects.create(name="Tester")


def _set_password(ada: User, role: Group) -> None:
    ada.set_password(NEW_PASSWORD)
    ada.save(update_fields=["password"])


def _run(sql: str) -> Callable[[User, Group], None]:
    def run(ada: User, role: Group) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, [ada.pk])

    return run


CHANGES: dict[str, Callable[[User, Group], Any]] = {
    "the password": _set_password,
    "the password, in SQL": _run("UPDATE auth_user SET password = 'x' WHERE id = %s"),
    "no longer active": lambda ada, role: User.objects.filter(pk=ada.pk).update(is_active=False),
    "no longer staff": lambda ada, role: User.objects.filter(pk=ada.pk).update(is_staff=False),
    "a superuser": lambda ada, role: User.objects.filter(pk=ada.pk).update(is_superuser=True),
    "a role": lambda ada, role: ada.groups.add(role),
    "a permission": lambda ada, role: ada.user_permissions.add(
        Permission.objects.get(codename="view_player")
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_access_ends_all_sessions(
    ada: User, role: Group, browser_at: Any, change: Callable[[User, Group], Any]
) -> None:
    browsers = [browser_at(HOME), browser_at(ELSEWHERE)]
    for browser in browsers:
        enter(browser)
        assert is_signed_in(browser)

    change(ada, role)

    assert not StaffSession.objects.filter(user=ada).exists()
    assert [is_signed_in(browser) for browser in browsers] == [False, False]


def test_control_without_the_trigger_a_session_outlives_a_role(
    ada: User, role: Group, browser: Client
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_user_groups DISABLE TRIGGER staff_sessions_end_with_roles")
    enter(browser)

    ada.groups.add(role)

    assert is_signed_in(browser)


@pytest.mark.parametrize("what", ["taken from the person", "given more", "given less", "deleted"])
def test_a_change_of_a_role_ends_the_sessions_of_its_members(
    ada: User, role: Group, browser_at: Any, what: str
) -> None:
    permission = Permission.objects.get(codename="view_player")
    role.permissions.add(permission)
    ada.groups.add(role)
    other = User.objects.create_user("bob", password="x", is_staff=True)
    member, bystander = browser_at(), browser_at()
    enter(member)
    bystander.force_login(other)

    match what:
        case "taken from the person":
            ada.groups.remove(role)
        case "given more":
            role.permissions.add(Permission.objects.get(codename="view_segment"))
        case "given less":
            role.permissions.remove(permission)
        case "deleted":
            role.delete()

    assert not is_signed_in(member)
    assert is_signed_in(bystander)


def test_other_changes_end_nothing(ada: User, browser: Client) -> None:
    enter(browser)

    User.objects.filter(pk=ada.pk).update(
        first_name="Ada", last_login=timezone.now(), password=ada.password, is_active=True
    )

    assert is_signed_in(browser)


def test_whoever_changes_their_own_password_stays_here_and_nowhere_else(
    ada: User, browser_at: Any
) -> None:
    here, there = browser_at(HOME), browser_at(ELSEWHERE)
    enter(here)
    enter(there)
    key = here.session.session_key
    given = {
        "old_password": "correct horse battery",
        "new_password1": NEW_PASSWORD,
        "new_password2": NEW_PASSWORD,
    }

    assert here.post("/admin/password_change/", given).status_code == 302

    assert is_signed_in(here)
    assert here.session.session_key != key
    assert not is_signed_in(there)
    entry = AuditEntry.objects.get(action="staff.user.password_changed")
    assert (entry.actor_ref, entry.after) == (str(ada.pk), {})


def test_one_s_own_password_is_not_guessed_from_an_open_session(ada: User, browser: Client) -> None:
    browser.force_login(ada)
    given = {"old_password": "x", "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}

    statuses = [browser.post("/admin/password_change/", given).status_code for _ in range(6)]

    assert statuses == [200] * 5 + [429]


def test_a_request_under_way_does_not_bring_a_session_back(ada: User, browser: Client) -> None:
    enter(browser)
    under_way = browser.session
    under_way["seen"] = "a page"

    User.objects.filter(pk=ada.pk).update(is_superuser=True)

    with pytest.raises(UpdateError):
        under_way.save()
    assert not StaffSession.objects.filter(user=ada).exists()


def test_a_session_ends_half_a_day_after_it_began_however_busy_it_is(
    ada: User, browser: Client
) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        enter(browser)
    for hours in (4, 8, 11):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            assert is_signed_in(browser)
            session = browser.session
            session["busy"] = hours
            session.save()

    with time_machine.travel(start + timedelta(hours=12, seconds=1), tick=False):
        assert not is_signed_in(browser)


def test_expired_sessions_are_deleted_and_others_are_not(ada: User, browser_at: Any) -> None:
    enter(browser_at())
    [row] = StaffSession.objects.filter(user=ada)
    StaffSession.objects.create(
        session_key="old", session_data="", expire_date=timezone.now() - timedelta(seconds=1)
    )

    assert delete_expired_sessions(now=timezone.now()) == 1
    assert delete_expired_sessions_task.apply(kwargs={}).get() == 0
    assert [each.pk for each in StaffSession.objects.filter(user=ada)] == [row.pk]


def test_the_security_page_shows_where_somebody_is_signed_in(ada: User, browser_at: Any) -> None:
    here, there = browser_at(HOME), browser_at(ELSEWHERE)
    enter(here)
    enter(there)

    page = here.get(SECURITY).content.decode()

    assert HOME in page
    assert ELSEWHERE in page
    assert page.count("This browser") == 1
    for session in StaffSession.objects.all():
        assert session.session_key not in page


def test_somebody_signs_out_everywhere_else(ada: User, browser_at: Any) -> None:
    here, there = browser_at(HOME), browser_at(ELSEWHERE)
    other = User.objects.create_user("bob", password="x", is_staff=True)
    enter(here)
    enter(there)
    StaffSession.objects.create(
        session_key="bob", session_data="", expire_date=timezone.now(), user=other
    )

    assert here.get("/accounts/security/sessions/end/").status_code == 405
    response = here.post("/accounts/security/sessions/end/", follow=True)

    assert "One other session was ended." in response.content.decode()
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert StaffSession.objects.filter(user=other).exists()
    assert AuditEntry.objects.get(action="staff.user.signed_out").after == {"sessions_ended": 1}
