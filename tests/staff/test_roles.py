"""Roles: who may see which page and do what, over everything that the back office has."""

import re
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.actors import Actor, ActorKind
from core.admin.staff import asked_for_names, meaningful_permissions
from core.models import AuditEntry
from operators.models import Operator
from staff.models import StaffSession
from staff.roles import ROLES, SUPERUSER_ONLY, granted_names
from staff.services.role_groups import sync_roles
from tests.admin.commands import ALSO, PERMISSIONS, address, all_pages
from tests.admin.world import fill_world
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
TABLE = sorted(ROLES)
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
PAGES = sorted(all_pages())
ACTOR = Actor(kind=ActorKind.COMMAND, ref="test")
PERMISSION = re.compile(r'"([a-z]+\.[a-z_]+)"')
NOBODY = "Nobody"


@pytest.fixture
def staff_in(now: datetime) -> Callable[[str], User]:
    """Return a function that hires somebody for a role, or for none."""
    sync_roles(actor=ACTOR, now=now)

    def hire(role: str) -> User:
        user, _created = User.objects.get_or_create(
            username=f"in {role}", defaults={"is_staff": True}
        )
        if role != NOBODY:
            user.groups.add(Group.objects.get(name=role))
        return user

    return hire


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def has(role: str, *permissions: str) -> bool:
    return ROLES.get(role, frozenset()) >= set(permissions)


def may_use(role: str, name: str) -> bool:
    return has(role, PERMISSIONS[name], ALSO.get(name, PERMISSIONS[name]))


def view_of(model: Any) -> str:
    return f"{model._meta.app_label}.view_{model._meta.model_name}"


def url(model: Any, name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


# The table


def test_the_roles_are_these() -> None:
    assert TABLE == ["CRM", "Compliance", "Finance approver", "Jackpot manager", "Viewer"]
    assert all(ROLES["Viewer"] < ROLES[role] for role in TABLE if role != "Viewer")


def test_every_permission_of_the_table_exists() -> None:
    known = {
        f"{each.content_type.app_label}.{each.codename}"
        for each in Permission.objects.select_related("content_type")
    }

    assert sorted((granted_names() | SUPERUSER_ONLY) - known) == []


def test_what_a_page_asks_for_some_role_has_or_superusers_alone() -> None:
    asked = asked_for_names() | set(PERMISSIONS.values()) | asked_for_in_the_code()

    assert sorted(asked - granted_names() - SUPERUSER_ONLY) == []
    assert sorted((granted_names() | SUPERUSER_ONLY) - asked) == []
    assert granted_names() & SUPERUSER_ONLY == set()


def asked_for_in_the_code() -> set[str]:
    """Return every permission that the code of an app spells out."""
    found = set()
    for app in settings.WINDFALL_APPS:
        for path in (ROOT / app).rglob("*.py"):
            # The table itself asks for nothing.
            if "migrations" not in path.parts and path.name != "roles.py":
                found |= set(PERMISSION.findall(path.read_text()))
    known = Permission.objects.values_list("content_type__app_label", "codename")
    return found & {f"{app_label}.{codename}" for app_label, codename in known}


def test_who_approves_cannot_ask() -> None:
    asks = {
        "jackpots.request_boost",
        "jackpots.change_live_terms",
        "promos.claw_back_userpromo",
        "bonuses.issue_bonusgrant",
    }
    approves = {
        "jackpots.approve_boost",
        "jackpots.approve_win",
        "jackpots.approve_live_terms",
        "promos.approve_clawback",
        "bonuses.approve_manual_grant",
    }

    for role in TABLE:
        assert not (ROLES[role] & asks and ROLES[role] & approves), role


def test_who_sets_limits_neither_uses_nor_decides_what_they_guard() -> None:
    limits = {"approvals.change_approvalsettings", "jackpots.change_jackpotsettings"}
    guarded = {
        "bonuses.issue_bonusgrant",
        "jackpots.change_live_terms",
        "jackpots.draw_instance",
        "jackpots.drop_pot",
        "promos.claw_back_userpromo",
    }

    setting = [role for role in TABLE if ROLES[role] & limits]
    assert setting == ["Compliance"]
    for role in setting:
        deciding = {name for name in ROLES[role] if name.partition(".")[2].startswith("approve_")}
        assert ROLES[role] & guarded | deciding == set(), role


def test_compliance_gives_nobody_anything() -> None:
    giving = re.compile(r"issue_|grant$|add_|start_|boost|drop_|approve_|activate_|create_")

    assert [name for name in sorted(ROLES["Compliance"]) if giving.search(name)] == [
        "bonuses.cancel_bonusgrant",
        "bonuses.forfeit_bonusgrant",
        "bonuses.view_bonusgrant",
        "jackpots.view_boost",
    ]


def test_a_role_s_form_offers_all_that_it_has() -> None:
    offered = {
        f"{each.content_type.app_label}.{each.codename}"
        for each in meaningful_permissions().select_related("content_type")
    }

    assert sorted(granted_names() - offered) == []


# The groups


def test_sync_makes_the_groups_what_the_table_says(staff_in: Any, now: datetime) -> None:
    held = {
        group.name: {
            f"{each.content_type.app_label}.{each.codename}"
            for each in group.permissions.select_related("content_type")
        }
        for group in Group.objects.filter(name__in=ROLES)
    }

    assert held == ROLES


def test_the_migration_makes_the_same_groups(db: Any, now: datetime) -> None:
    Group.objects.all().delete()
    Permission.objects.filter(codename="view_player").delete()

    import_module("staff.migrations.0003_roles").make_roles(apps, None)

    assert {
        (role.name, *role.added, *role.removed) for role in sync_roles(actor=ACTOR, now=now)
    } == {(role,) for role in ROLES}
    assert Permission.objects.filter(codename="view_player").count() == 1
    assert all(app.models_module is not True for app in apps.get_app_configs())


def test_whoever_cancelled_claims_still_chooses_amounts_but_not_who_sets_their_limit(
    staff_in: Any,
) -> None:
    cancel = Permission.objects.get(codename="cancel_userpromo")
    Permission.objects.get(codename="claw_back_userpromo").delete()
    own = Group.objects.create(name="Our own")
    own.permissions.add(cancel)
    person = User.objects.create_user("grace", is_staff=True)
    person.user_permissions.add(cancel)

    import_module("staff.migrations.0004_who_claws_back").give_to_who_cancels(apps, None)

    given = Permission.objects.get(codename="claw_back_userpromo")
    assert sorted(given.group_set.values_list("name", flat=True)) == ["CRM", "Our own"]
    assert list(given.user_set.all()) == [person]


def test_sync_takes_back_what_was_changed_and_leaves_other_roles_alone(
    staff_in: Any, now: datetime
) -> None:
    pause = Permission.objects.get(codename="pause_instance")
    view = Permission.objects.get(codename="view_player")
    viewer = Group.objects.get(name="Viewer")
    own = Group.objects.create(name="Our own")
    own.permissions.add(pause)
    viewer.permissions.remove(view)
    viewer.permissions.add(pause)
    crm = browser_of(staff_in("CRM"))
    before = AuditEntry.objects.count()

    out = StringIO()
    call_command("sync_roles", stdout=out)

    assert "Viewer: changed\n  + players.view_player\n  - jackpots.pause_instance\n" in (
        out.getvalue()
    )
    assert "CRM: as it should be\n" in out.getvalue()
    assert set(viewer.permissions.filter(pk__in=[pause.pk, view.pk])) == {view}
    assert list(own.permissions.all()) == [pause]
    [entry] = AuditEntry.objects.order_by("pk")[before:]
    assert (entry.action, entry.actor_ref) == ("staff.group.synced", "sync_roles")
    assert entry.after == {"permissions": ["players.view_player"]}
    # Whoever has a role that was as it should be goes on working.
    assert crm.get("/admin/").status_code == 200


def test_sync_twice_changes_nothing(staff_in: Any, now: datetime) -> None:
    user = staff_in("CRM")
    browser_of(user)
    count = AuditEntry.objects.count()

    changed = sync_roles(actor=ACTOR, now=now)

    assert [(role.added, role.removed, role.unknown) for role in changed] == [([], [], [])] * 5
    assert AuditEntry.objects.count() == count
    assert StaffSession.objects.filter(user=user).count() == 1


# The matrix


def test_every_role_reaches_the_commands_that_it_has_and_no_other(
    staff_in: Any, operator: Operator, now: datetime
) -> None:
    fill_world(operator, now, rows=1)
    for role in [*TABLE, NOBODY]:
        request = type("Request", (), {"user": staff_in(role), "GET": {}, "method": "GET"})()
        for name in PAGES:
            model, command = all_pages()[name]
            model_admin = admin.site._registry[model]
            subject = model._default_manager.first() if command.name != "add" else None
            page = command(model_admin, request, subject, timezone.now())

            assert page.is_allowed() is may_use(role, name), (role, name)


def test_every_role_sees_the_lists_and_rows_that_it_may_see(
    staff_in: Any, operator: Operator, now: datetime
) -> None:
    fill_world(operator, now, rows=1)
    users = {role: staff_in(role) for role in [*TABLE, NOBODY]}
    for model in MODELS:
        for role, user in users.items():
            request = type("Request", (), {"user": user, "GET": {}, "method": "GET"})()
            model_admin = admin.site._registry[model]
            assert model_admin.has_view_permission(request) is has(role, view_of(model)), role

    browsers = {role: browser_of(user) for role, user in users.items()}
    turns = dict.fromkeys(users, 0)
    for model in MODELS:
        row = model._default_manager.first()
        for expected in (200, 403):
            candidates = [role for role in users if has(role, view_of(model)) is (expected == 200)]
            role = next_of(candidates, turns)
            if role is not None:
                for path in (url(model, "changelist"), url(model, "change", row.pk)):
                    assert browsers[role].get(path).status_code == expected, (role, path)
    for role, browser in browsers.items():
        assert turns[role] >= 3
        assert browser.get("/admin/").status_code == 200


def next_of(candidates: list[str], turns: dict[str, int]) -> str | None:
    """Return the role that has been tried the least, so that each is tried with many pages."""
    role = min(candidates, key=lambda role: turns[role], default=None)
    if role is not None:
        turns[role] += 1
    return role


def test_every_command_is_refused_to_a_role_without_it_and_changes_nothing(staff_in: Any) -> None:
    browsers = {role: browser_of(staff_in(role)) for role in [*TABLE, NOBODY]}
    turns = dict.fromkeys(browsers, 0)
    for name in PAGES:
        path = address(name, OperatorFactory.create())
        without = [role for role in browsers if not may_use(role, name)]
        role = next_of(without, turns)

        with CaptureQueriesContext(connection) as queries:
            answers = [
                browsers[role].get(path).status_code,
                browsers[role].post(path, {"reason": "Because"}).status_code,
            ]

        assert answers == [403, 403], (role, name)
        writes = ("INSERT", "UPDATE", "DELETE")
        assert [each["sql"] for each in queries if each["sql"].startswith(writes)] == []
    assert min(turns.values()) >= 3


def test_every_command_is_open_to_a_role_that_has_it(staff_in: Any) -> None:
    browsers = {role: browser_of(staff_in(role)) for role in TABLE}
    root = browser_of(User.objects.create_superuser("root"))
    turns = dict.fromkeys(TABLE, 0)
    for name in PAGES:
        path = address(name, OperatorFactory.create())
        holders = [role for role in TABLE if may_use(role, name)]
        role = next_of(holders, turns)
        client = root if role is None else browsers[role]

        assert client.get(path).status_code == 200, (role, name)
        # An empty form says what is missing; that is for whoever may send one.
        assert client.post(path, {}).status_code != 403, (role, name)
    assert min(turn for role, turn in turns.items() if role != "Viewer") >= 3
