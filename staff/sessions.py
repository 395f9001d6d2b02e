"""
Where sessions are kept (the setting SESSION_ENGINE).

As Django's own, in the database, with columns beside the data that say whose session it is
and where it was begun: so they can be shown to their owner, and ended.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from staff.models import StaffSession

#: Under this name a session holds when, where and with what somebody signed in.
SIGN_IN = "sign_in"
AGENT_LENGTH_MAX = 200


class SessionStore(DatabaseStore):
    """A session of the back office."""

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        """Return the model of the rows."""
        return StaffSession

    def create_model_instance(self, data: dict[str, Any]) -> StaffSession:
        """
        Return the row to write.

        However often it is written, it ends when it was to end at first.
        """
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        sign_in = data.get(SIGN_IN)
        if sign_in is not None and row.user_id is not None:
            row.signed_in_at = datetime.fromisoformat(sign_in["at"])
            row.address = sign_in["address"]
            row.agent = sign_in["agent"]
            age = timedelta(seconds=settings.SESSION_COOKIE_AGE)
            row.expire_date = min(row.expire_date, row.signed_in_at + age)
        found: StaffSession = row
        return found
