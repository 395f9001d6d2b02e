"""Rollback losses: incidents in which the house bears what a winner has already been given."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter

from core.actors import ActorKind
from core.admin.display import (
    EMPTY,
    Tone,
    badge,
    code,
    instant,
    instant_text,
    lines,
    money,
    muted,
    object_link,
)
from core.admin.search import parse_uuid
from core.admin.timeline import actor_text
from jackpots.admin.loss_pages import ExplainLossPage
from jackpots.admin.of_pots import OfPotAdmin
from jackpots.models import RollbackLoss


class ExplainedFilter(DropdownFilter):
    """By whether somebody has said how it came about."""

    title = "explained"
    parameter_name = "explained"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return both answers."""
        return [("no", "Not yet"), ("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the losses that have been explained, or those that have not."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(explained_at__isnull=self.value() == "no")


@admin.register(RollbackLoss)
class RollbackLossAdmin(OfPotAdmin):
    """Look at rollback losses; explain one through its own page."""

    list_display = ("happened", "what", "whose", "amount_shown", "state", "explanation_shown")
    list_display_links = ("happened",)
    list_filter = (("operator", RelatedDropdownFilter), ExplainedFilter)
    list_select_related = (
        "operator",
        "pot__instance",
        "reversal__player",
        "reversal__reverses",
    )
    search_fields = ("explanation",)
    search_help_text = "Search by the id of a loss, or of the contribution"
    fieldsets: ClassVar = [
        (
            "Loss",
            {
                "fields": [
                    "state",
                    "amount_shown",
                    "pot_shown",
                    "instance_link",
                    "operator_link",
                    "happened",
                    "id_shown",
                ]
            },
        ),
        ("How it came about", {"fields": ["original_link", "reversal_link", "player_link"]}),
        ("Explanation", {"fields": ["explanation_shown", "explained", "explainer"]}),
    ]
    pages = (ExplainLossPage,)
    empty_icon = "money_off"
    empty_text = (
        "No rollback has cost the house anything. A contribution that is rolled back after its pot "
        "was won stays with the winner: the house bears it, and it is listed here."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find losses by exact id: their own, their reversal's, or the contribution's."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = parse_uuid(term)
        if wanted is None:
            return queryset.none(), False
        found = Q(pk=wanted) | Q(reversal=wanted) | Q(reversal__reverses=wanted)
        return queryset.filter(found), False

    @admin.display(description="Happened")
    def happened(self, loss: RollbackLoss) -> str:
        """Return when the rollback was counted."""
        return instant(loss.created_at)

    @admin.display(description="Of")
    def what(self, loss: RollbackLoss) -> str:
        """Return which pot of which instance had been won."""
        return lines([loss.pot.instance, muted(f"{loss.pot}, {loss.operator}")])

    @admin.display(description="Player")
    def whose(self, loss: RollbackLoss) -> str:
        """Return whose contribution was rolled back."""
        return str(loss.reversal.player)

    @admin.display(description="Loss")
    def amount_shown(self, loss: RollbackLoss) -> str:
        """Return what the house bears."""
        return money(loss.amount, loss.currency)

    @admin.display(description="State")
    def state(self, loss: RollbackLoss) -> str:
        """Return whether somebody has said how it came about."""
        if loss.explained_at is None:
            return badge("To explain", Tone.WARNING)
        return badge("Explained", Tone.GOOD)

    @admin.display(description="Explanation")
    def explanation_shown(self, loss: RollbackLoss) -> str:
        """Return how it came about."""
        return loss.explanation or EMPTY

    @admin.display(description="Id")
    def id_shown(self, loss: RollbackLoss) -> str:
        """Return its id."""
        return code(loss.pk)

    @admin.display(description="Contribution")
    def original_link(self, loss: RollbackLoss) -> str:
        """Return a link to the contribution that was rolled back."""
        original = loss.reversal.reverses
        if original is None:
            return EMPTY
        return object_link(original, f"{original} on {instant_text(original.created_at)} UTC")

    @admin.display(description="Reversal")
    def reversal_link(self, loss: RollbackLoss) -> str:
        """Return a link to the row that took it back."""
        reversal = loss.reversal
        return object_link(reversal, f"on {instant_text(reversal.created_at)} UTC")

    @admin.display(description="Player")
    def player_link(self, loss: RollbackLoss) -> str:
        """Return a link to the player."""
        return object_link(loss.reversal.player)

    @admin.display(description="Explained")
    def explained(self, loss: RollbackLoss) -> str:
        """Return when it was explained."""
        return instant(loss.explained_at)

    @admin.display(description="By")
    def explainer(self, loss: RollbackLoss) -> str:
        """Return who explained it."""
        if not loss.explained_by:
            return EMPTY
        kind, colon, ref = loss.explained_by.partition(":")
        known = colon and kind in ActorKind.values
        return actor_text(kind, ref) if known else loss.explained_by
