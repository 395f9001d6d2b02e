"""Opt-ins: who takes part where opting in is required."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RelatedDropdownFilter

from core.admin import LargeTableAdmin, Panel, panel_on
from core.admin.display import Tone, badge, instant, list_url, object_link
from core.admin.search import across_operators
from jackpots.models import OptIn
from players.models import Player

_SHOWN_MAX = 10


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
        return _status_badge(opt_in)

    @admin.display(description="Opted in")
    def given(self, opt_in: OptIn) -> str:
        """Return when the opt-in was given."""
        return instant(opt_in.opted_in_at)

    @admin.display(description="Opted out")
    def withdrawn(self, opt_in: OptIn) -> str:
        """Return when the opt-in ended."""
        return instant(opt_in.opted_out_at)


@panel_on("players.player")
def player_panel(request: HttpRequest, player: Player, now: datetime) -> Panel | None:
    """Return where a player has opted in, and the way to what they contributed."""
    if not request.user.has_perm("jackpots.view_optin"):
        return None
    newest = OptIn.objects.filter(player=player).select_related("instance").order_by("-pk")
    context: dict[str, Any] = {
        "opt_ins": [
            {
                "instance": object_link(each.instance),
                "status": _status_badge(each),
                "given": instant(each.opted_in_at),
            }
            for each in newest[:_SHOWN_MAX]
        ],
        "opt_ins_url": list_url("jackpots.optin", player__id__exact=player.pk),
    }
    if request.user.has_perm("jackpots.view_contribution"):
        context["contributions_url"] = list_url(
            "jackpots.contribution", player__id__exact=player.pk
        )
    return Panel("Jackpots", "admin/jackpots/player.html", context)


def _status_badge(opt_in: OptIn) -> str:
    return badge("Ended", Tone.QUIET) if opt_in.opted_out_at else badge("Opted in", Tone.GOOD)
