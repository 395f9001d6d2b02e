"""Pages whose command is asked for instead of done, where it takes a second person."""

from decimal import Decimal
from typing import TypeVar

from django.contrib import messages
from django.db.models import Model
from django.http import HttpResponse, HttpResponseRedirect

from approvals.enums import Limit
from approvals.models import Approval
from approvals.selectors import OWN, get_limit
from approvals.services.requesting import list_alike
from core.admin import ServicePage
from core.admin.display import amount_text, instant_text, url_of
from operators.models import Operator

M = TypeVar("M", bound=Model)


class AskingPage(ServicePage[M]):
    """A command that files a request if it is more than one person may do alone."""

    asked: Approval | None = None

    def ask(self, approval: Approval) -> str:
        """Remember the request that was made instead, and say so."""
        self.asked = approval
        return (
            "It takes a second person, so nothing has been done yet: it was asked for, and can "
            f"be approved until {instant_text(approval.expires_at)} UTC."
        )

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the request, if one was made and the person may see it."""
        if self.asked is None:
            return super().conclude(done)
        messages.warning(self.request, done)
        alike = list_alike(approval=self.asked, now=self.now)
        if alike:
            told = " ".join(alike_sentence(each) for each in alike)
            messages.warning(self.request, f"There are other requests about the same. {told}")
        if not self.request.user.has_perm("approvals.view_approval"):
            return HttpResponseRedirect(self.back_url())
        return HttpResponseRedirect(url_of("approvals.approval", self.asked.pk))


def alike_sentence(approval: Approval) -> str:
    """Say of another request about the same what it is, what became of it, and since when."""
    status = OWN.words[approval.status].lower()
    return f"{approval} ({status}, asked for {instant_text(approval.requested_at)} UTC)."


def limit_sentences(operator: Operator, limit: Limit, what: str) -> list[str]:
    """Say above what ``what`` is asked for instead; nothing where no limit is set."""
    above = get_limit(operator=operator, limit=limit)
    if above is None:
        return []
    told = amount_text(above, operator.base_currency)
    return [f"{what} above {told} is not done now: it waits for a second person."]


def above_sentence(above: Decimal, operator: Operator) -> str:
    """Say of what is known to be above the limit that it is not done now."""
    told = amount_text(above, operator.base_currency)
    return f"This is above {told}, so it is not done now: it waits for a second person."
