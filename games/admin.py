"""The catalogue in the back office: to look at, never to change."""

from typing import ClassVar

from django.contrib import admin
from unfold.contrib.filters.admin import (
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)

from core.admin import LargeTableAdmin
from core.admin.display import EMPTY, Tone, badge, code, instant, object_link
from games.models import Game


@admin.register(Game)
class GameAdmin(LargeTableAdmin):
    """Look at games; operators change them through the API."""

    list_display = (
        "name",
        "slug_shown",
        "operator",
        "category",
        "provider_shown",
        "house",
        "created",
    )
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("category", ChoicesDropdownFilter),
        ("is_house", BooleanRadioFilter),
    )
    list_select_related = ("operator",)
    search_fields = ("name", "slug")
    search_help_text = "Search by name or slug"
    fieldsets: ClassVar = [
        ("Game", {"fields": ["name", "slug_shown", "operator_link", "category"]}),
        ("Origin", {"fields": ["provider_shown", "house", "created"]}),
    ]
    empty_icon = "casino"
    empty_text = "Games are put into the catalogue by their operator with PUT /v1/games/{slug}."

    @admin.display(description="Slug")
    def slug_shown(self, game: Game) -> str:
        """Return the slug."""
        return code(game.slug)

    @admin.display(description="Operator")
    def operator_link(self, game: Game) -> str:
        """Return a link to the operator."""
        return object_link(game.operator)

    @admin.display(description="Provider")
    def provider_shown(self, game: Game) -> str:
        """Return the provider."""
        return game.provider or EMPTY

    @admin.display(description="House game")
    def house(self, game: Game) -> str:
        """Return whether the game is the operator's own."""
        return badge("House", Tone.BUSY) if game.is_house else EMPTY

    @admin.display(description="Added")
    def created(self, game: Game) -> str:
        """Return when the game was added."""
        return instant(game.created_at)
