"""Boosts: house money that somebody wants in a pot, and what a second person decided."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from core.admin import Panel
from core.admin.display import EMPTY, amount_text, code, instant, lines, money, muted
from core.admin.search import parse_uuid
from core.admin.timeline import actor_text, decisions_about, timeline_panel
from jackpots.admin.boost_pages import ApplyBoostPage, RejectBoostPage
from jackpots.admin.display import boost_badge, page_links
from jackpots.admin.of_pots import OfPotAdmin
from jackpots.enums import BoostStatus
from jackpots.models import Boost

_SAID = {
    "jackpot.boost.requested": "Requested",
    "jackpot.boost.applied": "Applied: the money is in the pot",
    "jackpot.boost.rejected": "Rejected",
    "jackpot.boost.withdrawn": "Withdrawn by who asked for it",
}


@admin.register(Boost)
class BoostAdmin(OfPotAdmin):
    """Look at boosts; apply or reject one through its own page."""

    list_display = ("requested", "what", "amount_shown", "reason", "status_shown", "decide")
    list_display_links = ("requested",)
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("status", ChoicesDropdownFilter),
    )
    list_select_related = ("operator", "pot__instance")
    search_fields = ("reason",)
    search_help_text = "Search by the id of a boost, or of an instance"
    fieldsets: ClassVar = [
        (
            "Boost",
            {
                "fields": [
                    "status_shown",
                    "amount_shown",
                    "pot_shown",
                    "instance_link",
                    "operator_link",
                    "id_shown",
                ]
            },
        ),
        ("Request", {"fields": ["requested", "requested_by", "reason", "expires"]}),
        ("Decision", {"fields": ["decided", "decided_by", "decision_reason_shown"]}),
    ]
    pages = (ApplyBoostPage, RejectBoostPage)
    empty_icon = "add_circle"
    empty_text = (
        "A boost is house money for a pot, such as for a holiday. Request one from the page of an "
        "active instance; a second person applies it."
    )

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the columns; the one that decides only for who may."""
        if request.user.has_perm(ApplyBoostPage.permission):
            return self.list_display
        return tuple(name for name in self.list_display if name != "decide")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow what the page of an instance links to: the boosts of its pots."""
        if lookup == "pot__instance__id__exact":
            return True
        return bool(super().lookup_allowed(lookup, value, request))  # type: ignore[arg-type]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find boosts by exact id: their own, or their instance's."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = parse_uuid(term)
        if wanted is None:
            return queryset.none(), False
        by_id = queryset.filter(pk=wanted)
        return (by_id if by_id.exists() else queryset.filter(pot__instance=wanted)), False

    @admin.display(description="Requested")
    def requested(self, boost: Boost) -> str:
        """Return when it was asked for."""
        return instant(boost.requested_at)

    @admin.display(description="Of")
    def what(self, boost: Boost) -> str:
        """Return which pot of which instance."""
        return lines([boost.pot.instance, muted(f"{boost.pot}, {boost.operator}")])

    @admin.display(description="Amount")
    def amount_shown(self, boost: Boost) -> str:
        """Return how much was asked for."""
        return money(boost.amount, boost.pot.instance.currency)

    @admin.display(description="Status")
    def status_shown(self, boost: Boost) -> str:
        """Return what became of it."""
        return boost_badge(boost, now=timezone.now())

    @admin.display(description="Decide")
    def decide(self, boost: Boost) -> str:
        """Return links to the pages that decide upon a request that waits."""
        if boost.status != BoostStatus.REQUESTED:
            return EMPTY
        return page_links(boost, (ApplyBoostPage, RejectBoostPage))

    @admin.display(description="Id")
    def id_shown(self, boost: Boost) -> str:
        """Return the id by which the API knows it."""
        return code(boost.pk)

    @admin.display(description="By")
    def requested_by(self, boost: Boost) -> str:
        """Return who asked for it: they cannot apply it."""
        return actor_text(boost.requested_by_kind, boost.requested_by_ref)

    @admin.display(description="To be decided before")
    def expires(self, boost: Boost) -> str:
        """Return from when on it is too old."""
        return instant(boost.expires_at)

    @admin.display(description="Decided")
    def decided(self, boost: Boost) -> str:
        """Return when it was decided."""
        return instant(boost.decided_at)

    @admin.display(description="By")
    def decided_by(self, boost: Boost) -> str:
        """Return who decided it."""
        if not boost.decided_by_ref:
            return EMPTY
        return actor_text(boost.decided_by_kind, boost.decided_by_ref)

    @admin.display(description="Because")
    def decision_reason_shown(self, boost: Boost) -> str:
        """Return why."""
        return boost.decision_reason or EMPTY

    def panels_after(self, request: HttpRequest, subject: Boost, now: datetime) -> list[Panel]:
        """Return everything that happened to the request."""
        events = decisions_about("jackpots.boost", [subject.pk], said=_SAID, describe=_amount_of)
        return [timeline_panel(events, nothing="Nothing is recorded of this boost.")]


def _amount_of(after: dict[str, Any]) -> str:
    if "amount" not in after:
        return ""
    return amount_text(Decimal(after["amount"]), after["currency"])
