"""Where platforms and we disagree about bonuses, and the walks that found out."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from bonuses.admin.display import discrepancy_badge, grant_badge
from bonuses.enums import DiscrepancyStatus, RunStatus
from bonuses.models import Discrepancy, ReconciliationRun
from bonuses.services.discrepancies import explain_discrepancy
from core.admin import LargeTableAdmin, ServicePage
from core.admin.display import EMPTY, Tone, badge, code, instant, lines, object_link
from core.admin.search import parse_uuid


class ExplainPage(ServicePage[Discrepancy]):
    """Say why a discrepancy may stay."""

    name = "explain"
    permission = "bonuses.explain_discrepancy"
    verb = "Explain"
    icon = "chat"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Explain: {self.subject.get_kind_display().lower()}"

    def obstacle(self) -> str:
        """Refuse what is closed."""
        if self.subject.status == DiscrepancyStatus.OPEN:
            return ""
        return f"The discrepancy is {self.subject.get_status_display().lower()} already."

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            f"The platform says: {self.subject.detail}",
            "Neither the grant nor any money is changed: only the discrepancy is closed.",
            "The same disagreement is not brought up again; another one is.",
        ]

    def call(self, form: Any) -> str:
        """Close it."""
        explain_discrepancy(
            operator=self.subject.operator,
            discrepancy_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return "The discrepancy was explained."


@admin.register(Discrepancy)
class DiscrepancyAdmin(LargeTableAdmin):
    """Look at discrepancies; say why one may stay through its own page."""

    list_display = ("opened", "kind", "grant_link", "operator", "state", "seen_count", "last_seen")
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
    )
    list_select_related = ("operator", "grant__player")
    search_fields = ("detail",)
    search_help_text = "Search by the id of a grant"
    fieldsets: ClassVar = [
        (
            "Discrepancy",
            {"fields": ["kind", "state", "detail", "opened", "seen_count", "last_seen"]},
        ),
        ("About", {"fields": ["grant_link", "grant_state", "platform_id", "operator_link"]}),
        ("What became of it", {"fields": ["closed", "explanation_shown"]}),
    ]
    pages = (ExplainPage,)
    empty_icon = "rule"
    empty_text = (
        "No platform disagrees with us. Every day each platform is asked about its active "
        "bonuses; whatever it does not know, or knows otherwise, is listed here."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find discrepancies by the exact id of their grant."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = parse_uuid(term)
        return (queryset.none() if wanted is None else queryset.filter(grant=wanted)), False

    @admin.display(description="Opened")
    def opened(self, discrepancy: Discrepancy) -> str:
        """Return when it was first seen."""
        return instant(discrepancy.opened_at)

    @admin.display(description="Grant")
    def grant_link(self, discrepancy: Discrepancy) -> str:
        """Return a link to the grant, and whose it is."""
        return lines([object_link(discrepancy.grant), f"of {discrepancy.grant.player}"])

    @admin.display(description="State")
    def state(self, discrepancy: Discrepancy) -> str:
        """Return what has become of it."""
        return discrepancy_badge(discrepancy)

    @admin.display(description="Last seen")
    def last_seen(self, discrepancy: Discrepancy) -> str:
        """Return when it was last seen."""
        return instant(discrepancy.last_seen_at)

    @admin.display(description="The grant is")
    def grant_state(self, discrepancy: Discrepancy) -> str:
        """Return the state of the grant here."""
        return grant_badge(discrepancy.grant, now=discrepancy.last_seen_at)

    @admin.display(description="The platform's id")
    def platform_id(self, discrepancy: Discrepancy) -> str:
        """Return by which id, at which adapter, the platform should know it."""
        grant = discrepancy.grant
        return lines([code(grant.platform_bonus_id), f"at {grant.adapter_slug}"])

    @admin.display(description="Operator")
    def operator_link(self, discrepancy: Discrepancy) -> str:
        """Return a link to the operator."""
        return object_link(discrepancy.operator)

    @admin.display(description="Closed")
    def closed(self, discrepancy: Discrepancy) -> str:
        """Return when it was fixed or explained."""
        return instant(discrepancy.closed_at)

    @admin.display(description="Explanation")
    def explanation_shown(self, discrepancy: Discrepancy) -> str:
        """Return why it may stay."""
        return discrepancy.explanation or EMPTY


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(LargeTableAdmin):
    """Look at the walks through the active grants of platforms."""

    list_display = (
        "started",
        "state",
        "asked_count",
        "replayed_count",
        "unknown_count",
        "unanswered_count",
        "took",
    )
    fieldsets: ClassVar = [
        ("Reconciliation", {"fields": ["state", "started", "finished", "took", "cursor_shown"]}),
        (
            "Grants",
            {"fields": ["asked_count", "replayed_count", "unknown_count", "unanswered_count"]},
        ),
    ]
    has_history = False
    empty_icon = "sync_alt"
    empty_text = (
        "No platform has been asked yet. Every day, and whenever somebody runs manage.py "
        "reconcile_bonuses, each is asked how its active bonuses are."
    )

    @admin.display(description="Started")
    def started(self, run: ReconciliationRun) -> str:
        """Return when it started."""
        return instant(run.started_at)

    @admin.display(description="State")
    def state(self, run: ReconciliationRun) -> str:
        """Return whether it is under way, and whether something else must be wrong."""
        if run.is_alarming:
            return badge("Alarming", Tone.BAD, title="So many were unknown: look at the adapter")
        if run.status == RunStatus.RUNNING:
            return badge("Running", Tone.BUSY)
        return badge("Finished", Tone.GOOD)

    @admin.display(description="Finished")
    def finished(self, run: ReconciliationRun) -> str:
        """Return when it finished."""
        return instant(run.finished_at)

    @admin.display(description="Took")
    def took(self, run: ReconciliationRun) -> str:
        """Return how long it took, so far."""
        return f"{((run.finished_at or run.touched_at) - run.started_at).total_seconds():.1f} s"

    @admin.display(description="Dealt with up to")
    def cursor_shown(self, run: ReconciliationRun) -> str:
        """Return the last grant that has been dealt with."""
        return code(run.cursor)
