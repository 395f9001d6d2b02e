"""Grants: what each player was given, how far the wagering is, and everything that happened."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)

from bonuses.admin.display import (
    grant_badge,
    held_by,
    progress_cell,
    progress_of,
    references_text,
    wagering_sentence,
    weight_lines,
)
from bonuses.admin.ending_pages import CancelGrantPage, ForfeitGrantPage
from bonuses.admin.search import AdapterFilter, adapter_slugs, of_player
from bonuses.admin.timeline import timeline_of
from bonuses.enums import DiscrepancyStatus
from bonuses.models import BonusGrant
from core.admin import LargeTableAdmin, Panel
from core.admin.display import (
    EMPTY,
    code,
    instant,
    instant_text,
    lines,
    money,
    muted,
    object_link,
)
from core.admin.periods import SinceFilter
from core.admin.search import parse_uuid
from core.admin.timeline import timeline_panel
from core.money import format_decimal


class GrantedFilter(SinceFilter):
    """By when it was granted: what the wagering funnel counts."""

    title = "granted"
    parameter_name = "granted"
    instant = F("granted_at")


@admin.register(BonusGrant)
class BonusGrantAdmin(LargeTableAdmin):
    """Look at grants; cancel or forfeit an active one through its own page."""

    list_display = (
        "bonus",
        "whose",
        "what",
        "status_shown",
        "progress",
        "granted",
    )
    list_display_links = ("bonus",)
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("template", AutocompleteSelectFilter),
        ("status", ChoicesDropdownFilter),
        ("type", ChoicesDropdownFilter),
        AdapterFilter,
        GrantedFilter,
    )
    list_select_related = ("operator", "player", "template")
    search_fields = ("platform_bonus_id",)
    search_help_text = "Search by player id, grant id, or the platform's id of the bonus"
    fieldsets: ClassVar = [
        (
            "Grant",
            {
                "fields": [
                    "status_shown",
                    "type",
                    "template_link",
                    "player_link",
                    "operator_link",
                    "adapter_shown",
                    "platform_id",
                    "id_shown",
                ]
            },
        ),
        ("Given", {"fields": ["bonus", "base", "deposit", "conversion", "losses"]}),
        (
            "Terms, as they were",
            {"fields": ["to_wager", "weights", "biggest_bet", "win_cap", "games", "due"]},
        ),
        (
            "What became of it",
            {"fields": ["issuance_link", "released", "excess", "outcome", "references_shown"]},
        ),
    ]
    pages = (CancelGrantPage, ForfeitGrantPage)
    empty_icon = "card_giftcard"
    empty_text = (
        "A grant is one player's bonus. Issue one from the page of a template, start a campaign, "
        "or let your systems call POST /v1/bonus-grants."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find grants by exact id: their own, their platform's, or their player's."""
        term = search_term.strip()
        if not term:
            return queryset, False
        # A platform's id may look like a UUID, too.
        found = Q(adapter_slug__in=adapter_slugs(BonusGrant), platform_bonus_id=term)
        wanted = parse_uuid(term)
        if wanted is not None:
            found |= Q(pk=wanted)
        by_id = list(BonusGrant.objects.filter(found).values_list("pk", flat=True)[:10])
        return (queryset.filter(pk__in=by_id) if by_id else of_player(queryset, term)), False

    @admin.display(description="Status")
    def status_shown(self, grant: BonusGrant) -> str:
        """Return the state of the grant."""
        return grant_badge(grant, now=timezone.now())

    @admin.display(description="Bonus")
    def bonus(self, grant: BonusGrant) -> str:
        """Return what was given, in the player's currency."""
        return money(grant.bonus_amount, grant.bonus_currency)

    @admin.display(description="Player")
    def whose(self, grant: BonusGrant) -> str:
        """Return whose it is, and at which operator."""
        return lines([grant.player, muted(grant.operator)])

    @admin.display(description="Template")
    def what(self, grant: BonusGrant) -> str:
        """Return which template it is of, and the adapter that it went through."""
        return lines([grant.template, muted(grant.adapter_slug)])

    @admin.display(description="Wagered")
    def progress(self, grant: BonusGrant) -> str:
        """Return how far the wagering is."""
        if grant.wagering_required == 0:
            return "Nothing to wager"
        told = progress_of(grant)
        return progress_cell(told["percent"], f"{told['wagered']} of {told['target']}")

    @admin.display(description="Granted, and until when")
    def granted(self, grant: BonusGrant) -> str:
        """Return when it was granted, and when an active one expires."""
        until = f"until {instant_text(grant.expires_at)}" if grant.expires_at else "no time limit"
        return lines([instant(grant.granted_at), muted(until) if grant.is_active else ""])

    @admin.display(description="Expires")
    def due(self, grant: BonusGrant) -> str:
        """Return when it expires, or would have."""
        return instant(grant.expires_at)

    @admin.display(description="Template")
    def template_link(self, grant: BonusGrant) -> str:
        """Return a link to the template."""
        return object_link(grant.template)

    @admin.display(description="Player")
    def player_link(self, grant: BonusGrant) -> str:
        """Return a link to the player."""
        return object_link(grant.player)

    @admin.display(description="Operator")
    def operator_link(self, grant: BonusGrant) -> str:
        """Return a link to the operator."""
        return object_link(grant.operator)

    @admin.display(description="Adapter")
    def adapter_shown(self, grant: BonusGrant) -> str:
        """Return through which adapter it went, and who holds its money."""
        holder = "our own ledger holds it" if grant.is_internal else "its platform holds it"
        return f"{grant.adapter_slug}: {holder}"

    @admin.display(description="The platform's id")
    def platform_id(self, grant: BonusGrant) -> str:
        """Return the id by which the platform knows it."""
        return code(grant.platform_bonus_id)

    @admin.display(description="Id")
    def id_shown(self, grant: BonusGrant) -> str:
        """Return the id by which the API knows it."""
        return code(grant.pk)

    @admin.display(description="In the base currency")
    def base(self, grant: BonusGrant) -> str:
        """Return the amount of reports, and the rate that was locked."""
        amount = money(grant.bonus_amount_base, grant.base_currency_code)
        rate = (
            f"1 {grant.bonus_currency} = {format_decimal(grant.fx_rate_locked)} "
            f"{grant.base_currency_code}, locked {instant_text(grant.fx_locked_at)} UTC"
        )
        return lines([amount, rate])

    @admin.display(description="Matched deposit")
    def deposit(self, grant: BonusGrant) -> str:
        """Return the deposit that was matched."""
        return money(grant.deposit_amount, grant.bonus_currency)

    @admin.display(description="Converted from")
    def conversion(self, grant: BonusGrant) -> str:
        """Return the amount in the template's currency, and the rate."""
        if grant.original_amount is None or grant.rate is None:
            return "No conversion"
        rate = f"1 {grant.original_currency} = {format_decimal(grant.rate)} {grant.bonus_currency}"
        return lines([money(grant.original_amount, str(grant.original_currency)), rate])

    @admin.display(description="Losses paid back")
    def losses(self, grant: BonusGrant) -> str:
        """Return whose losses cashback paid back: from when to when."""
        if grant.loss_from is None:
            return EMPTY
        return f"{instant_text(grant.loss_from)} to {instant_text(grant.loss_until)} UTC"

    @admin.display(description="To wager")
    def to_wager(self, grant: BonusGrant) -> str:
        """Return what has to be wagered, and how that came about."""
        if grant.wagering_required == 0:
            return "Nothing"
        how = wagering_sentence(grant.wagering_multiplier, grant.wagering_basis)
        return lines([money(grant.wagering_required, grant.bonus_currency), how])

    @admin.display(description="What counts of a bet")
    def weights(self, grant: BonusGrant) -> str:
        """Return the weights of games."""
        return lines(weight_lines(grant.game_contribution))

    @admin.display(description="Largest bet")
    def biggest_bet(self, grant: BonusGrant) -> str:
        """Return above what a stake forfeits it."""
        if grant.max_bet is None:
            return "No limit"
        return lines([money(grant.max_bet, grant.bonus_currency), "A larger one forfeits it"])

    @admin.display(description="Win cap")
    def win_cap(self, grant: BonusGrant) -> str:
        """Return how much of the winnings is released at most."""
        return (
            "No cap"
            if grant.max_win_cap is None
            else money(grant.max_win_cap, grant.bonus_currency)
        )

    @admin.display(description="Games")
    def games(self, grant: BonusGrant) -> str:
        """Return on which games its money may be bet."""
        return "All" if grant.eligible_games is None else ", ".join(grant.eligible_games)

    @admin.display(description="Issued by")
    def issuance_link(self, grant: BonusGrant) -> str:
        """Return a link to the issuance that it came of."""
        return object_link(grant.issuance)

    @admin.display(description="Released")
    def released(self, grant: BonusGrant) -> str:
        """Return what completing it moved to the player's main balance."""
        return money(grant.released_amount, grant.bonus_currency)

    @admin.display(description="Held back above the cap")
    def excess(self, grant: BonusGrant) -> str:
        """Return the winnings that the cap held back."""
        return money(grant.excess_amount, grant.bonus_currency)

    @admin.display(description="Reason of the end")
    def outcome(self, grant: BonusGrant) -> str:
        """Return why it ended."""
        return grant.outcome_reason or EMPTY

    @admin.display(description="References")
    def references_shown(self, grant: BonusGrant) -> str:
        """Return what the caller attached."""
        return references_text(grant.references)

    def panels_before(
        self, request: HttpRequest, subject: BonusGrant, now: datetime
    ) -> list[Panel]:
        """Return how far the wagering is, and what its money is at this instant."""
        opened = subject.discrepancies.filter(status=DiscrepancyStatus.OPEN)
        context: dict[str, Any] = {
            "progress": progress_of(subject) if subject.wagering_required else None,
            "due": instant(subject.expires_at) if subject.is_active and subject.expires_at else "",
            "discrepancies": [object_link(each, each.get_kind_display()) for each in opened],
            "is_inactive": subject.is_active and subject.activated_at is None,
        }
        if subject.is_internal and subject.is_active:
            context["held"] = money(held_by(subject), subject.bonus_currency)
            if subject.max_win_cap is not None:
                most = subject.bonus_amount + subject.max_win_cap
                context["cap"] = money(most, subject.bonus_currency)
        return [Panel("Wagering", "admin/bonuses/progress.html", context)]

    def panels_after(self, request: HttpRequest, subject: BonusGrant, now: datetime) -> list[Panel]:
        """Return everything that happened to the grant."""
        return [timeline_panel(timeline_of(subject), nothing="Nothing is recorded of this grant.")]
