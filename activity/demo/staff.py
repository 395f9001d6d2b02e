"""
Who works at the demo world: a superuser, and somebody for every role.

Two of them together show what takes two people: one asks, another one decides.
"""

from datetime import datetime

from django.contrib.auth.models import Group, User
from django.db import transaction

from core import audit
from core.actors import Actor
from staff.roles import (
    COMPLIANCE_ROLE,
    CRM_ROLE,
    FINANCE_ROLE,
    JACKPOT_ROLE,
    VIEWER_ROLE,
)

LOGIN = "demo"
#: Documented, because the demo listens on the loopback address only.
PASSWORD = "lucky-star-demo"  # noqa: S105 -- not a secret, see above
#: All of them have the same password.
LOGINS_BY_ROLE = {
    VIEWER_ROLE: "demo-viewer",
    CRM_ROLE: "demo-crm",
    JACKPOT_ROLE: "demo-jackpots",
    FINANCE_ROLE: "demo-finance",
    COMPLIANCE_ROLE: "demo-compliance",
}


@transaction.atomic(durable=True)
def hire_staff(*, actor: Actor, now: datetime) -> None:
    """Give the demo world its staff; whoever is there already stays as they are."""
    known = set(User.objects.values_list("username", flat=True))
    if LOGIN not in known:
        user = User.objects.create_superuser(LOGIN, password=PASSWORD)
        _record(user, actor, now, is_superuser=True)
    for role, login in LOGINS_BY_ROLE.items():
        if login not in known:
            user = User.objects.create_user(login, password=PASSWORD, is_staff=True)
            group, _created = Group.objects.get_or_create(name=role)
            user.groups.add(group)
            _record(user, actor, now, groups=[role])


def _record(user: User, actor: Actor, now: datetime, **after: object) -> None:
    audit.record_action(
        operator=None,
        actor=actor,
        action="staff.user.added",
        subject=user,
        after={"username": user.username, **after},
        now=now,
    )
