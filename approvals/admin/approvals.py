"""Requests: the queue of everything that waits for a second person, and a page for each request."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from approvals.admin.decisions import ApprovePage, RejectPage
from approvals.admin.queue import request_badge, show_queue
from approvals.models import Approval
from approvals.selectors import title_of
from core.admin import Panel, ReadOnlyAdmin
from core.admin.display import EMPTY, amount_text, code, instant, link, money, object_link, url_of
from core.admin.payload import payload_panel
from core.admin.timeline import actor_text, decisions_about, timeline_panel

SAID = {
    "approval.requested": "Asked for",
    "approval.applied": "Approved, and done",
    "approval.rejected": "Rejected",
    "approval.withdrawn": "Withdrawn by who asked for it",
}


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    """Look at the queue and at requests; decide one through its own page."""

    list_select_related = ("operator",)
    fieldsets: ClassVar = [
        (
            "Request",
            {
                "fields": [
                    "status_shown",
                    "kind_shown",
                    "amount_shown",
                    "subject_link",
                    "operator_link",
                    "id_shown",
                ]
            },
        ),
        ("Asked for", {"fields": ["requested", "requested_by", "reason", "expires"]}),
        ("Decision", {"fields": ["decided", "decided_by", "decision_reason_shown", "done"]}),
    ]
    pages = (ApprovePage, RejectPage)
    empty_icon = "approval"
    empty_text = (
        "Nothing waits for a second person. What is above an operator's limits is asked for on "
        "its own page, and decided here by somebody else."
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Show the queue: requests, boosts and wins, whichever the person may see."""
        return show_queue(self, request)

    @admin.display(description="Status")
    def status_shown(self, approval: Approval) -> str:
        """Return what became of it."""
        return request_badge(approval, now=timezone.now())

    @admin.display(description="Kind")
    def kind_shown(self, approval: Approval) -> str:
        """Return what kind of request it is."""
        return title_of(approval.kind)

    @admin.display(description="Amount")
    def amount_shown(self, approval: Approval) -> str:
        """Return how much it is about."""
        return money(approval.amount, approval.currency) if approval.currency else EMPTY

    @admin.display(description="About")
    def subject_link(self, approval: Approval) -> str:
        """Return a link to what it is about."""
        url = url_of(approval.subject_type, approval.subject_id)
        name = apps.get_model(approval.subject_type)._meta.verbose_name
        return link(url, f"{name} {approval.subject_id}") if url else approval.subject_id

    @admin.display(description="Operator")
    def operator_link(self, approval: Approval) -> str:
        """Return a link to the operator."""
        return object_link(approval.operator)

    @admin.display(description="Id")
    def id_shown(self, approval: Approval) -> str:
        """Return its id."""
        return code(approval.pk)

    @admin.display(description="When")
    def requested(self, approval: Approval) -> str:
        """Return when it was asked for."""
        return instant(approval.requested_at)

    @admin.display(description="By")
    def requested_by(self, approval: Approval) -> str:
        """Return who asked for it: they cannot approve it."""
        return actor_text(approval.requested_by_kind, approval.requested_by_ref)

    @admin.display(description="To be approved before")
    def expires(self, approval: Approval) -> str:
        """Return from when on it is too old."""
        return instant(approval.expires_at)

    @admin.display(description="When")
    def decided(self, approval: Approval) -> str:
        """Return when it was decided."""
        return instant(approval.decided_at)

    @admin.display(description="By")
    def decided_by(self, approval: Approval) -> str:
        """Return who decided it."""
        if not approval.decided_by_ref:
            return EMPTY
        return actor_text(approval.decided_by_kind, approval.decided_by_ref)

    @admin.display(description="Because")
    def decision_reason_shown(self, approval: Approval) -> str:
        """Return why."""
        return approval.decision_reason or EMPTY

    @admin.display(description="What was done")
    def done(self, approval: Approval) -> str:
        """Return what was done."""
        return approval.outcome or EMPTY

    def panels_before(self, request: HttpRequest, subject: Approval, now: datetime) -> list[Panel]:
        """Return what was asked for, in sentences."""
        context = {"summary": subject.summary}
        return [Panel("What was asked for", "admin/approvals/summary.html", context)]

    def panels_after(self, request: HttpRequest, subject: Approval, now: datetime) -> list[Panel]:
        """Return everything that happened to the request, and what exactly it is bound to."""
        events = decisions_about("approvals.approval", [subject.pk], said=SAID, describe=_amount_of)
        bound = {"fingerprint": subject.fingerprint, "payload": subject.payload}
        return [
            timeline_panel(events, nothing="Nothing is recorded of this request."),
            payload_panel("Bound to exactly this", bound),
        ]


def _amount_of(after: dict[str, Any]) -> str:
    if "amount" not in after:
        return ""
    return amount_text(Decimal(after["amount"]), after["currency"])
