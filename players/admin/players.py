"""Players in the back office: to look at, never to change."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import BooleanRadioFilter, RelatedDropdownFilter

from core.admin import LargeTableAdmin, Panel, panel_on
from core.admin.display import (
    EMPTY,
    Tone,
    badge,
    code,
    instant,
    lines,
    money,
    object_link,
)
from core.admin.history import history_panel
from core.admin.search import across_operators
from players.admin.restrictions import restrictions_panel
from players.models import Player

USD = "USD"
#: What a role without it does not see of a person; reports mask the same.
_PERSONAL_DATA = "reports.view_personal_data"
_PERSONAL_FIELDS = ("country_shown", "affiliate", "tags_shown")


@admin.register(Player)
class PlayerAdmin(LargeTableAdmin):
    """Look at players; operators change them through the API."""

    list_display = (
        "reference",
        "operator",
        "standing",
        "currency",
        "levels",
        "deposits",
        "created",
    )
    list_filter = (("operator", RelatedDropdownFilter), ("is_blocked", BooleanRadioFilter))
    list_select_related = ("operator",)
    search_fields = ("reference",)
    search_help_text = "Search by player id"
    fieldsets: ClassVar = [
        (
            "Player",
            {"fields": ["id_shown", "operator_link", "standing", "currency", "country_shown"]},
        ),
        ("Profile", {"fields": ["levels", "affiliate", "tags_shown"]}),
        ("Totals", {"fields": ["deposits", "deposits_made", "wagers"]}),
        ("Dates", {"fields": ["created", "excluded_until", "currency_fixed"]}),
    ]
    empty_icon = "group"
    empty_text = (
        "Players are registered by their operator with PUT /v1/players/{player_id}. "
        "In the demo world there are 200 of them."
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what is known of the player, without personal data where a role has no right."""
        if request.user.has_perm(_PERSONAL_DATA):
            return self.fieldsets
        return [
            (
                title,
                {"fields": [name for name in group["fields"] if name not in _PERSONAL_FIELDS]},
            )
            for title, group in self.fieldsets
        ]

    def panels_before(self, request: HttpRequest, subject: Player, now: datetime) -> list[Panel]:
        """Return what the player may not do."""
        return [restrictions_panel(request, subject, now)]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find players by their exact id, through its index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = across_operators(Player.objects.with_reference(term))
        return queryset.filter(pk__in=list(found.values_list("pk", flat=True))), False

    @admin.display(description="Operator")
    def operator_link(self, player: Player) -> str:
        """Return a link to the operator."""
        return object_link(player.operator)

    @admin.display(description="Player id")
    def id_shown(self, player: Player) -> str:
        """Return the operator's own id."""
        return player.reference

    @admin.display(description="Standing")
    def standing(self, player: Player) -> str:
        """Return whether the player may play."""
        badges = []
        if player.is_blocked:
            badges.append(badge("Blocked", Tone.BAD, title="By the operator"))
        if player.is_self_excluded(now=timezone.now()):
            badges.append(badge("Self-excluded", Tone.WARNING, title="By the player"))
        return lines(badges or [badge("Can play", Tone.GOOD)])

    @admin.display(description="Country")
    def country_shown(self, player: Player) -> str:
        """Return the country."""
        return player.country or EMPTY

    @admin.display(description="KYC and VIP level")
    def levels(self, player: Player) -> str:
        """Return the levels."""
        return f"KYC {player.kyc_level}, VIP {player.vip_level}"

    @admin.display(description="Affiliate")
    def affiliate(self, player: Player) -> str:
        """Return the affiliate's code."""
        return code(player.affiliate_code)

    @admin.display(description="Tags")
    def tags_shown(self, player: Player) -> str:
        """Return the tags."""
        return ", ".join(player.tags) or EMPTY

    @admin.display(description="Deposits")
    def deposits(self, player: Player) -> str:
        """Return the total of settled deposits."""
        return money(player.total_deposit_usd, USD)

    @admin.display(description="Number of deposits")
    def deposits_made(self, player: Player) -> str:
        """Return how many deposits were settled."""
        return f"{player.deposit_count:,}"

    @admin.display(description="Wagers")
    def wagers(self, player: Player) -> str:
        """Return the total of settled bets."""
        return money(player.total_wager_usd, USD)

    @admin.display(description="Registered")
    def created(self, player: Player) -> str:
        """Return when the player was registered."""
        return instant(player.created_at)

    @admin.display(description="Self-excluded until")
    def excluded_until(self, player: Player) -> str:
        """Return until when the player has excluded themselves."""
        return instant(player.self_excluded_until)

    @admin.display(description="Currency fixed since")
    def currency_fixed(self, player: Player) -> str:
        """Return since when the wallet's currency is fixed."""
        return instant(player.currency_locked_at)


@panel_on("players.player", order=100)
def timeline_panel(request: HttpRequest, player: Player, now: datetime) -> Panel:
    """Return everything that happened to the player, below all that they have."""
    return history_panel(request, player)
