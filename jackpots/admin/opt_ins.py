"""Opt-ins: who takes part where opting in is required."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RelatedDropdownFilter

from core.admin import LargeTableAdmin
from core.admin.display import instant, object_link
from core.admin.search import across_operators
from jackpots.admin.display import opt_in_badge
from jackpots.models import OptIn
from players.models import Player


@admin.register(OptIn)
class OptInAdmin(LargeTableAdmin):
    """Look at opt-ins; players give and withdraw them through the API."""

    list_display = ("player", "instance", "operator", "status", "given", "withdrawn")
    list_filter = (
        ("instance", AutocompleteSelectFilter),
        ("operator", RelatedDropdownFilter),
    )
    list_select_related = ("operator", "instance", "player")
    search_fields = ("player__reference",)
    search_help_text = "Search by player id"
    fieldsets: ClassVar = [
        ("Opt-in", {"fields": ["player_link", "instance_link", "operator_link"]}),
        ("Dates", {"fields": ["status", "given", "withdrawn"]}),
    ]
    empty_icon = "how_to_reg"
    empty_text = (
        "Players opt in with PUT /v2/jackpots/instances/{id}/opt-ins/{player_id}, where an "
        "instance requires it."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find the opt-ins of a player."""
        term = search_term.strip()
        if not term:
            return queryset, False
        players = list(across_operators(Player.objects.with_reference(term)))
        return queryset.filter(player__in=players), False

    @admin.display(description="Player")
    def player_link(self, opt_in: OptIn) -> str:
        """Return a link to the player."""
        return object_link(opt_in.player)

    @admin.display(description="Instance")
    def instance_link(self, opt_in: OptIn) -> str:
        """Return a link to the instance."""
        return object_link(opt_in.instance)

    @admin.display(description="Operator")
    def operator_link(self, opt_in: OptIn) -> str:
        """Return a link to the operator."""
        return object_link(opt_in.operator)

    @admin.display(description="Status")
    def status(self, opt_in: OptIn) -> str:
        """Return whether the opt-in stands."""
        return opt_in_badge(opt_in)

    @admin.display(description="Opted in")
    def given(self, opt_in: OptIn) -> str:
        """Return when the opt-in was given."""
        return instant(opt_in.opted_in_at)

    @admin.display(description="Opted out")
    def withdrawn(self, opt_in: OptIn) -> str:
        """Return when the opt-in ended."""
        return instant(opt_in.opted_out_at)
