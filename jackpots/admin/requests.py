"""Promised requests: contributions that were answered 202, and are applied by a worker."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from core.admin import LargeTableAdmin, Panel
from core.admin.display import EMPTY, Tone, badge, code, instant, link, list_url, object_link
from core.admin.payload import payload_panel
from core.admin.search import parse_uuid
from jackpots.enums import RequestStatus
from jackpots.models import ContributionRequest, Instance

_TONES = {
    RequestStatus.PENDING: Tone.BUSY,
    RequestStatus.DONE: Tone.GOOD,
    RequestStatus.FAILED: Tone.BAD,
}


@admin.register(ContributionRequest)
class ContributionRequestAdmin(LargeTableAdmin):
    """Look at promised requests; a worker applies each of them once."""

    list_display = (
        "received",
        "operator",
        "instance_shown",
        "status_shown",
        "finished",
        "id_shown",
    )
    list_display_links = ("received",)
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("status", ChoicesDropdownFilter),
    )
    list_select_related = ("operator",)
    search_fields = ("id",)
    search_help_text = "Search by request id"
    fieldsets: ClassVar = [
        (
            "Request",
            {
                "fields": [
                    "status_shown",
                    "instance_link",
                    "operator_link",
                    "received",
                    "finished",
                    "contributions",
                    "id_shown",
                ]
            },
        ),
    ]
    has_history = False
    empty_icon = "schedule_send"
    empty_text = (
        "Nobody has asked for a promise. With Prefer: respond-async a contribution is answered at "
        "once with 202, and applied within seconds; until then, and after, it is listed here."
    )

    def complete_rows(self, rows: list[ContributionRequest]) -> None:
        """Give each row the name of its instance, all read in one statement."""
        names = Instance.objects.in_bulk([row.instance_id for row in rows])
        for row in rows:
            row.instance = names.get(row.instance_id)  # type: ignore[attr-defined]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find a request by its exact id."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = parse_uuid(term)
        return (queryset.none() if wanted is None else queryset.filter(pk=wanted)), False

    @admin.display(description="Received")
    def received(self, promised: ContributionRequest) -> str:
        """Return when it was promised."""
        return instant(promised.received_at)

    @admin.display(description="Instance")
    def instance_shown(self, promised: ContributionRequest) -> str:
        """Return the instance that it is for."""
        instance: Instance | None = promised.instance  # type: ignore[attr-defined]
        return EMPTY if instance is None else instance.name

    @admin.display(description="Status")
    def status_shown(self, promised: ContributionRequest) -> str:
        """Return whether it has been applied."""
        status = RequestStatus(promised.status)
        title = (promised.error or {}).get("detail", "")
        return badge(status.label, _TONES[status], title=title)

    @admin.display(description="Finished")
    def finished(self, promised: ContributionRequest) -> str:
        """Return when it was applied, or refused."""
        return instant(promised.finished_at)

    @admin.display(description="Id")
    def id_shown(self, promised: ContributionRequest) -> str:
        """Return the id by which the API knows it."""
        return code(promised.pk)

    @admin.display(description="Instance")
    def instance_link(self, promised: ContributionRequest) -> str:
        """Return a link to the instance that it is for."""
        instance = Instance.objects.filter(pk=promised.instance_id).first()
        return EMPTY if instance is None else object_link(instance)

    @admin.display(description="Operator")
    def operator_link(self, promised: ContributionRequest) -> str:
        """Return a link to the operator."""
        return object_link(promised.operator)

    @admin.display(description="Contributions")
    def contributions(self, promised: ContributionRequest) -> str:
        """Return a link to the contributions that it led to."""
        if promised.status != RequestStatus.DONE:
            return EMPTY
        return link(list_url("jackpots.contribution", q=promised.pk), "Look at them")

    def panels_after(
        self, request: HttpRequest, subject: ContributionRequest, now: datetime
    ) -> list[Panel]:
        """Return what was asked for, and how it ended."""
        panels = [payload_panel("What was asked for", subject.wager)]
        if subject.error is not None:
            panels.append(payload_panel("Why it failed", subject.error))
        if subject.answer is not None:
            panels.append(payload_panel("What it led to", subject.answer))
        return panels
