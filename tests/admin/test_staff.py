"""Staff and roles: the admin's own forms, with a trail and without a way to more rights."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from core.admin.staff import meaningful_permissions
from core.models import AuditEntry
from tests.admin.conftest import signed_in

pytestmark = pytest.mark.django_db

STRONG = "correct horse battery"


@pytest.fixture
def manager(staff_with: Any) -> Client:
    """Somebody who may manage staff, and is no superuser."""
    return staff_with("auth.add_user", "auth.change_user", "auth.view_user")


def fields_of(user: User, **changed: Any) -> dict[str, Any]:
    return {
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        **({"is_active": "on"} if user.is_active else {}),
        **({"is_staff": "on"} if user.is_staff else {}),
        **changed,
    }


def test_adds_staff_with_a_password_and_leaves_a_trail(office: Client, superuser: User) -> None:
    given = {
        "username": "grace",
        "usable_password": "true",
        "password1": STRONG,
        "password2": STRONG,
    }

    response = office.post("/admin/auth/user/add/", given)

    assert response.status_code == 302
    grace = User.objects.get(username="grace")
    assert grace.check_password(STRONG)
    entry = AuditEntry.objects.get(action="staff.user.added")
    assert (entry.actor_ref, entry.subject_id) == (str(superuser.pk), str(grace.pk))
    assert entry.after["username"] == "grace"
    assert STRONG not in str(entry.after)


def test_changes_staff_and_records_before_and_after(office: Client) -> None:
    role = Group.objects.create(name="Trainee")
    grace = User.objects.create_user("grace", is_staff=True)

    office.post(
        f"/admin/auth/user/{grace.pk}/change/",
        fields_of(grace, first_name="Grace", groups=[str(role.pk)]),
    )

    entry = AuditEntry.objects.get(action="staff.user.changed")
    assert entry.before == {"first_name": "", "groups": []}
    assert entry.after == {"first_name": "Grace", "groups": ["Trainee"]}


def test_a_form_that_changes_nothing_leaves_no_trail(office: Client) -> None:
    grace = User.objects.create_user("grace", is_staff=True)

    office.post(f"/admin/auth/user/{grace.pk}/change/", fields_of(grace))

    assert AuditEntry.objects.exists() is False


def test_sets_a_password_and_records_that_it_was_set(office: Client) -> None:
    grace = User.objects.create_user("grace", password="old", is_staff=True)
    given = {"usable_password": "true", "password1": STRONG, "password2": STRONG}

    response = office.post(f"/admin/auth/user/{grace.pk}/password/", given)

    assert response.status_code == 302
    assert User.objects.get(pk=grace.pk).check_password(STRONG)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.after) == ("staff.user.password_set", {})


def test_a_password_that_is_too_short_is_refused(office: Client) -> None:
    grace = User.objects.create_user("grace", password="old", is_staff=True)
    given = {"usable_password": "true", "password1": "short", "password2": "short"}

    response = office.post(f"/admin/auth/user/{grace.pk}/password/", given)

    assert response.status_code == 200
    assert User.objects.get(pk=grace.pk).check_password("old")
    assert AuditEntry.objects.exists() is False


def test_somebody_changes_their_own_password(db: Any) -> None:
    grace = User.objects.create_user("grace", password="old", is_staff=True)
    given = {"old_password": "old", "new_password1": STRONG, "new_password2": STRONG}

    response = signed_in(grace).post("/admin/password_change/", given)

    assert response.status_code == 302
    assert User.objects.get(pk=grace.pk).check_password(STRONG)


def test_a_manager_makes_no_superuser(manager: Client) -> None:
    grace = User.objects.create_user("grace", is_staff=True)
    given = fields_of(grace, first_name="Grace", is_superuser="on", user_permissions=["1"])

    manager.post(f"/admin/auth/user/{grace.pk}/change/", given)

    changed = User.objects.get(pk=grace.pk)
    assert changed.first_name == "Grace"
    assert changed.is_superuser is False
    assert changed.user_permissions.count() == 0


def test_a_manager_changes_neither_a_superuser_nor_themselves(
    manager: Client, superuser: User
) -> None:
    myself = User.objects.exclude(pk=superuser.pk).get()
    given = {"usable_password": "true", "password1": STRONG, "password2": STRONG}

    for user in (superuser, myself):
        path = f"/admin/auth/user/{user.pk}/"
        assert manager.post(path + "change/", fields_of(user)).status_code == 403
        assert manager.post(path + "password/", given).status_code == 403
        assert User.objects.get(pk=user.pk).check_password(STRONG) is False


def test_a_role_is_given_only_permissions_that_a_page_asks_for(office: Client) -> None:
    offered = {
        f"{each.content_type.app_label}.{each.codename}"
        for each in meaningful_permissions().select_related("content_type")
    }

    assert {"jackpots.pause_instance", "core.view_auditentry", "auth.change_user"} <= offered
    assert (
        offered
        & {
            "jackpots.delete_instance",
            "jackpots.change_contribution",
            "core.add_auditentry",
            "wallets.change_transfer",
            "auth.delete_user",
        }
        == set()
    )


def test_adds_a_role_and_leaves_a_trail(office: Client) -> None:
    pause = Permission.objects.get(codename="pause_instance")
    useless = Permission.objects.get(codename="delete_contribution")

    office.post("/admin/auth/group/add/", {"name": "Manager", "permissions": [str(pause.pk)]})
    refused = office.post(
        "/admin/auth/group/add/", {"name": "Odd", "permissions": [str(useless.pk)]}
    )

    assert Group.objects.get(name="Manager").permissions.get() == pause
    assert not Group.objects.filter(name="Odd").exists()
    assert refused.status_code == 200
    entry = AuditEntry.objects.get()
    assert entry.action == "staff.group.added"
    assert entry.after["name"] == "Manager"
    assert "Can pause and resume" in str(entry.after["permissions"])
