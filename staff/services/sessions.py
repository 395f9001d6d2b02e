"""Ends sessions."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from core import audit
from core.actors import Actor
from staff.models import StaffSession


@transaction.atomic
def end_sessions(
    *, user: User, kept_key: str | None, reason: str, actor: Actor, now: datetime
) -> int:
    """End the person's sessions but the one with ``kept_key``; return how many that were."""
    ended = StaffSession.objects.filter(user=user).exclude(session_key=kept_key or "")
    count, _by_model = ended.delete()
    audit.record_action(
        operator=None,
        actor=actor,
        action="staff.user.signed_out",
        subject=user,
        after={"sessions_ended": count},
        reason=reason,
        now=now,
    )
    return count


@transaction.atomic
def record_password_change(*, user: User, actor: Actor, now: datetime) -> None:
    """Write down that somebody changed their own password; their other sessions have ended."""
    audit.record_action(
        operator=None, actor=actor, action="staff.user.password_changed", subject=user, now=now
    )


def delete_expired_sessions(*, now: datetime) -> int:
    """Delete the sessions that are over, and return how many that were."""
    count, _by_model = StaffSession.objects.filter(expire_date__lt=now).delete()
    return count
