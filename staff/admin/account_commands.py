"""What is done about somebody's account when they cannot: lost phones, lockouts, open sessions."""

from typing import Any

from django.contrib.auth.models import User
from unfold.enums import ActionVariant

from core.admin.pages import ServicePage
from staff.selectors import has_second_factor, list_lockouts, list_sessions
from staff.services.second_factor import reset_second_factor
from staff.services.sessions import end_sessions
from staff.services.sign_ins import unlock_account


class _AccountPage(ServicePage[User]):
    """A command for whoever may change the account, which is never one's own."""

    permission = "auth.change_user"

    def is_allowed(self) -> bool:
        """Tell whether the person may change this account: superusers' are for superusers only."""
        return super().is_allowed() and bool(
            self.model_admin.has_change_permission(self.request, self.subject)
        )


class ResetSecondFactorPage(_AccountPage):
    """Let somebody who lost their phone set up another."""

    name = "reset-second-factor"
    verb = "Reset second factor"
    icon = "phonelink_erase"
    variant = ActionVariant.DANGER
    is_dangerous = True

    def consequences(self) -> list[str]:
        """Say what it opens, and to whom."""
        return [
            f"The authenticator and the recovery codes of {self.subject} no longer work.",
            "Their sessions end.",
            "Until there is another, the password alone is enough: be sure it is they who ask.",
        ]

    def obstacle(self) -> str:
        """Refuse where there is nothing to reset."""
        return (
            "" if has_second_factor(user=self.subject) else f"{self.subject} has no second factor."
        )

    def call(self, form: Any) -> str:
        """Reset it."""
        reset_second_factor(
            user=self.subject,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"The second factor of {self.subject} was reset."


class UnlockPage(_AccountPage):
    """Let somebody in again before their lockout is over."""

    name = "unlock"
    verb = "Unlock"
    icon = "lock_open"

    def consequences(self) -> list[str]:
        """Say that failures are forgotten, and where they came from."""
        username = self.subject.get_username()
        lockouts = list_lockouts(username=username, now=self.now)
        return [
            *(f"{username} is locked out at {address}." for address in lockouts),
            "Their wrong passwords and codes are forgotten, from wherever they came.",
        ]

    def is_offered(self) -> bool:
        """Offer it always: wrong codes lock, too, and are counted elsewhere."""
        return True

    def call(self, form: Any) -> str:
        """Unlock the account."""
        unlock_account(
            user=self.subject,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{self.subject} can sign in again."


class EndSessionsPage(_AccountPage):
    """Sign somebody out everywhere."""

    name = "end-sessions"
    verb = "Sign out everywhere"
    icon = "logout"

    def consequences(self) -> list[str]:
        """Say how many sessions end."""
        count = list_sessions(user=self.subject, now=self.now).count()
        sessions = "1 session" if count == 1 else f"{count} sessions"
        return [
            f"{sessions} of {self.subject} end. What they are just typing is lost.",
            "They can sign in again. To keep somebody out, take away “Active” instead.",
        ]

    def obstacle(self) -> str:
        """Refuse where nobody is signed in."""
        is_open = list_sessions(user=self.subject, now=self.now).exists()
        return "" if is_open else f"{self.subject} is not signed in."

    def call(self, form: Any) -> str:
        """End the sessions."""
        count = end_sessions(
            user=self.subject,
            kept_key=None,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{self.subject} was signed out ({count} session{'' if count == 1 else 's'})."
