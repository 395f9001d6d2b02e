"""Promos: what each has brought and cost, its terms in numbers, and every change of it."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    DropdownFilter,
    RelatedDropdownFilter,
)

from core.admin import NamedRowsAdmin, Panel
from core.admin.display import (
    EMPTY,
    amount_text,
    code,
    instant,
    lines,
    list_url,
    money,
    object_link,
)
from core.money import format_decimal
from promos.admin.batches import MakeBatchPage, describe_batch
from promos.admin.display import (
    USD,
    condition_sentences,
    duration_text,
    example_sentences,
    factor,
    promo_badge,
    terms_of,
    usd,
)
from promos.admin.editing import (
    AddPromoPage,
    ArchivePromoPage,
    ClaimsLeftPage,
    EditPromoPage,
    GamesPage,
)
from promos.enums import PromoType
from promos.models import CodeBatch, Promo
from promos.selectors import PromoFigures, list_promo_games, read_promo_figures

_BATCHES_SHOWN_MAX = 10
_CENT = Decimal("0.01")


class StateFilter(DropdownFilter):
    """By whether a promo can be claimed, and if not, why."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the states."""
        return [
            ("active", "Active"),
            ("off", "Switched off"),
            ("expired", "Expired"),
            ("used", "Used up"),
            ("archived", "Archived"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the promos in the state."""
        now = timezone.now()
        expired = Q(expires_at__lte=now)
        match self.value():
            case "active":
                live = queryset.filter(is_active=True, archived_at=None)
                return live.exclude(expired).exclude(claims_left=0).exclude(starts_at__gt=now)
            case "off":
                return queryset.filter(is_active=False, archived_at=None)
            case "expired":
                return queryset.filter(expired, archived_at=None)
            case "used":
                return queryset.filter(claims_left=0, archived_at=None)
            case "archived":
                return queryset.exclude(archived_at=None)
            case _:
                return queryset


@admin.register(Promo)
class PromoAdmin(NamedRowsAdmin):
    """Look at promos; make, change and archive them through their own pages."""

    list_display = (
        "code",
        "what",
        "operator",
        "state",
        "claims",
        "left",
        "cost",
        "expires",
    )
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("type", ChoicesDropdownFilter),
        StateFilter,
    )
    list_select_related = ("operator",)
    search_fields = ("code",)
    search_help_text = "Search by code or id"
    fieldsets: ClassVar = [
        (
            "Promo",
            {"fields": ["code", "title_shown", "type", "state", "operator_link", "id_shown"]},
        ),
        (
            "Bonus",
            {"fields": ["bonus", "largest_bonus", "smallest_deposit", "to_wager", "time_to_wager"]},
        ),
        ("With the claim", {"fields": ["lock", "vault"]}),
        ("When, and how often", {"fields": ["starts", "expires", "left", "created", "archived"]}),
    ]
    add_page = AddPromoPage
    pages = (EditPromoPage, GamesPage, MakeBatchPage, ClaimsLeftPage, ArchivePromoPage)
    empty_icon = "redeem"
    empty_text = (
        "A promo is a code that players claim: an instant bonus, or a match of their next "
        "deposit that they roll over on a list of games. Create the first one."
    )

    def complete_rows(self, rows: list[Promo]) -> None:
        """Give each row its figures, all read in one statement."""
        figures = read_promo_figures(promo_ids=[row.pk for row in rows])
        for row in rows:
            row.figures = figures[row.pk]  # type: ignore[attr-defined]

    @admin.display(description="Title")
    def title_shown(self, promo: Promo) -> str:
        """Return what staff call it."""
        return promo.title or EMPTY

    @admin.display(description="Title and type")
    def what(self, promo: Promo) -> str:
        """Return what staff call it, and its type."""
        kind = format_html('<span class="wf-muted">{}</span>', promo.get_type_display())
        return lines([promo.title, kind] if promo.title else [kind])

    @admin.display(description="State")
    def state(self, promo: Promo) -> str:
        """Return whether it can be claimed now."""
        return promo_badge(promo, now=timezone.now())

    @admin.display(description="Claims")
    def claims(self, promo: Promo) -> str:
        """Return how often it was claimed."""
        figures: PromoFigures = promo.figures  # type: ignore[attr-defined]
        return f"{figures.claim_count:,}"

    @admin.display(description="Left")
    def left(self, promo: Promo) -> str:
        """Return how often it can still be claimed."""
        return "no limit" if promo.claims_left is None else f"{promo.claims_left:,}"

    @admin.display(description="Cost")
    def cost(self, promo: Promo) -> str:
        """Return the bonuses credited less what was taken back, in US dollars."""
        return cost_shown(promo.figures)  # type: ignore[attr-defined]

    @admin.display(description="Operator")
    def operator_link(self, promo: Promo) -> str:
        """Return a link to the operator."""
        return object_link(promo.operator)

    @admin.display(description="Id")
    def id_shown(self, promo: Promo) -> str:
        """Return the id by which the API knows it."""
        return code(promo.pk)

    @admin.display(description="Bonus")
    def bonus(self, promo: Promo) -> str:
        """Return what a claim gives."""
        if promo.type == PromoType.INSTANT:
            return f"{amount_text(promo.amount, promo.currency)} at the claim"
        assert promo.bonus_multiplier is not None, f"{promo} matches nothing"
        return f"{format_decimal(promo.bonus_multiplier * 100)} % of the deposit"

    @admin.display(description="Largest bonus")
    def largest_bonus(self, promo: Promo) -> str:
        """Return the cap."""
        return usd(promo.max_bonus_usd_amount)

    @admin.display(description="Smallest deposit")
    def smallest_deposit(self, promo: Promo) -> str:
        """Return the floor."""
        return usd(promo.min_deposit_usd_to_activate)

    @admin.display(description="To wager")
    def to_wager(self, promo: Promo) -> str:
        """Return what must be wagered."""
        if promo.wager_usd_amount_to_complete is not None:
            return usd(promo.wager_usd_amount_to_complete)
        if promo.wager_multiplier_to_complete is None:
            return "Nothing"
        return f"{factor(promo.wager_multiplier_to_complete)} the bonus"

    @admin.display(description="Time to wager it")
    def time_to_wager(self, promo: Promo) -> str:
        """Return how long the rollover may take."""
        seconds = promo.time_seconds_to_complete
        return EMPTY if seconds is None else duration_text(seconds)

    @admin.display(description="Withdrawals")
    def lock(self, promo: Promo) -> str:
        """Return for how long a claim locks withdrawals."""
        hours = promo.lock_withdraw_on_claim_hours
        return f"Locked for {duration_text(hours * 3600)}" if hours else "Not locked"

    @admin.display(description="Vault")
    def vault(self, promo: Promo) -> str:
        """Return whether a claim moves the balance into the vault."""
        return "The main balance moves into it" if promo.auto_vault_on_claim else "Not touched"

    @admin.display(description="Starts")
    def starts(self, promo: Promo) -> str:
        """Return from when on it can be claimed."""
        return instant(promo.starts_at) if promo.starts_at else "at once"

    @admin.display(description="Expires")
    def expires(self, promo: Promo) -> str:
        """Return until when it can be claimed."""
        return instant(promo.expires_at) if promo.expires_at else "never"

    @admin.display(description="Created")
    def created(self, promo: Promo) -> str:
        """Return when it was made."""
        return instant(promo.created_at)

    @admin.display(description="Archived")
    def archived(self, promo: Promo) -> str:
        """Return when it was archived."""
        return instant(promo.archived_at)

    def panels_before(self, request: HttpRequest, subject: Promo, now: datetime) -> list[Panel]:
        """Return its figures, and what its terms do in numbers."""
        figures = read_promo_figures(promo_ids=[subject.pk])[subject.pk]
        context: dict[str, Any] = {
            "claims": f"{figures.claim_count:,}",
            "left": self.left(subject),
            "cost": cost_shown(figures),
            "examples": example_sentences(terms_of(subject), promo_type=PromoType(subject.type)),
            "conditions": condition_sentences(subject),
        }
        if request.user.has_perm("promos.view_userpromo"):
            context["claims_url"] = list_url("promos.userpromo", promo__id__exact=subject.pk)
        return [Panel("In numbers", "admin/promos/numbers.html", context)]

    def panels_after(self, request: HttpRequest, subject: Promo, now: datetime) -> list[Panel]:
        """Return its games, if it rolls over, and its batches of single-use codes."""
        panels = []
        if subject.type == PromoType.DEPOSIT:
            rows = [
                {
                    "game": object_link(row.game, row.game.name),
                    "counts": factor(row.wager_multiplier),
                    "max_bet": "no limit"
                    if row.max_bet_amount is None
                    else money(row.max_bet_amount, USD),
                }
                for row in list_promo_games(promo=subject)
            ]
            context: dict[str, Any] = {
                "rows": rows,
                "promo": subject,
                "can_edit": request.user.has_perm(GamesPage.permission)
                and subject.archived_at is None,
            }
            panels.append(Panel("Games", "admin/promos/games.html", context))
        if request.user.has_perm("promos.view_codebatch"):
            newest = CodeBatch.objects.filter(promo=subject).order_by("-pk")[:_BATCHES_SHOWN_MAX]
            context = {
                "batches": [describe_batch(batch) for batch in newest],
                "all_url": list_url("promos.codebatch", promo__id__exact=subject.pk),
            }
            panels.append(
                Panel("Batches of single-use codes", "admin/promos/batches.html", context)
            )
        return panels


def cost_shown(figures: PromoFigures) -> str:
    """Return what a promo cost, and how many bonuses had no rate to be counted at."""
    cost = money(figures.cost_usd.quantize(_CENT), USD)
    if not figures.unpriced_count:
        return cost
    return lines([cost, format_html("and {} bonuses without a rate", figures.unpriced_count)])
