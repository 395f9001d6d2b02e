"""Promos made and changed: terms, games, claims that are left, and the end of it all."""

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from unfold.enums import ActionVariant

from core.admin import ServicePage
from core.admin.display import list_url, url_of
from promos.admin.display import example_sentences, terms_of
from promos.admin.forms import ClaimsLeftForm, GamesForm, PromoForm
from promos.enums import PromoType
from promos.models import Promo, UserPromo
from promos.selectors import list_promo_games, read_promo_figures
from promos.services import catalogue

_ARCHIVED = "The promo has been archived: nothing of it changes any more."


def _examples_in(form: Any, *, promo_type: PromoType) -> list[str]:
    """Return the examples of what somebody has entered, if it is enough for one."""
    if not isinstance(form, PromoForm) or not form.is_bound:
        return []
    form.is_valid()
    return example_sentences(form.terms(), promo_type=promo_type)


class AddPromoPage(ServicePage[None]):
    """Make a promo: choose its type first, then say its terms."""

    name = "add"
    permission = "promos.add_promo"
    verb = "Create promo"
    form_class = PromoForm
    template = "admin/promos/promo_form.html"
    types_template: ClassVar[str] = "admin/promos/types.html"

    @property
    def title(self) -> str:
        """Say what the page does."""
        if self.promo_type is None:
            return "Create a promo"
        return f"Create a promo: {self.promo_type.label.lower()}"

    @property
    def promo_type(self) -> PromoType | None:
        """Return the type that was chosen; null while none is."""
        chosen = self.request.GET.get("type", "")
        return PromoType(chosen) if chosen in PromoType.values else None

    def consequences(self) -> list[str]:
        """Say what will happen."""
        match self.promo_type:
            case PromoType.INSTANT:
                return ["Players who may claim the code are paid at once, each player once."]
            case PromoType.DEPOSIT:
                return [
                    "Each player may claim the code once; their next deposit activates it.",
                    (
                        "With an empty list of games nothing but the operator's own games can be "
                        "bet on while it is active: list the games on the next page."
                    ),
                ]
            case _:
                return []

    def respond(self) -> HttpResponse:
        """Answer the request; without a type, let the person choose one."""
        if self.promo_type is None and self.is_allowed():
            self.template = self.types_template  # type: ignore[misc]
            return self.show(None)
        return super().respond()

    def make_form(self, data: Any) -> PromoForm:
        """Return the form of the type."""
        assert self.promo_type is not None, "a form without a type"
        return PromoForm(data, promo_type=self.promo_type)

    def call(self, form: PromoForm) -> str:
        """Create the promo."""
        self.created = catalogue.create_promo(
            operator=form.cleaned_data["operator"],
            promo_type=form.promo_type,
            terms=form.terms(),
            actor=self.actor,
            now=self.now,
        )
        return f"{self.created} was created. {_first_example(self.created)}".strip()

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the promo."""
        messages.success(self.request, done)
        if not self.model_admin.has_view_permission(self.request):
            return HttpResponseRedirect(self.back_url())
        return HttpResponseRedirect(url_of("promos.promo", self.created.pk))

    def show(self, form: Any, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page, with examples of what was entered."""
        if self.promo_type is not None:
            context["examples"] = _examples_in(form, promo_type=self.promo_type)
        return super().show(form, status=status, **context)


class PromoPage(ServicePage[Promo]):
    """A command that an archived promo is not open to."""

    def obstacle(self) -> str:
        """Refuse what has been archived."""
        return "" if self.subject.archived_at is None else _ARCHIVED


class EditPromoPage(PromoPage):
    """Change the terms of a promo."""

    name = "edit"
    permission = "promos.change_promo"
    verb = "Edit"
    icon = "edit"
    form_class = PromoForm
    template = "admin/promos/promo_form.html"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return ["Claims from now on have these terms. Claims that run keep theirs."]

    def make_form(self, data: Any) -> PromoForm:
        """Return the form with the terms as they are."""
        return PromoForm(data, promo_type=PromoType(self.subject.type), promo=self.subject)

    def call(self, form: PromoForm) -> str:
        """Change the terms."""
        changed = catalogue.update_promo(
            operator=self.subject.operator,
            promo_id=self.subject.pk,
            changes=form.terms(),
            actor=self.actor,
            now=self.now,
        )
        return f"{changed} was changed. {_first_example(changed)}".strip()

    def show(self, form: Any, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page, with examples of what was entered, or of what is in force."""
        promo_type = PromoType(self.subject.type)
        context["examples"] = _examples_in(form, promo_type=promo_type) or (
            []
            if form.is_bound
            else example_sentences(terms_of(self.subject), promo_type=promo_type)
        )
        return super().show(form, status=status, **context)


class GamesPage(PromoPage):
    """Edit the list of games as a whole."""

    name = "games"
    permission = "promos.change_promo"
    verb = "Edit games"
    icon = "casino"
    form_class = GamesForm
    template = "admin/promos/games_form.html"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Games of {self.subject}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "While the promo is active, bets are taken on these games only, up to their limits.",
            "The operator's own games can always be bet on; they count only if they are listed.",
            "Claims from now on have this list. Claims that run keep theirs.",
        ]

    def obstacle(self) -> str:
        """Refuse what rolls nothing over."""
        if self.subject.type == PromoType.INSTANT:
            return "An instant promo is paid at once: there is nothing to wager on any game."
        return super().obstacle()

    def make_form(self, data: Any) -> GamesForm:
        """Return the form with the list as it is."""
        rows = [
            {
                "game": row.game.slug,
                "wager_multiplier": row.wager_multiplier,
                "max_bet_amount": row.max_bet_amount,
            }
            for row in list_promo_games(promo=self.subject)
        ]
        return GamesForm(data, operator=self.subject.operator, initial=rows)

    def call(self, form: GamesForm) -> str:
        """Replace the list."""
        rows = catalogue.replace_games(
            operator=self.subject.operator,
            promo_id=self.subject.pk,
            games=form.games(),
            actor=self.actor,
            now=self.now,
        )
        return f"{self.subject} has {len(rows)} game{'' if len(rows) == 1 else 's'}."


class ClaimsLeftPage(PromoPage):
    """Change how many claims are left, by a difference."""

    name = "claims-left"
    permission = "promos.adjust_promo_claims"
    verb = "Change claims left"
    icon = "exposure"
    form_class = ClaimsLeftForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Change how many claims of {self.subject} are left"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        left = self.subject.claims_left
        if left is None:
            return []
        return [
            f"At this instant {left:,} claim{' is' if left == 1 else 's are'} left.",
            "What players have claimed stays claimed.",
        ]

    def obstacle(self) -> str:
        """Refuse a promo that has no cap."""
        if self.subject.claims_left is None:
            return f"{self.subject} has no cap: it can be claimed by any number of players."
        return super().obstacle()

    def call(self, form: ClaimsLeftForm) -> str:
        """Add the difference."""
        promo = catalogue.adjust_claims_left(
            operator=self.subject.operator,
            promo_id=self.subject.pk,
            delta=form.cleaned_data["delta"],
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        left = promo.claims_left
        return f"{promo} has {left:,} claim{'' if left == 1 else 's'} left."


class ArchivePromoPage(PromoPage):
    """Delete a promo that nobody has claimed; archive one that somebody has."""

    name = "archive"
    permission = "promos.archive_promo"
    verb = "Archive or delete"
    icon = "archive"
    variant = ActionVariant.DANGER
    is_dangerous = True

    def consequences(self) -> list[str]:
        """Say what will happen."""
        if not self._is_used():
            return [
                "Nobody has claimed it and it has no batches: it is deleted, its games with it.",
                "The audit trail keeps its terms.",
            ]
        count = read_promo_figures(promo_ids=[self.subject.pk])[self.subject.pk].claim_count
        running = UserPromo.objects.filter(promo=self.subject).open().count()
        return [
            f"It is archived for good: {count:,} claim{' stays' if count == 1 else 's stay'}.",
            "Nobody can claim it any more, nor any code of its batches.",
            f"{running:,} open claim{' runs' if running == 1 else 's run'} on.",
            "Its code cannot be used for another promo.",
        ]

    def call(self, form: Any) -> str:
        """Archive or delete it."""
        was_used = self._is_used()
        catalogue.archive_or_delete_promo(
            operator=self.subject.operator,
            promo_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        self.is_gone = not was_used
        return f"{self.subject} was {'archived' if was_used else 'deleted'}."

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the list when the promo is gone."""
        if self.is_gone and self.model_admin.has_view_permission(self.request):
            messages.success(self.request, done)
            return HttpResponseRedirect(list_url("promos.promo"))
        return super().conclude(done)

    def _is_used(self) -> bool:
        return (
            UserPromo.objects.filter(promo=self.subject).exists() or self.subject.batches.exists()
        )


def _first_example(promo: Promo) -> str:
    examples = example_sentences(terms_of(promo), promo_type=PromoType(promo.type))
    return examples[0] if examples else ""
