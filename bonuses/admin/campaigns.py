"""Campaigns: whom a bonus goes to, what that costs, and how far it is, as it happens."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)

from bonuses.admin.display import campaign_badge, gift_sentence, progress_cell
from bonuses.admin.figures import CampaignFigures, read_campaign_figures
from bonuses.enums import CampaignStatus, TargetStatus
from bonuses.models import BonusCampaign, CampaignTarget
from core.admin import Panel, ReadOnlyAdmin
from core.admin.display import EMPTY, amount_text, code, instant, money, object_link
from core.admin.search import parse_uuid

_REASONS_SHOWN_MAX = 20


@admin.register(BonusCampaign)
class BonusCampaignAdmin(ReadOnlyAdmin):
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
    empty_icon = "campaign"
    empty_text = (
        "A campaign gives one template to all players of a segment, each once. Create a template "
        "and a segment, then the first campaign."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find campaigns by a part of their name, or by their exact id."""
        wanted = parse_uuid(search_term)
        if wanted is not None:
            return queryset.filter(pk=wanted), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(
            request, queryset, search_term
        )
        return found

    def complete_rows(self, rows: list[BonusCampaign]) -> None:
        """Give each row its figures, all read in one statement."""
        figures = read_campaign_figures(campaign_ids=[row.pk for row in rows])
        for row in rows:
            row.figures = figures[row.pk]  # type: ignore[attr-defined]

    @admin.display(description="State")
    def state(self, campaign: BonusCampaign) -> str:
        """Return how far it is."""
        return campaign_badge(campaign)

    @admin.display(description="Progress")
    def progress(self, campaign: BonusCampaign) -> str:
        """Return how many of its players have been dealt with."""
        if campaign.status == CampaignStatus.DRAFT:
            return EMPTY
        figures: CampaignFigures = campaign.figures  # type: ignore[attr-defined]
        done = figures.audience - figures.pending
        return progress_cell(figures.percent, f"{done:,} of {figures.audience:,} players")

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
        """Return how far it is."""
        if subject.status == CampaignStatus.DRAFT:
            return []
        return [Panel("Progress", "admin/bonuses/campaign.html", progress_context(subject))]

    def panels_after(
        self, request: HttpRequest, subject: BonusCampaign, now: datetime
    ) -> list[Panel]:
        """Return why players were skipped or failed."""
        if subject.status == CampaignStatus.DRAFT:
            return []
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
                "count": row["number"],
            }
            for row in rows
        ]
        return [Panel("Who got nothing", "admin/bonuses/reasons.html", {"reasons": reasons})]


def progress_context(campaign: BonusCampaign) -> dict[str, Any]:
    """Return how far a campaign is, for its panel and for whoever asks again."""
    figures = read_campaign_figures(campaign_ids=[campaign.pk])[campaign.pk]
    spent = CampaignTarget.objects.filter(campaign=campaign, status=TargetStatus.GRANTED).aggregate(
        cost=Sum("cost_base")
    )["cost"]
    currency = campaign.operator.base_currency
    return {
        "campaign": campaign,
        "figures": figures,
        "cost": amount_text(spent or Decimal(0), currency),
        "is_running": campaign.status == CampaignStatus.ISSUING,
    }
