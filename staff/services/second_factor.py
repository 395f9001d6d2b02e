"""The second factor: codes that are taken once, and starting anew after a phone is lost."""

from datetime import datetime

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.contrib.auth.models import User
from django.db import transaction

from core import audit, locks
from core.actors import Actor
from staff.models import StaffSession

#: In an authenticator's data: the time step of the last code that was taken.
_LAST_STEP = "last_step"


@transaction.atomic
def spend_code(*, user: User, code: str, now: datetime) -> Authenticator | None:
    """
    Take a code from the person's authenticator or one of their recovery codes.

    Null if it is wrong, or if it or a later one has been taken: that is remembered in the row,
    under its lock, so neither a restart of the cache nor two requests at once take one twice.
    """
    theirs: list[Authenticator] = locks.lock_many(Authenticator.objects.filter(user=user))
    for authenticator in theirs:
        if authenticator.type == Authenticator.Type.TOTP:
            if _spend_time_code(authenticator, code, now):
                return authenticator
        elif authenticator.wrap().validate_code(code):  # type: ignore[no-untyped-call]
            return authenticator
    return None


@transaction.atomic
def spend_first_code(*, authenticator_id: int, code: str, now: datetime) -> None:
    """Take the code that a fresh authenticator was proved with."""
    authenticator = locks.lock_one(Authenticator.objects.filter(pk=authenticator_id))
    _spend_time_code(authenticator, code, now)


@transaction.atomic
def record_second_factor(*, user: User, what: str, actor: Actor, now: datetime) -> None:
    """Write down what somebody did to their own second factor: "added", "removed", …"""
    audit.record_action(
        operator=None,
        actor=actor,
        action=f"staff.second_factor.{what}",
        subject=user,
        now=now,
    )


@transaction.atomic(durable=True)
def reset_second_factor(*, user: User, reason: str, actor: Actor, now: datetime) -> bool:
    """
    Take somebody's authenticator and recovery codes away, and end their sessions.

    With the second factor required, their next sign-in makes them set up another. Returns
    whether there was anything to take.
    """
    theirs = locks.lock_many(Authenticator.objects.filter(user=user))
    for authenticator in theirs:
        authenticator.delete()
    StaffSession.objects.filter(user=user).delete()
    audit.record_action(
        operator=None,
        actor=actor,
        action="staff.second_factor.reset",
        subject=user,
        before={"authenticators": sorted(each.type for each in theirs)},
        after={"authenticators": []},
        reason=reason,
        now=now,
    )
    return bool(theirs)


def _spend_time_code(authenticator: Authenticator, code: str, now: datetime) -> bool:
    secret = decrypt(authenticator.data["secret"])
    current = int(now.timestamp()) // app_settings.TOTP_PERIOD
    tolerance = app_settings.TOTP_TOLERANCE
    for step in range(current - tolerance, current + tolerance + 1):
        if step <= authenticator.data.get(_LAST_STEP, 0):
            continue
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step))):
            authenticator.data[_LAST_STEP] = step
            authenticator.save(update_fields=["data"])
            return True
    return False
