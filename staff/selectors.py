"""What is read of staff: who has a second factor, who is signed in, who is locked out."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.utils.crypto import salted_hmac

from staff.models import StaffSession


def list_sessions(*, user: User, now: datetime) -> QuerySet[StaffSession]:
    """Return the person's open sessions, newest first."""
    return StaffSession.objects.filter(user=user, expire_date__gt=now).order_by("-signed_in_at")


def has_second_factor(*, user: User) -> bool:
    """Tell whether the person has an authenticator."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def with_second_factor(users: QuerySet[User]) -> QuerySet[User]:
    """Return the staff, each knowing whether they have a second factor."""
    theirs = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
    return users.annotate(has_second_factor=Exists(theirs))


def name_counted_under(username: str) -> str:
    """
    Return what stands for a name where failures are counted.

    Not the name itself: people type passwords in its place.
    """
    return salted_hmac("staff.failures", username, algorithm="sha256").hexdigest()


def list_lockouts(*, username: str, now: datetime) -> list[str]:
    """Return the addresses at which the name is locked out now."""
    failed = (
        AccessAttempt.objects.filter(
            username=name_counted_under(username),
            attempt_time__gte=now - settings.AXES_COOLOFF_TIME,
        )
        .values("ip_address")
        .annotate(failures=Sum("failures_since_start"))
        .filter(failures__gte=settings.AXES_FAILURE_LIMIT)
        .order_by("ip_address")
    )
    return [address for address in failed.values_list("ip_address", flat=True) if address]
