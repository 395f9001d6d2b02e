"""What the pages share on which a second person decides, whatever it is about."""

from typing import Any, ClassVar, TypeVar

from django.db.models import Model
from unfold.enums import ActionVariant

from approvals.admin.forms import DecisionForm
from core.admin import ServicePage

M = TypeVar("M", bound=Model)


class DecisionPage(ServicePage[M]):
    """A decision about something that waits for a second person."""

    #: The status in which it waits.
    waiting: ClassVar[str]

    @property
    def is_own(self) -> bool:
        """Tell whether the person asked for it."""
        raise NotImplementedError

    @property
    def fingerprint(self) -> str:
        """Return what the decision is bound to: the state that the page shows."""
        raise NotImplementedError

    @property
    def is_waiting(self) -> bool:
        """Tell whether it still waits."""
        subject: Any = self.subject
        return bool(subject.status == self.waiting)

    def is_offered(self) -> bool:
        """Tell whether it waits: whoever asked for it reads on the page why not they."""
        return self.is_waiting

    def make_form(self, data: Any) -> DecisionForm:
        """Return the form, bound to what is shown."""
        return DecisionForm(data, fingerprint=self.fingerprint)

    def decision(self, form: Any) -> dict[str, Any]:
        """Return what every service that decides is told: who, when, why, and what was shown."""
        subject: Any = self.subject
        return {
            "operator": subject.operator,
            "fingerprint": form.cleaned_data["fingerprint"],
            "reason": form.cleaned_data["reason"],
            "actor": self.actor,
            "now": self.now,
        }


class Approving:
    """How the page looks on which something is approved."""

    name: ClassVar[str] = "approve"
    verb: ClassVar[str] = "Approve"
    icon: ClassVar[str] = "check_circle"
    variant: ClassVar[ActionVariant | None] = ActionVariant.PRIMARY


class Rejecting:
    """How the page looks on which something is rejected."""

    name: ClassVar[str] = "reject"
    verb: ClassVar[str] = "Reject"
    icon: ClassVar[str] = "cancel"
    variant: ClassVar[ActionVariant | None] = ActionVariant.DANGER
    is_dangerous: ClassVar[bool] = True
