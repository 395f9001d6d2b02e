"""Deciding upon a request: what was asked for and what would happen now, and then yes or no."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone

from approvals.admin.asking import alike_sentence
from approvals.admin.forms import DecisionForm
from approvals.admin.pages import Approving, DecisionPage, Rejecting
from approvals.enums import ApprovalStatus
from approvals.models import Approval
from approvals.ports import ApprovalKind, get_kind
from approvals.services import deciding
from approvals.services.requesting import list_alike
from core.admin.display import instant, link, url_of
from core.admin.timeline import actor_text


class _ApprovalDecisionPage(DecisionPage[Approval]):
    """
    A decision upon a request.

    It takes the right to see requests and the one that the kind of request has of its own.
    """

    permission = "approvals.view_approval"
    template = "admin/approvals/decision.html"
    waiting = ApprovalStatus.REQUESTED

    @property
    def title(self) -> str:
        """Say what the page does: "Approve: cancel WELCOME100 of ada and take 600.00 USD"."""
        return f"{self.verb}: {self.subject}"

    @property
    def kind(self) -> ApprovalKind:
        """Return what kind of request it is."""
        return get_kind(self.subject.kind)

    @property
    def is_own(self) -> bool:
        """Tell whether the person asked for it."""
        return deciding.is_requester(approval=self.subject, actor=self.actor)

    @property
    def fingerprint(self) -> str:
        """Return what the decision is bound to."""
        return self.subject.fingerprint

    def is_allowed(self) -> bool:
        """Tell whether the person may decide requests of this kind."""
        # Whether somebody may know that there is no such request is asked here, too.
        subject: Any = self.subject
        return super().is_allowed() and (subject is None or self.may_decide())

    def may_decide(self) -> bool:
        """Tell whether the person has the kind's own permission."""
        return self.request.user.has_perm(self.kind.permission)

    def obstacle(self) -> str:
        """Refuse what has been decided."""
        if self.is_waiting:
            return ""
        return f"The request has been {self.subject.get_status_display().lower()} already."

    def show(self, form: Any, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with what was asked for."""
        asked = self.subject
        context.update(
            summary=asked.summary,
            asked_by=actor_text(asked.requested_by_kind, asked.requested_by_ref),
            asked_at=instant(asked.requested_at),
            asked_because=asked.reason,
            alike=[
                link(url_of("approvals.approval", each.pk), alike_sentence(each))
                for each in list_alike(approval=asked, now=self.now)
            ],
        )
        return super().show(form, status=status, **context)


class ApprovePage(Approving, _ApprovalDecisionPage):
    """Let it be done, now."""

    def obstacle(self) -> str:
        """Refuse whoever asked for it, what is too old, and what is not possible now."""
        if known := super().obstacle():
            return known
        if self.is_own:
            return "You asked for this yourself, so somebody else has to approve it."
        if self.subject.expires_at <= self.now:
            return "The request has expired. It can be rejected, and asked for again."
        return self.kind.obstacle(deciding.asked_of(approval=self.subject), self.now)

    def consequences(self) -> list[str]:
        """Say what will happen."""
        if self.obstacle():
            return []
        told = self.kind.consequences(deciding.asked_of(approval=self.subject))
        return [*told, "It is done at once, and an approval cannot be taken back."]

    def call(self, form: DecisionForm) -> str:
        """Approve it, and then do what no transaction may wait for."""
        approval = deciding.apply_approval(approval_id=self.subject.pk, **self.decision(form))
        if self.kind.follow_up is not None:
            said = self.kind.follow_up(
                asked=deciding.asked_of(approval=approval), clock=timezone.now
            )
            messages.info(self.request, said)
        return f"Approved. {approval.outcome}"


class RejectPage(Rejecting, _ApprovalDecisionPage):
    """Decide that it is not done; whoever asked for it takes it back so."""

    def may_decide(self) -> bool:
        """Tell whether the person has the kind's own permission, or asked for it."""
        return self.is_own or super().may_decide()

    def consequences(self) -> list[str]:
        """Say what will happen."""
        told = ["It is not done. Nothing has moved, and nothing moves."]
        if self.is_own:
            told.append("You asked for it yourself, so it is recorded as withdrawn by you.")
        return [*told, "The request cannot be opened again; a new one can be made."]

    def call(self, form: DecisionForm) -> str:
        """Reject it."""
        deciding.reject_approval(approval_id=self.subject.pk, **self.decision(form))
        return "The request was withdrawn." if self.is_own else "The request was rejected."
