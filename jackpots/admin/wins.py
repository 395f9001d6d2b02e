"""Wins: the queue of those that wait for a second person, and everything that became of each."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)

from core.admin import Panel, ReadOnlyAdmin
from core.admin.base import UncountedPaginator
from core.admin.display import (
    EMPTY,
    amount_text,
    code,
    instant,
    lines,
    link,
    list_url,
    money,
    muted,
    object_link,
)
from core.admin.search import across_operators, parse_uuid
from core.admin.timeline import actor_text, timeline_panel
from core.money import format_decimal
from jackpots.admin.display import page_links, win_badge
from jackpots.admin.win_pages import ApproveWinPage, RejectWinPage, RetryWinPage
from jackpots.admin.win_timeline import timeline_of
from jackpots.enums import WinStatus
from jackpots.models import Win
from players.models import Player


@admin.register(Win)
class WinAdmin(ReadOnlyAdmin):
    """
    Look at wins; approve, reject or retry one through its own page.

    Newest first: ids do not follow time, because a win that a contribution caused has the
    id that the contribution's answer named.
    """

    # No list of all wins is ever counted: raffles may have many prizes.
    paginator = UncountedPaginator
    show_full_result_count = False
    list_display = ("found", "what", "whose", "amount_shown", "cause", "status_shown", "decide")
    list_display_links = ("found",)
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("instance", AutocompleteSelectFilter),
        ("status", ChoicesDropdownFilter),
        ("cause", ChoicesDropdownFilter),
    )
    list_select_related = ("operator", "instance", "pot", "player", "prize")
    list_before_template: Any = "admin/jackpots/wins_queue.html"
    ordering = ("-found_at", "-pk")
    search_fields = ("platform_payout_id",)
    search_help_text = "Search by win id, contribution id, or player id"
    fieldsets: ClassVar = [
        (
            "Win",
            {
                "fields": [
                    "status_shown",
                    "amount_shown",
                    "player_link",
                    "instance_link",
                    "pot_shown",
                    "operator_link",
                    "id_shown",
                ]
            },
        ),
        (
            "How it was won",
            {"fields": ["cause", "found", "initiator", "contribution_link", "draw_shown"]},
        ),
        ("Hidden amount, revealed", {"fields": ["trigger_shown", "nonce", "commitment_text"]}),
        ("Decision", {"fields": ["decided", "decided_by", "decision_reason_shown"]}),
        (
            "Payout",
            {
                "fields": [
                    "payout",
                    "payout_rate_shown",
                    "paid",
                    "adapter_shown",
                    "platform_id",
                    "attempts",
                    "next_attempt",
                    "last_error_shown",
                ]
            },
        ),
    ]
    pages = (ApproveWinPage, RejectWinPage, RetryWinPage)
    empty_icon = "trophy"
    empty_text = (
        "Nobody has won yet. A pot drops by its terms or by hand, and a raffle is drawn when it "
        "closes; each win is listed here until it is paid, and after."
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the groups of fields that say something about the win."""
        if obj is None or obj.trigger is not None:
            return self.fieldsets
        return [group for group in self.fieldsets if "trigger_shown" not in group[1]["fields"]]

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the columns; the one that decides only for who may."""
        if request.user.has_perm(ApproveWinPage.permission):
            return self.list_display
        return tuple(name for name in self.list_display if name != "decide")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the list, and above it how many wait for a second person."""
        waiting = Win.objects.filter(status=WinStatus.AWAITING_APPROVAL)
        context = {
            **(extra_context or {}),
            "waiting_count": waiting.count(),
            "queue_url": list_url("jackpots.win", status__exact=WinStatus.AWAITING_APPROVAL.value),
            "is_queue": request.GET.get("status__exact") == WinStatus.AWAITING_APPROVAL,
        }
        return super().changelist_view(request, context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find wins by exact id: their own, their contribution's, or their player's."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = parse_uuid(term)
        if wanted is not None:
            return queryset.filter(Q(pk=wanted) | Q(contribution=wanted)), False
        players = list(across_operators(Player.objects.with_reference(term)))
        return queryset.filter(player__in=players), False

    @admin.display(description="Found")
    def found(self, win: Win) -> str:
        """Return when it was found."""
        return instant(win.found_at)

    @admin.display(description="Of")
    def what(self, win: Win) -> str:
        """Return which pot, or which prize, of which instance."""
        won = win.prize or win.pot
        return lines([win.instance, muted(f"{won}, {win.operator}")])

    @admin.display(description="Player")
    def whose(self, win: Win) -> str:
        """Return who has won."""
        return str(win.player)

    @admin.display(description="Amount")
    def amount_shown(self, win: Win) -> str:
        """Return what was won, in the instance's currency."""
        return money(win.amount, win.currency)

    @admin.display(description="Status")
    def status_shown(self, win: Win) -> str:
        """Return how far it is on its way to the player."""
        return win_badge(win)

    @admin.display(description="Decide")
    def decide(self, win: Win) -> str:
        """Return links to the pages that decide upon a win that waits."""
        if win.status != WinStatus.AWAITING_APPROVAL:
            return EMPTY
        return page_links(win, (ApproveWinPage, RejectWinPage))

    @admin.display(description="Player")
    def player_link(self, win: Win) -> str:
        """Return a link to the player."""
        return object_link(win.player)

    @admin.display(description="Instance")
    def instance_link(self, win: Win) -> str:
        """Return a link to the instance."""
        return object_link(win.instance)

    @admin.display(description="Pot")
    def pot_shown(self, win: Win) -> str:
        """Return the pot, and its cycle that the win ended."""
        return f"{win.pot}, cycle {win.cycle}"

    @admin.display(description="Operator")
    def operator_link(self, win: Win) -> str:
        """Return a link to the operator."""
        return object_link(win.operator)

    @admin.display(description="Id")
    def id_shown(self, win: Win) -> str:
        """Return the id by which the API knows it."""
        return code(win.pk)

    @admin.display(description="Initiated by")
    def initiator(self, win: Win) -> str:
        """Return who found it, or asked for it: they cannot approve it."""
        return actor_text(win.initiated_by_kind, win.initiated_by_ref)

    @admin.display(description="Won by the contribution")
    def contribution_link(self, win: Win) -> str:
        """Return a link to the contribution that won."""
        return object_link(win.contribution) if win.contribution_id else EMPTY

    @admin.display(description="Drawn as")
    def draw_shown(self, win: Win) -> str:
        """Return the prize and its place in the draw."""
        if win.draw_id is None:
            return EMPTY
        url = reverse("admin:jackpots_instance_verification", args=[win.instance_id])
        place = f"{win.prize or 'The whole pot'}, number {win.draw_position} of the draw"
        return lines([place, link(url, "Verify the draw")])

    @admin.display(description="It dropped at")
    def trigger_shown(self, win: Win) -> str:
        """Return the amount that was hidden until the win."""
        return amount_text(win.trigger, win.currency)

    @admin.display(description="Nonce")
    def nonce(self, win: Win) -> str:
        """Return what keeps the commitment from being guessed."""
        return code(win.trigger_nonce)

    @admin.display(description="Its SHA-256 was published")
    def commitment_text(self, win: Win) -> str:
        """Return the text whose SHA-256 was published when the cycle began."""
        return code(f"{win.pot_id}:{win.cycle}:{win.trigger}:{win.trigger_nonce}")

    @admin.display(description="Decided")
    def decided(self, win: Win) -> str:
        """Return when it was approved or rejected."""
        return instant(win.decided_at)

    @admin.display(description="By")
    def decided_by(self, win: Win) -> str:
        """Return who approved or rejected it."""
        if not win.decided_by_ref:
            return EMPTY
        return actor_text(win.decided_by_kind, win.decided_by_ref)

    @admin.display(description="Because")
    def decision_reason_shown(self, win: Win) -> str:
        """Return why."""
        return win.decision_reason or EMPTY

    @admin.display(description="Paid out")
    def payout(self, win: Win) -> str:
        """Return what the player got, in their own currency."""
        return money(win.payout_amount, win.payout_currency) if win.payout_currency else EMPTY

    @admin.display(description="Rate")
    def payout_rate_shown(self, win: Win) -> str:
        """Return the rate that was in force when it was paid."""
        if win.payout_rate is None or win.payout_currency == win.currency:
            return "No conversion"
        return f"1 {win.currency} = {format_decimal(win.payout_rate)} {win.payout_currency}"

    @admin.display(description="Paid")
    def paid(self, win: Win) -> str:
        """Return when it was paid."""
        return instant(win.paid_at)

    @admin.display(description="Through")
    def adapter_shown(self, win: Win) -> str:
        """Return the adapter that pays it, where the wallet is outside."""
        return win.adapter_slug or EMPTY

    @admin.display(description="The platform's id")
    def platform_id(self, win: Win) -> str:
        """Return the id by which the platform knows the payout."""
        return code(win.platform_payout_id)

    @admin.display(description="Next attempt")
    def next_attempt(self, win: Win) -> str:
        """Return when it is tried (again)."""
        return instant(win.next_attempt_at)

    @admin.display(description="What went wrong last")
    def last_error_shown(self, win: Win) -> str:
        """Return why the last attempt failed."""
        return win.last_error or EMPTY

    def panels_after(self, request: HttpRequest, subject: Win, now: datetime) -> list[Panel]:
        """Return everything that happened to the win."""
        return [timeline_panel(timeline_of(subject), nothing="Nothing is recorded of this win.")]
