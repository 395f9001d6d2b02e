"""Sessions of staff, each known by its owner."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.module_loading import import_string


class StaffSession(AbstractBaseSession):
    """
    One browser that is open: with somebody signed in, or on the way to it (no user).

    Database triggers delete somebody's sessions in the moment in which their password, their
    roles or permissions, or whether they work here at all is changed, by whatever door
    (migration 0002). ``signed_in_at`` is null until somebody is.
    """

    user = models.ForeignKey[User | None, User | None](
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+"
    )
    signed_in_at = models.DateTimeField(null=True)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "session"
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> Any:
        """Return the class that reads and writes these rows."""
        return import_string(f"{settings.SESSION_ENGINE}.SessionStore")
