"""What platforms told us of bonuses, and what came of each: every event is answered once."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from bonuses.admin.display import outcome_badge
from bonuses.admin.search import adapter_slugs
from bonuses.enums import GrantStatus
from bonuses.models import PlatformEvent
from core.admin import LargeTableAdmin, Panel
from core.admin.display import EMPTY, code, instant, lines, muted, object_link
from core.admin.payload import payload_panel
from core.admin.search import parse_uuid

_ID_SHOWN_MAX = 40


@admin.register(PlatformEvent)
class PlatformEventAdmin(LargeTableAdmin):
    """Look at platform events (the seed's webhook_events_processed)."""

    list_display = ("received", "what", "whose", "adapter_slug", "result")
    list_filter = (("operator", RelatedDropdownFilter), ("outcome", ChoicesDropdownFilter))
    list_select_related = ("operator", "grant__player", "issuance__player")
    search_fields = ("event_id",)
    search_help_text = "Search by event id, or by the id of a grant"
    fieldsets: ClassVar = [
        ("Event", {"fields": ["type", "name", "adapter_slug", "operator_link", "received"]}),
        ("What came of it", {"fields": ["result", "status_then", "applied", "subject", "digest"]}),
    ]
    has_history = False
    empty_icon = "webhook"
    empty_text = (
        "Platforms tell what becomes of their bonuses with "
        "POST /v1/adapters/{slug}/webhooks/bonus-events. Each event is then seen here."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find events by their exact id, or by their grant's."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = parse_uuid(term)
        if wanted is not None:
            of_grant = queryset.filter(grant=wanted)
            if of_grant.exists():
                return of_grant, False
        return queryset.filter(adapter_slug__in=adapter_slugs(PlatformEvent), event_id=term), False

    @admin.display(description="Received")
    def received(self, event: PlatformEvent) -> str:
        """Return when it was answered first."""
        return instant(event.received_at)

    @admin.display(description="Event")
    def what(self, event: PlatformEvent) -> str:
        """Return what it tells, and its id."""
        return lines([event.type, muted(event.event_id[:_ID_SHOWN_MAX])])

    @admin.display(description="Player")
    def whose(self, event: PlatformEvent) -> str:
        """Return whose grant it is about, with a link to it, and at which operator."""
        about = event.grant or event.issuance
        if about is None:
            return EMPTY
        return lines([object_link(about, about.player.reference), muted(event.operator)])

    @admin.display(description="Grant")
    def grant_link(self, event: PlatformEvent) -> str:
        """Return a link to the grant it is about; while there is none, to its issuance."""
        return object_link(event.grant or event.issuance)

    subject = grant_link

    @admin.display(description="Outcome")
    def result(self, event: PlatformEvent) -> str:
        """Return what came of it."""
        return outcome_badge(event)

    @admin.display(description="Event id")
    def name(self, event: PlatformEvent) -> str:
        """Return the id that the platform gave it."""
        return code(event.event_id)

    @admin.display(description="Operator")
    def operator_link(self, event: PlatformEvent) -> str:
        """Return a link to the operator."""
        return object_link(event.operator)

    @admin.display(description="The grant was then")
    def status_then(self, event: PlatformEvent) -> str:
        """Return the state of the grant after it."""
        return GrantStatus(event.new_status).label if event.new_status else EMPTY

    @admin.display(description="Applied")
    def applied(self, event: PlatformEvent) -> str:
        """Return when it had its effect."""
        return instant(event.applied_at)

    def panels_after(
        self, request: HttpRequest, subject: PlatformEvent, now: datetime
    ) -> list[Panel]:
        """Return what the platform sent."""
        return [payload_panel("What it says", subject.payload)]
