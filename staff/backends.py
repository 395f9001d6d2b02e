"""Who may sign in at all."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User


class StaffBackend(ModelBackend):
    """
    Name and password of active staff.

    Also asked on every request whether the session's owner still works here. The name counts
    letter by letter: were "Ada" the same as "ada", each spelling would have failures of its own.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        """Tell whether it is somebody who works here."""
        return super().user_can_authenticate(user) and isinstance(user, User) and user.is_staff
