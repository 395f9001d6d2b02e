"""Campaigns: whom a bonus goes to, what that costs, and how far it is, as it happens."""

from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)

from bonuses.admin.campaign_figures import percent_done, progress_of
from bonuses.admin.campaign_pages import (
    AddCampaignPage,
    BudgetPage,
    PauseCampaignPage,
    ResumeCampaignPage,
    StartCampaignPage,
    cost_sentence,
    try_preview,
)
from bonuses.admin.campaign_views import EXPORT, progress_view, result_view
from bonuses.admin.display import campaign_badge, gift_sentence, progress_cell
from bonuses.enums import CampaignStatus, TargetStatus
from bonuses.models import BonusCampaign, CampaignTarget
from bonuses.selectors import count_targets
from core.admin import NamedRowsAdmin, Panel
from core.admin.display import EMPTY, code, instant, money, object_link
from core.admin.timeline import decisions_about, timeline_panel

_REASONS_SHOWN_MAX = 20
_SAID = {
    "bonus.campaign.created": "Created",
    "bonus.campaign.started": "Started: the audience was written down",
    "bonus.campaign.paused": "Paused",
    "bonus.campaign.resumed": "Resumed",
    "bonus.campaign.budget_set": "Budget set",
    "bonus.campaign.finished": "Finished: nothing is pending",
    "bonus.campaign.exported": "Its result was downloaded",
}


@admin.register(BonusCampaign)
class BonusCampaignAdmin(NamedRowsAdmin):
    """Look at campaigns; make, start, pause and resume them through their own pages."""

    list_display = ("name", "template", "segment", "operator", "state", "progress", "created")
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("template", AutocompleteSelectFilter),
        ("status", ChoicesDropdownFilter),
    )
    list_select_related = ("operator", "template", "segment")
    search_fields = ("name",)
    search_help_text = "Search by name or id"
    fieldsets: ClassVar = [
        (
            "Campaign",
            {"fields": ["name", "state", "why_paused", "operator_link", "id_shown"]},
        ),
        ("What, and to whom", {"fields": ["template_link", "gives", "segment_link", "budget"]}),
        ("When", {"fields": ["created", "started", "finished"]}),
    ]
    add_page = AddCampaignPage
    pages = (StartCampaignPage, PauseCampaignPage, ResumeCampaignPage, BudgetPage)
    empty_icon = "campaign"
    empty_text = (
        "A campaign gives one template to all players of a segment, each once. Create a template "
        "and a segment, then the first campaign."
    )

    def get_urls(self) -> list[URLPattern]:
        """Return the model's addresses, those of one campaign's progress and result first."""
        views = {"progress": ("progress/", progress_view), "result": ("result.csv", result_view)}
        found = [
            path(
                f"<path:object_id>/{route}",
                self.admin_site.admin_view(partial(view, self)),
                name=f"bonuses_bonuscampaign_{name}",
            )
            for name, (route, view) in views.items()
        ]
        return [*found, *super().get_urls()]

    def complete_rows(self, rows: list[BonusCampaign]) -> None:
        """Give each row its figures, all read in one statement."""
        counts = count_targets(campaign_ids=[row.pk for row in rows])
        for row in rows:
            row.counts = counts[row.pk]  # type: ignore[attr-defined]

    @admin.display(description="State")
    def state(self, campaign: BonusCampaign) -> str:
        """Return how far it is."""
        return campaign_badge(campaign)

    @admin.display(description="Progress")
    def progress(self, campaign: BonusCampaign) -> str:
        """Return how many of its players have been dealt with."""
        if campaign.status == CampaignStatus.DRAFT:
            return EMPTY
        counts: dict[TargetStatus, int] = campaign.counts  # type: ignore[attr-defined]
        audience = sum(counts.values())
        done = audience - counts[TargetStatus.PENDING]
        return progress_cell(percent_done(counts), f"{done:,} of {audience:,} players")

    @admin.display(description="Paused because")
    def why_paused(self, campaign: BonusCampaign) -> str:
        """Return why it is paused."""
        return campaign.pause_reason or EMPTY

    @admin.display(description="Operator")
    def operator_link(self, campaign: BonusCampaign) -> str:
        """Return a link to the operator."""
        return object_link(campaign.operator)

    @admin.display(description="Id")
    def id_shown(self, campaign: BonusCampaign) -> str:
        """Return the id by which the API knows it."""
        return code(campaign.pk)

    @admin.display(description="Template")
    def template_link(self, campaign: BonusCampaign) -> str:
        """Return a link to the template."""
        return object_link(campaign.template)

    @admin.display(description="Gives")
    def gives(self, campaign: BonusCampaign) -> str:
        """Return what each player gets, in words."""
        template = campaign.template
        return gift_sentence(template.type, template.config, template.currency)

    @admin.display(description="Segment")
    def segment_link(self, campaign: BonusCampaign) -> str:
        """Return a link to the segment."""
        return object_link(campaign.segment)

    @admin.display(description="Budget")
    def budget(self, campaign: BonusCampaign) -> str:
        """Return what it may cost at most."""
        if campaign.budget_base is None:
            return "No cap"
        return money(campaign.budget_base, campaign.operator.base_currency)

    @admin.display(description="Created")
    def created(self, campaign: BonusCampaign) -> str:
        """Return when it was made."""
        return instant(campaign.created_at)

    @admin.display(description="Started")
    def started(self, campaign: BonusCampaign) -> str:
        """Return when its audience was written down."""
        return instant(campaign.started_at)

    @admin.display(description="Finished")
    def finished(self, campaign: BonusCampaign) -> str:
        """Return when nothing was pending any more."""
        return instant(campaign.finished_at)

    def panels_before(
        self, request: HttpRequest, subject: BonusCampaign, now: datetime
    ) -> list[Panel]:
        """Return how far it is; of a draft, what starting it now would come to."""
        if subject.status == CampaignStatus.DRAFT:
            preview = try_preview(subject, now=now)
            context: dict[str, Any] = {"obstacle": preview}
            if not isinstance(preview, str):
                skips = sorted(preview.skips.items(), key=lambda skip: -skip[1])
                context = {"preview": preview, "cost": cost_sentence(preview), "skips": skips}
            return [Panel("Preview", "admin/bonuses/preview.html", context)]
        context = {
            "campaign": subject,
            "progress": progress_of(subject),
            "progress_url": reverse("admin:bonuses_bonuscampaign_progress", args=[subject.pk]),
        }
        if request.user.has_perm(EXPORT):
            result_url = reverse("admin:bonuses_bonuscampaign_result", args=[subject.pk])
            context["result_url"] = result_url
        return [Panel("Progress", "admin/bonuses/campaign.html", context)]

    def panels_after(
        self, request: HttpRequest, subject: BonusCampaign, now: datetime
    ) -> list[Panel]:
        """Return who got nothing and why, and what was decided about the campaign."""
        events = decisions_about(
            "bonuses.bonuscampaign", [subject.pk], said=_SAID, describe=lambda _after: ""
        )
        timeline = timeline_panel(events, nothing="Nothing is recorded of this campaign.")
        if subject.status == CampaignStatus.DRAFT:
            return [timeline]
        rows = (
            CampaignTarget.objects.filter(
                campaign=subject, status__in=[TargetStatus.SKIPPED, TargetStatus.FAILED]
            )
            .order_by()
            .values("status", "reason_code")
            .annotate(number=Count("pk"))
            .order_by("-number", "reason_code")[:_REASONS_SHOWN_MAX]
        )
        reasons = [
            {
                "status": TargetStatus(row["status"]).label,
                "code": row["reason_code"] or EMPTY,
                "count": f"{row['number']:,}",
            }
            for row in rows
        ]
        panel = Panel("Who got nothing", "admin/bonuses/reasons.html", {"reasons": reasons})
        return [panel, timeline]
