"""The inbox: what platforms sent us, as it came, and what came of it."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from adapters.enums import MessageOutcome
from adapters.models import AdapterConfig, WebhookMessage
from core.admin import LargeTableAdmin, Panel
from core.admin.display import (
    EMPTY,
    Tone,
    badge,
    code,
    instant,
    link,
    list_url,
    object_link,
)
from core.admin.payload import payload_panel

_TONES = {
    MessageOutcome.RECEIVED: Tone.BAD,
    MessageOutcome.APPLIED: Tone.GOOD,
    MessageOutcome.PARKED: Tone.WARNING,
    MessageOutcome.REFUSED: Tone.BAD,
}


@admin.register(WebhookMessage)
class WebhookMessageAdmin(LargeTableAdmin):
    """Look at webhooks as they came."""

    list_display = (
        "received",
        "adapter_slug",
        "operator",
        "event",
        "result",
        "status_code",
        "delivery_count",
    )
    list_filter = (("operator", RelatedDropdownFilter), ("outcome", ChoicesDropdownFilter))
    list_select_related = ("operator",)
    search_fields = ("webhook_id",)
    search_help_text = "Search by adapter, webhook-id, or event id"
    fieldsets: ClassVar = [
        ("Message", {"fields": ["adapter_slug", "operator_link", "received", "times"]}),
        ("Headers", {"fields": ["webhook_id_shown", "signed", "signatures_shown", "digest_shown"]}),
        ("What came of it", {"fields": ["result", "status_code", "detail_shown", "event_link"]}),
    ]
    has_history = False
    empty_icon = "inbox"
    empty_text = (
        "Platforms send events to POST /v1/adapters/{slug}/webhooks/bonus-events. Each that is "
        "signed is kept here as it came, before anybody interprets it."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find messages by their adapter, or by their exact id or their event's."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if "\x00" in term:
            return queryset.none(), False
        if AdapterConfig.objects.with_slug(term).exists():
            return queryset.filter(adapter_slug=term), False
        # An index leads with the adapter: naming all of them lets the database use it.
        slugs = list(AdapterConfig.objects.values_list("slug", flat=True))
        known = Q(webhook_id=term) | Q(event_id=term)
        return queryset.filter(known, adapter_slug__in=slugs), False

    @admin.display(description="Received")
    def received(self, message: WebhookMessage) -> str:
        """Return when it came first."""
        return instant(message.received_at)

    @admin.display(description="Event")
    def event(self, message: WebhookMessage) -> str:
        """Return the event's id, if it could be read."""
        return code(message.event_id)

    @admin.display(description="Outcome")
    def result(self, message: WebhookMessage) -> str:
        """Return what came of it."""
        outcome = MessageOutcome(message.outcome)
        return badge(outcome.label, _TONES.get(outcome, Tone.QUIET))

    @admin.display(description="Operator")
    def operator_link(self, message: WebhookMessage) -> str:
        """Return a link to the operator."""
        return object_link(message.operator)

    @admin.display(description="Deliveries")
    def times(self, message: WebhookMessage) -> str:
        """Return how often it came."""
        if message.delivery_count == 1:
            return "Once"
        return f"{message.delivery_count:,} times"

    @admin.display(description="webhook-id")
    def webhook_id_shown(self, message: WebhookMessage) -> str:
        """Return the sender's id of the message."""
        return code(message.webhook_id)

    @admin.display(description="webhook-timestamp")
    def signed(self, message: WebhookMessage) -> str:
        """Return when it was signed, by the sender's clock."""
        return instant(message.signed_at)

    @admin.display(description="webhook-signature")
    def signatures_shown(self, message: WebhookMessage) -> str:
        """Return the signatures; they prove this message only, and tell nothing of the secret."""
        return code(message.signatures)

    @admin.display(description="SHA-256 of the body")
    def digest_shown(self, message: WebhookMessage) -> str:
        """Return the digest of the body."""
        return code(message.digest)

    @admin.display(description="Why it was refused")
    def detail_shown(self, message: WebhookMessage) -> str:
        """Return what was wrong with it."""
        return message.detail or EMPTY

    @admin.display(description="Its event")
    def event_link(self, message: WebhookMessage) -> str:
        """Return a link to the event, where it has been answered."""
        if not message.event_id:
            return EMPTY
        return link(list_url("bonuses.platformevent", q=message.event_id), message.event_id)

    def panels_after(
        self, request: HttpRequest, subject: WebhookMessage, now: datetime
    ) -> list[Panel]:
        """Return the body, as text and nothing else."""
        body = bytes(subject.body).decode(errors="backslashreplace")
        return [payload_panel("Body, as it came", body)]
