"""Claims: what each player was given, how far the rollover is, and what became of it."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)

from core.admin import LargeTableAdmin, Panel
from core.admin.display import EMPTY, amount_text, code, instant, list_url, money, object_link
from core.admin.periods import SinceFilter
from core.admin.search import across_operators, parse_uuid
from core.admin.timeline import timeline_panel
from core.money import format_decimal
from players.models import Player
from promos.admin.cancelling import CancelClaimPage
from promos.admin.display import claim_badge, duration_text, factor, usd
from promos.admin.timeline import timeline_of
from promos.dashboard import PAID_AT, TAKEN_BACK_AT
from promos.models import UserPromo, WagerRecord
from promos.rules import can_be_code, canonical_code


class PaidFilter(SinceFilter):
    """By when a bonus was paid: what the cost of promos counts."""

    title = "bonus paid"
    parameter_name = "paid"
    instant = PAID_AT

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the claims of which something was paid in the period."""
        narrowed = super().queryset(request, queryset)
        return narrowed.filter(bonus_amount__gt=0) if self.value() else narrowed


class TakenBackFilter(SinceFilter):
    """By when something of a bonus was taken back: what the cost of promos leaves out."""

    title = "taken back"
    parameter_name = "taken_back"
    instant = TAKEN_BACK_AT

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the claims of which something was taken back in the period."""
        narrowed = super().queryset(request, queryset)
        return narrowed.filter(clawback_amount__gt=0) if self.value() else narrowed


@admin.register(UserPromo)
class UserPromoAdmin(LargeTableAdmin):
    """Look at claims; cancel an open one through its own page."""

    list_display = (
        "code_shown",
        "player",
        "operator",
        "status_shown",
        "bonus",
        "wagered",
        "claimed",
        "due",
    )
    list_display_links = ("code_shown",)
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("promo", AutocompleteSelectFilter),
        ("status", ChoicesDropdownFilter),
        PaidFilter,
        TakenBackFilter,
    )
    list_select_related = ("operator", "player", "promo")
    search_fields = ("player__reference",)
    search_help_text = "Search by player id, by the promo's code, or by the claim's id"
    fieldsets: ClassVar = [
        (
            "Claim",
            {
                "fields": [
                    "status_shown",
                    "code_shown",
                    "promo_link",
                    "player_link",
                    "operator_link",
                    "id_shown",
                ]
            },
        ),
        ("Given", {"fields": ["bonus", "rate_shown", "clawback", "shortfall"]}),
        ("Terms, as they were", {"fields": ["match", "floor", "to_wager", "time_to_wager"]}),
    ]
    pages = (CancelClaimPage,)
    empty_icon = "redeem"
    empty_text = (
        "Players claim a promo with POST /v1/promos/claim. Each claim is then seen here, with its "
        "bonus and how far it is rolled over."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find claims by exact id, of themselves or of their player, or by the promo's code."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = parse_uuid(term)
        if wanted is not None:
            return queryset.filter(pk=wanted), False
        players = list(across_operators(Player.objects.with_reference(term)))
        if players or not can_be_code(term):
            return queryset.filter(player__in=players), False
        return queryset.filter(promo__code_key=canonical_code(term)), False

    @admin.display(description="Code")
    def code_shown(self, claim: UserPromo) -> str:
        """Return the code that was claimed."""
        return code(claim.code)

    @admin.display(description="Status")
    def status_shown(self, claim: UserPromo) -> str:
        """Return the state of the claim."""
        return claim_badge(claim, now=timezone.now())

    @admin.display(description="Bonus")
    def bonus(self, claim: UserPromo) -> str:
        """Return what was given."""
        return money(claim.bonus_amount, claim.bonus_currency)

    @admin.display(description="Wagered")
    def wagered(self, claim: UserPromo) -> str:
        """Return how far the rollover is."""
        if claim.target_usd_amount is None:
            return EMPTY
        return f"{usd(claim.wagered_usd_amount)} of {usd(claim.target_usd_amount)}"

    @admin.display(description="Claimed")
    def claimed(self, claim: UserPromo) -> str:
        """Return when it was claimed."""
        return instant(claim.claimed_at)

    @admin.display(description="Due")
    def due(self, claim: UserPromo) -> str:
        """Return when an open claim expires."""
        return instant(claim.due_at) if claim.is_open else EMPTY

    @admin.display(description="Promo")
    def promo_link(self, claim: UserPromo) -> str:
        """Return a link to the promo."""
        return object_link(claim.promo)

    @admin.display(description="Player")
    def player_link(self, claim: UserPromo) -> str:
        """Return a link to the player."""
        return object_link(claim.player)

    @admin.display(description="Operator")
    def operator_link(self, claim: UserPromo) -> str:
        """Return a link to the operator."""
        return object_link(claim.operator)

    @admin.display(description="Id")
    def id_shown(self, claim: UserPromo) -> str:
        """Return the id by which the API knows it."""
        return code(claim.pk)

    @admin.display(description="Rate")
    def rate_shown(self, claim: UserPromo) -> str:
        """Return the rate at which the bonus was converted."""
        if claim.rate is None:
            return "No conversion"
        source = claim.promo.currency or "USD"
        return f"1 {source} = {format_decimal(claim.rate)} {claim.bonus_currency}"

    @admin.display(description="Taken back")
    def clawback(self, claim: UserPromo) -> str:
        """Return what was taken back at the end."""
        return money(claim.clawback_amount, claim.bonus_currency)

    @admin.display(description="Due, but not there")
    def shortfall(self, claim: UserPromo) -> str:
        """Return what was due and the balance did not hold."""
        return money(claim.clawback_shortfall, claim.bonus_currency)

    @admin.display(description="Match")
    def match(self, claim: UserPromo) -> str:
        """Return what of the deposit is matched, and up to what."""
        if claim.bonus_multiplier is None:
            return EMPTY
        cap = usd(claim.max_bonus_usd_amount)
        return f"{format_decimal(claim.bonus_multiplier * 100)} %, up to {cap}"

    @admin.display(description="Smallest deposit")
    def floor(self, claim: UserPromo) -> str:
        """Return the floor."""
        return usd(claim.min_deposit_usd_to_activate)

    @admin.display(description="To wager")
    def to_wager(self, claim: UserPromo) -> str:
        """Return what must be wagered."""
        if claim.wager_usd_amount_to_complete is not None:
            return usd(claim.wager_usd_amount_to_complete)
        if claim.wager_multiplier_to_complete is None:
            return "Nothing"
        return f"{factor(claim.wager_multiplier_to_complete)} the bonus"

    @admin.display(description="Time to wager it")
    def time_to_wager(self, claim: UserPromo) -> str:
        """Return how long the rollover may take."""
        seconds = claim.time_seconds_to_complete
        return EMPTY if seconds is None else duration_text(seconds)

    def panels_before(self, request: HttpRequest, subject: UserPromo, now: datetime) -> list[Panel]:
        """Return how far the rollover is."""
        if subject.target_usd_amount is None:
            return []
        context = {
            **progress_of(subject),
            "bets": WagerRecord.objects.filter(user_promo=subject, usd_amount__gt=0).count(),
            "due": instant(subject.due_at) if subject.is_open else "",
        }
        return [Panel("Rollover", "admin/promos/progress.html", context)]

    def panels_after(self, request: HttpRequest, subject: UserPromo, now: datetime) -> list[Panel]:
        """Return everything that happened to the claim, oldest first, and its locks."""
        locks = [
            {
                "link": object_link(lock, lock.get_source_display()),
                "until": instant(lock.until),
                "is_running": lock.lifted_at is None and lock.until > now,
                "lifted": instant(lock.lifted_at),
                "reason": lock.lift_reason,
            }
            for lock in subject.withdrawal_locks.order_by("pk")
        ]
        panels = [
            timeline_panel(timeline_of(subject), nothing="Nothing is recorded of this claim.")
        ]
        if locks:
            panels.append(Panel("Withdrawal locks", "admin/promos/locks.html", {"locks": locks}))
        return panels


def progress_of(user_promo: UserPromo) -> dict[str, Any]:
    """Return how far a rollover is, for a bar and for people; never more than all of it."""
    target = user_promo.target_usd_amount
    assert target is not None, f"{user_promo} has no rollover"
    done = 100 if target == 0 else int(min(user_promo.wagered_usd_amount / target, 1) * 100)
    return {
        "percent": done,
        "wagered": usd(user_promo.wagered_usd_amount),
        "target": usd(target),
        "left": usd(max(target - user_promo.wagered_usd_amount, target * 0)),
        "bonus": amount_text(user_promo.bonus_amount, user_promo.bonus_currency),
        "claims_url": list_url("promos.userpromo", player__id__exact=user_promo.player_id),
    }
