"""Issuances: what waits for a deposit or for its platform, and why it is not there yet."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    DropdownFilter,
    RelatedDropdownFilter,
)

from bonuses.admin.display import issuance_badge, references_text
from bonuses.admin.issue_pages import GiveUpIssuancePage, RetryIssuancePage
from bonuses.admin.search import of_player
from bonuses.enums import CLOSED_ISSUANCE_STATUSES, OPEN_ISSUANCE_STATUSES, IssuanceStatus
from bonuses.models import BonusGrant, BonusIssuance
from bonuses.rules.terms import Terms
from core.admin import LargeTableAdmin, Panel
from core.admin.display import EMPTY, code, instant, lines, money, object_link
from core.admin.search import parse_uuid
from core.admin.timeline import actor_text, decisions_about, timeline_panel

SAID = {
    "bonus.issuance.requested": "Asked for",
    "bonus.issuance.armed": "Armed by a deposit",
    "bonus.issuance.rejected": "Rejected by the platform",
    "bonus.issuance.retried": "Tried again by hand",
    "bonus.issuance.failed": "Given up",
}


class WaitingFilter(DropdownFilter):
    """Whether an issuance still waits for something."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("waiting", "Waiting"), ("settled", "Settled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the issuances in the state."""
        match self.value():
            case "waiting":
                return queryset.filter(status__in=OPEN_ISSUANCE_STATUSES)
            case "settled":
                return queryset.filter(status__in=CLOSED_ISSUANCE_STATUSES)
            case _:
                return queryset


@admin.register(BonusIssuance)
class BonusIssuanceAdmin(LargeTableAdmin):
    """Look at issuances; try a waiting one again, or give it up, through its own page."""

    list_display = (
        "asked_for",
        "player",
        "template",
        "operator",
        "status_shown",
        "attempts",
        "next_attempt",
        "problem",
    )
    list_display_links = ("asked_for",)
    list_filter = (
        ("operator", RelatedDropdownFilter),
        WaitingFilter,
        ("status", ChoicesDropdownFilter),
    )
    list_select_related = ("operator", "player", "template")
    search_fields = ("idempotency_key",)
    search_help_text = "Search by player id, or by the id of the issuance or of its grant"
    fieldsets: ClassVar = [
        (
            "Issuance",
            {
                "fields": [
                    "status_shown",
                    "template_link",
                    "player_link",
                    "operator_link",
                    "adapter_slug",
                    "id_shown",
                ]
            },
        ),
        ("Attempts", {"fields": ["attempts", "next_attempt", "problem", "settled"]}),
        ("The bonus", {"fields": ["bonus", "deposit", "grant_shown"]}),
        ("Asked for by", {"fields": ["asked_for", "asker", "granted_by", "references_shown"]}),
    ]
    pages = (RetryIssuancePage, GiveUpIssuancePage)
    empty_icon = "hourglass_empty"
    empty_text = (
        "An issuance is a bonus on its way: written down before the platform is asked. Those "
        "that wait for a deposit, or for a platform that does not answer, are found here."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find issuances by exact id, of themselves, of their grant, or of their player."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = parse_uuid(term)
        if wanted is not None:
            by_id = queryset.filter(pk=wanted)
            return (by_id if by_id.exists() else queryset.filter(grant_id=wanted)), False
        return of_player(queryset, term), False

    @admin.display(description="Asked for")
    def asked_for(self, issuance: BonusIssuance) -> str:
        """Return when it was asked for."""
        return instant(issuance.created_at)

    @admin.display(description="Status")
    def status_shown(self, issuance: BonusIssuance) -> str:
        """Return how far it is."""
        return issuance_badge(issuance)

    @admin.display(description="Next attempt")
    def next_attempt(self, issuance: BonusIssuance) -> str:
        """Return when it is tried again."""
        if not issuance.is_pending:
            return EMPTY
        if issuance.is_leased(now=timezone.now()):
            return "under way"
        return instant(issuance.next_attempt_at)

    @admin.display(description="Last error")
    def problem(self, issuance: BonusIssuance) -> str:
        """Return what went wrong the last time."""
        if not issuance.error_code:
            return EMPTY
        return lines([code(issuance.error_code), issuance.error_detail[:120]])

    @admin.display(description="Settled")
    def settled(self, issuance: BonusIssuance) -> str:
        """Return when it was over."""
        return instant(issuance.settled_at)

    @admin.display(description="Template")
    def template_link(self, issuance: BonusIssuance) -> str:
        """Return a link to the template."""
        return object_link(issuance.template)

    @admin.display(description="Player")
    def player_link(self, issuance: BonusIssuance) -> str:
        """Return a link to the player."""
        return object_link(issuance.player)

    @admin.display(description="Operator")
    def operator_link(self, issuance: BonusIssuance) -> str:
        """Return a link to the operator."""
        return object_link(issuance.operator)

    @admin.display(description="Id")
    def id_shown(self, issuance: BonusIssuance) -> str:
        """Return the id by which the API knows it."""
        return code(issuance.pk)

    @admin.display(description="Bonus")
    def bonus(self, issuance: BonusIssuance) -> str:
        """Return what the bonus will be, if that is worked out."""
        if issuance.terms is None:
            return "Worked out when the deposit comes"
        terms = Terms.from_json(issuance.terms)
        return money(terms.bonus_amount, terms.bonus_currency)

    @admin.display(description="Matched deposit")
    def deposit(self, issuance: BonusIssuance) -> str:
        """Return the deposit that is matched."""
        return money(issuance.deposit_amount, issuance.player.currency)

    @admin.display(description="Grant")
    def grant_shown(self, issuance: BonusIssuance) -> str:
        """Return a link to the grant, or the id that it will have."""
        if issuance.status != IssuanceStatus.SUCCEEDED:
            return lines([code(issuance.grant_id), "It is not there yet"])
        return object_link(BonusGrant.objects.filter(pk=issuance.grant_id).first())

    @admin.display(description="Who")
    def asker(self, issuance: BonusIssuance) -> str:
        """Return who asked for it."""
        return actor_text(issuance.actor_kind, issuance.actor_ref)

    @admin.display(description="Granted by")
    def granted_by(self, issuance: BonusIssuance) -> str:
        """Return what the caller said had granted it."""
        said = [issuance.granted_by_kind, issuance.granted_by_ref]
        return " ".join(each for each in said if each) or EMPTY

    @admin.display(description="References")
    def references_shown(self, issuance: BonusIssuance) -> str:
        """Return what the caller attached."""
        return references_text(issuance.references)

    def panels_after(
        self, request: HttpRequest, subject: BonusIssuance, now: datetime
    ) -> list[Panel]:
        """Return what was decided about it."""
        events = decisions_about(
            "bonuses.bonusissuance", [subject.pk], said=SAID, describe=lambda _after: ""
        )
        return [timeline_panel(events, nothing="Nothing is recorded of this issuance.")]
