"""Templates: what each gives, on what terms, worked through in numbers, and what came of it."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import (
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)

from bonuses.admin.display import (
    gift_sentence,
    hours_text,
    template_badge,
    wagering_sentence,
    weight_lines,
)
from bonuses.admin.examples import example_sentences
from bonuses.admin.figures import TemplateFigures, read_template_figures
from bonuses.admin.issue_pages import IssueFromTemplatePage
from bonuses.admin.template_pages import (
    ActivateTemplatePage,
    AddTemplatePage,
    DeactivateTemplatePage,
    EditTemplatePage,
    preview_view,
)
from bonuses.models import BonusTemplate
from core.admin import NamedRowsAdmin, Panel
from core.admin.display import (
    EMPTY,
    amount_text,
    code,
    instant,
    lines,
    list_url,
    muted,
    object_link,
)
from games.models import Game


@admin.register(BonusTemplate)
class BonusTemplateAdmin(NamedRowsAdmin):
    """Look at templates; make and change them through their own pages."""

    list_display = ("what", "operator", "terms", "state", "grants")
    list_display_links = ("what",)
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("type", ChoicesDropdownFilter),
        ("is_active", BooleanRadioFilter),
    )
    list_select_related = ("operator",)
    search_fields = ("name",)
    search_help_text = "Search by name or id"
    fieldsets: ClassVar = [
        ("Template", {"fields": ["name", "type", "state", "operator_link", "created", "id_shown"]}),
        ("Bonus", {"fields": ["gives", "currency", "games"]}),
        ("Wagering", {"fields": ["to_wager", "weights", "biggest_bet", "win_cap"]}),
        ("Limits", {"fields": ["time_limit", "times"]}),
    ]
    add_page = AddTemplatePage
    pages = (IssueFromTemplatePage, EditTemplatePage, ActivateTemplatePage, DeactivateTemplatePage)
    empty_icon = "card_giftcard"
    empty_text = (
        "A template says what a bonus gives and what has to be wagered for it. Create the first "
        "one, then issue it to a player or to a segment."
    )

    def get_urls(self) -> list[URLPattern]:
        """Return the model's addresses, the one that previews what is typed first."""
        preview = self.admin_site.admin_view(preview_view)
        return [
            path("preview/", preview, name="bonuses_bonustemplate_preview"),
            *super().get_urls(),
        ]

    def complete_rows(self, rows: list[BonusTemplate]) -> None:
        """Give each row its figures, all read in one statement."""
        figures = read_template_figures(template_ids=[row.pk for row in rows])
        for row in rows:
            row.figures = figures[row.pk]  # type: ignore[attr-defined]

    @admin.display(description="Gives")
    def gives(self, template: BonusTemplate) -> str:
        """Return what it gives, in words."""
        return gift_sentence(template.type, template.config, template.currency)

    @admin.display(description="Name and type")
    def what(self, template: BonusTemplate) -> str:
        """Return what staff call it, and its type."""
        return lines([template.name, muted(template.get_type_display())])

    @admin.display(description="Gives, and what to wager")
    def terms(self, template: BonusTemplate) -> str:
        """Return what it gives and what has to be wagered for it, in words."""
        return lines([self.gives(template), muted(f"Wager: {self.to_wager(template)}")])

    @admin.display(description="State")
    def state(self, template: BonusTemplate) -> str:
        """Return whether bonuses may be issued from it."""
        return template_badge(template)

    @admin.display(description="Grants")
    def grants(self, template: BonusTemplate) -> str:
        """Return how many grants it has, and how many of them are active."""
        figures: TemplateFigures = template.figures  # type: ignore[attr-defined]
        return f"{figures.grant_count:,} ({figures.active_count:,} active)"

    @admin.display(description="Operator")
    def operator_link(self, template: BonusTemplate) -> str:
        """Return a link to the operator."""
        return object_link(template.operator)

    @admin.display(description="Created")
    def created(self, template: BonusTemplate) -> str:
        """Return when it was made."""
        return instant(template.created_at)

    @admin.display(description="Id")
    def id_shown(self, template: BonusTemplate) -> str:
        """Return the id by which the API knows it."""
        return code(template.pk)

    @admin.display(description="Games")
    def games(self, template: BonusTemplate) -> str:
        """Return on which games its money may be bet."""
        slugs = template.config.get("eligible_games")
        if slugs is None:
            return "All"
        games = Game.objects.for_operator(template.operator).filter(slug__in=slugs)
        known = set(games.values_list("slug", flat=True))
        return lines(
            slug if slug in known else f"{slug}, not in the catalogue of this operator"
            for slug in slugs
        )

    @admin.display(description="To wager")
    def to_wager(self, template: BonusTemplate) -> str:
        """Return what has to be wagered, in words."""
        return wagering_sentence(template.wagering_multiplier, template.wagering_basis)

    @admin.display(description="What counts of a bet")
    def weights(self, template: BonusTemplate) -> str:
        """Return the weights of games."""
        return lines(weight_lines(template.game_contribution))

    @admin.display(description="Largest bet")
    def biggest_bet(self, template: BonusTemplate) -> str:
        """Return above what a stake forfeits a grant."""
        if template.max_bet is None:
            return "No limit"
        return f"{amount_text(template.max_bet, template.currency)}: a larger one forfeits it"

    @admin.display(description="Win cap")
    def win_cap(self, template: BonusTemplate) -> str:
        """Return how much of the winnings is released at most."""
        if template.max_win_cap is None:
            return "No cap: all winnings are released"
        return f"{amount_text(template.max_win_cap, template.currency)} of winnings at most"

    @admin.display(description="Time to wager it")
    def time_limit(self, template: BonusTemplate) -> str:
        """Return after how long a grant expires."""
        return hours_text(template.time_limit_hours)

    @admin.display(description="Grants a player")
    def times(self, template: BonusTemplate) -> str:
        """Return how often a player may have it."""
        most = template.max_grants_per_player
        return "No limit" if most is None else f"{most:,} at most"

    def panels_before(
        self, request: HttpRequest, subject: BonusTemplate, now: datetime
    ) -> list[Panel]:
        """Return its figures, and what its terms do in numbers."""
        figures = read_template_figures(template_ids=[subject.pk])[subject.pk]
        context: dict[str, Any] = {
            "grants": f"{figures.grant_count:,}",
            "active": f"{figures.active_count:,}",
            "waiting": f"{figures.waiting_count:,}" if figures.waiting_count else EMPTY,
            "examples": example_sentences(subject, now=now),
        }
        if request.user.has_perm("bonuses.view_bonusgrant"):
            context["grants_url"] = list_url("bonuses.bonusgrant", template__id__exact=subject.pk)
        return [Panel("In numbers", "admin/bonuses/numbers.html", context)]
