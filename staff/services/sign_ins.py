"""Remembers who signed in, who failed to, and who was locked out; and lets people in again."""

from datetime import datetime

from allauth.account import app_settings as account_settings
from allauth.core.internal import ratelimit
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction

from core import audit
from core.actors import Actor, ActorKind
from staff.selectors import name_counted_under

#: Who acts while nobody is signed in.
NOBODY = Actor(kind=ActorKind.STAFF, ref="nobody")
#: What an entry is about when there is no such account.
_NO_ACCOUNT = 0


@transaction.atomic
def record_sign_in(
    *, user: User, address: str, agent: str, has_used_second_factor: bool, now: datetime
) -> None:
    """Write down that somebody signed in, and how."""
    audit.record_action(
        operator=None,
        actor=Actor(kind=ActorKind.STAFF, ref=str(user.pk)),
        action="staff.user.signed_in",
        subject=user,
        after={
            "address": address,
            "browser": agent,
            "second_factor": has_used_second_factor,
        },
        now=now,
    )


@transaction.atomic
def record_failed_sign_in(
    *, username: str, step: str, address: str, has_locked_out: bool, now: datetime
) -> None:
    """
    Write down that somebody did not get in, and whether that was once too often.

    ``step`` is what was wrong: the password or the code. A name that nobody has is not kept:
    people type passwords in its place. It leaves an entry all the same, so that the answer
    takes as long.
    """
    subject = User.objects.filter(username=username).first() or User(pk=_NO_ACCOUNT)
    actions = ["staff.user.sign_in_failed"]
    if has_locked_out:
        actions.append("staff.user.locked_out")
    for action in actions:
        audit.record_action(
            operator=None,
            actor=NOBODY,
            action=action,
            subject=subject,
            after={"address": address, "step": step},
            now=now,
        )


@transaction.atomic(durable=True)
def unlock_account(*, user: User, reason: str, actor: Actor, now: datetime) -> int:
    """Forget the person's failures, from wherever, and return how many records there were."""
    name = name_counted_under(user.get_username())
    count = int(AxesProxyHandler.reset_attempts(username=name))
    for rate in ratelimit.parse_rates(account_settings.RATE_LIMITS.get("login_failed")):
        if rate.per == "key":
            cache.delete(_code_count_key(user, rate))
    audit.record_action(
        operator=None,
        actor=actor,
        action="staff.user.unlocked",
        subject=user,
        reason=reason,
        now=now,
    )
    return count


def _code_count_key(user: User, rate: ratelimit.Rate) -> str:
    """Return where allauth counts the person's wrong codes (allauth.mfa.base.internal.flows)."""
    return ratelimit.get_cache_key(
        # Only a count by address looks at it.
        request=None,  # type: ignore[arg-type]
        app="allauth.account",
        action="login_failed",
        rate=rate,
        key=f"mfa-auth-user-{user.pk}",
    )
