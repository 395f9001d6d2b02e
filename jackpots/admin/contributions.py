"""
Contributions: the largest table there is.

Nothing here counts it, or sorts or searches it by what has no index. Ids are time-ordered,
so newest first is the primary key backwards, and a period is a range of it.
"""

from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
)

from core.admin import LargeTableAdmin, Panel
from core.admin.display import (
    EMPTY,
    Tone,
    amount_text,
    badge,
    code,
    instant,
    list_url,
    money,
    object_link,
)
from core.admin.search import across_operators, parse_uuid
from core.money import format_decimal
from jackpots.admin.display import error_sentence
from jackpots.dashboard import day_ago
from jackpots.enums import Outcome, Role
from jackpots.errors import REFUSAL_CODES
from jackpots.models import Contribution
from players.models import Player

_PERIODS = {
    "hour": ("Last hour", timedelta(hours=1)),
    "day": ("Last 24 hours", timedelta(days=1)),
    "week": ("Last 7 days", timedelta(days=7)),
    "month": ("Last 30 days", timedelta(days=30)),
}
_ANY_TIME = "any"
#: What a search for the rarer outcomes is narrowed to, unless somebody says otherwise.
_PERIOD_OF_OUTCOMES = "week"


class PeriodFilter(DropdownFilter):
    """
    By age, as a range of time-ordered ids.

    Outcomes have no index of their own: looking for failures alone could read the whole
    table before it finds fifty. So that is narrowed to a week, unless asked otherwise.
    """

    title = "age"
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the periods."""
        return [*((key, label) for key, (label, _) in _PERIODS.items()), (_ANY_TIME, "Any time")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what is younger than the period."""
        period = self.value() or implied_period(request)
        if period not in _PERIODS:
            return queryset
        now = timezone.now()
        # By the hour, as failures of links are counted: the list holds what the home page tells.
        since = day_ago(now) if period == "day" else now - _PERIODS[period][1]
        return queryset.filter(pk__gte=first_id_at(since))


class ErrorFilter(DropdownFilter):
    """By the reason of a failure."""

    title = "error"
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return every reason there is."""
        return [(each, each) for each in REFUSAL_CODES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the failures with the reason."""
        value = self.value()
        return queryset.filter(error_code=value) if value else queryset


@admin.register(Contribution)
class ContributionAdmin(LargeTableAdmin):
    """Look at contributions; nobody changes them, and the database refuses to."""

    list_display = (
        "contributed",
        "instance",
        "player",
        "role_shown",
        "status_shown",
        "wager",
        "amount_shown",
        "tickets",
    )
    list_display_links = ("contributed",)
    list_filter = (
        ("instance", AutocompleteSelectFilter),
        ("status", ChoicesDropdownFilter),
        ("role", ChoicesDropdownFilter),
        ErrorFilter,
        PeriodFilter,
    )
    list_select_related = ("operator", "instance", "player", "source")
    list_before_template: Any = "admin/jackpots/contributions_note.html"
    search_fields = ("request_id",)
    search_help_text = "Search by id, request id, or player id"
    fieldsets: ClassVar = [
        (
            "Contribution",
            {
                "fields": [
                    "status_shown",
                    "why",
                    "contributed",
                    "instance_link",
                    "player_link",
                    "operator_link",
                ]
            },
        ),
        ("Money", {"fields": ["wager", "rate_shown", "amount_shown", "debit", "tickets"]}),
        (
            "Request",
            {
                "fields": [
                    "role_shown",
                    "source_link",
                    "rollback_link",
                    "id_shown",
                    "request_link",
                    "gameround",
                ]
            },
        ),
    ]
    has_history = False
    empty_icon = "database"
    empty_text = (
        "Nobody has contributed yet. Activate an instance, then send a wager with "
        "POST /v2/jackpots/instances/{id}/contributions, or run manage.py play."
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the list, and say so when it is narrowed without having been asked to."""
        period = implied_period(request)
        context = {**(extra_context or {}), "implied_period": bool(period)}
        return super().changelist_view(request, context)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the order that an index serves: of one instance, that of its transactions."""
        if "instance__id__exact" in request.GET:
            return ("-xid", "-number")
        return ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find contributions by exact id, of themselves, of their request, of their player."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = parse_uuid(term)
        if wanted is not None:
            return queryset.filter(Q(pk=wanted) | Q(request_id=wanted)), False
        players = list(across_operators(Player.objects.with_reference(term)))
        return queryset.filter(player__in=players), False

    @admin.display(description="Contributed")
    def contributed(self, contribution: Contribution) -> str:
        """Return when it was recorded."""
        return instant(contribution.created_at)

    @admin.display(description="Leg")
    def role_shown(self, contribution: Contribution) -> str:
        """Return the part that the instance played in the request."""
        if contribution.role == Role.MAIN:
            return "Main"
        return format_html('<span title="From {}">Linked</span>', contribution.source)

    @admin.display(description="Outcome")
    def status_shown(self, contribution: Contribution) -> str:
        """Return whether it was accepted, and if not why."""
        if contribution.status == Outcome.ACCEPTED:
            return badge("Accepted", Tone.GOOD)
        if contribution.status == Outcome.REVERSAL:
            title = "It takes back what another contribution gave"
            return badge("Rolled back", Tone.WARNING, title=title)
        return badge(
            contribution.error_code, Tone.BAD, title=error_sentence(contribution.error_code)
        )

    @admin.display(description="Why it failed")
    def why(self, contribution: Contribution) -> str:
        """Return the sentence of the failure."""
        return error_sentence(contribution.error_code) if contribution.error_code else EMPTY

    @admin.display(description="Wager")
    def wager(self, contribution: Contribution) -> str:
        """Return the bet behind it."""
        return money(contribution.base_wager, contribution.base_currency)

    @admin.display(description="Contribution")
    def amount_shown(self, contribution: Contribution) -> str:
        """Return what the pots gained, or lost again by a rollback."""
        is_back = contribution.status == Outcome.REVERSAL
        amount = -contribution.amount if is_back else contribution.amount
        shown = money(amount, contribution.currency)
        if not contribution.hits:
            return shown
        title = "It hit a pot by chance: see the wins of the instance"
        return format_html("{} {}", shown, badge("Hit", Tone.BUSY, title=title))

    @admin.display(description="Tickets")
    def tickets(self, contribution: Contribution) -> str:
        """Return the tickets that it earned, and how many the player then had."""
        if contribution.tickets_total is None:
            return EMPTY
        return format_html(
            '<span title="{} earned, {} altogether">+{} ({})</span>',
            contribution.tickets_earned,
            contribution.tickets_total,
            contribution.tickets_earned,
            contribution.tickets_total,
        )

    @admin.display(description="Rate")
    def rate_shown(self, contribution: Contribution) -> str:
        """Return the rate at which the wager was converted."""
        if contribution.base_currency == contribution.currency:
            return "No conversion"
        rate = format_decimal(contribution.rate)
        return f"1 {contribution.base_currency} = {rate} {contribution.currency}"

    @admin.display(description="Paid by the player")
    def debit(self, contribution: Contribution) -> str:
        """Return what the player paid, if the instance is funded by players."""
        if contribution.debit_amount is None:
            return EMPTY
        return money(contribution.debit_amount, contribution.debit_currency)

    @admin.display(description="Instance")
    def instance_link(self, contribution: Contribution) -> str:
        """Return a link to the instance."""
        return object_link(contribution.instance)

    @admin.display(description="Player")
    def player_link(self, contribution: Contribution) -> str:
        """Return a link to the player."""
        return object_link(contribution.player)

    @admin.display(description="Operator")
    def operator_link(self, contribution: Contribution) -> str:
        """Return a link to the operator."""
        return object_link(contribution.operator)

    @admin.display(description="Linked from")
    def source_link(self, contribution: Contribution) -> str:
        """Return a link to the instance whose link led here."""
        return object_link(contribution.source)

    @admin.display(description="Rollback")
    def rollback_link(self, contribution: Contribution) -> str:
        """Return a link to the row that took this one back, or that this one took back."""
        if contribution.status == Outcome.REVERSAL:
            return object_link(contribution.reverses, "It takes this contribution back")
        reversal = Contribution.objects.filter(reverses=contribution).first()
        return EMPTY if reversal is None else object_link(reversal, "Rolled back by this row")

    @admin.display(description="Id")
    def id_shown(self, contribution: Contribution) -> str:
        """Return the id by which the API knows it."""
        return code(contribution.pk)

    @admin.display(description="Request")
    def request_link(self, contribution: Contribution) -> str:
        """Return the id of the request."""
        return code(contribution.request_id)

    @admin.display(description="Game round")
    def gameround(self, contribution: Contribution) -> str:
        """Return the caller's id of the game round."""
        return code(contribution.gameround_id)

    def panels_after(
        self, request: HttpRequest, subject: Contribution, now: datetime
    ) -> list[Panel]:
        """Return what each pot gained, and the other legs of the request."""
        names = list(subject.instance.pots.order_by("position").values_list("name", flat=True))
        pots = [
            {"name": name, "amount": amount_text(amount, subject.currency)}
            for name, amount in zip(names, subject.pot_amounts, strict=False)
        ]
        hits = [names[position] for position in subject.hits]
        legs = (
            Contribution.objects.filter(request_id=subject.request_id)
            .select_related("instance", "source")
            .order_by("position")
        )
        context = {
            "legs": [
                {
                    "link": object_link(leg, leg.instance.name),
                    "is_this": leg.pk == subject.pk,
                    "role": self.role_shown(leg),
                    "status": self.status_shown(leg),
                    "amount": self.amount_shown(leg),
                }
                for leg in legs
            ],
            "pots": pots,
            "hits": hits,
            "wins_url": list_url("jackpots.win", q=subject.pk),
            "metadata": subject.metadata,
            "all_url": list_url("jackpots.contribution", q=subject.request_id),
        }
        return [Panel("The whole request", "admin/jackpots/request.html", context)]


def implied_period(request: HttpRequest) -> str:
    """Return the period that a list is narrowed to unasked: outcomes alone have no index."""
    asked = {name for name, value in request.GET.items() if value}
    has_index = {"period", "q", "instance__id__exact", "player__id__exact"}
    if asked & {"status__exact", "error_code"} and not asked & has_index:
        return _PERIOD_OF_OUTCOMES
    return ""


def first_id_at(instant_: datetime) -> UUID:
    """Return the least time-ordered id (UUID version 7) of an instant."""
    return UUID(int=int(instant_.timestamp() * 1000) << 80)
