"""The delivery log: every message to every endpoint, every attempt, and sending it again."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    DropdownFilter,
    RelatedDropdownFilter,
)
from unfold.enums import ActionVariant

from adapters.enums import DeliveryStatus
from adapters.models import DeliveryAttempt, WebhookDelivery
from adapters.selectors import list_delivery_attempts
from adapters.services import deliveries
from adapters.webhooks import sender
from adapters.webhooks.topics import TEST_TOPIC, TOPICS
from core.admin import LargeTableAdmin, Panel, ReasonForm, ServicePage
from core.admin.display import EMPTY, Tone, badge, code, instant, object_link
from core.admin.payload import payload_panel
from core.admin.search import parse_uuid

_TONES = {
    DeliveryStatus.PENDING: Tone.BUSY,
    DeliveryStatus.DELIVERED: Tone.GOOD,
    DeliveryStatus.FAILED: Tone.BAD,
}
# Of a delivery that was replayed again and again.
_ATTEMPTS_SHOWN_MAX = 50


class TopicFilter(DropdownFilter):
    """By what the message is about."""

    title = "topic"
    parameter_name = "topic"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the topics of the catalogue, and the test."""
        return [(name, name) for name in (*TOPICS, TEST_TOPIC)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the deliveries of the topic."""
        topic = self.value()
        return queryset.filter(topic=topic) if topic in {*TOPICS, TEST_TOPIC} else queryset


class ReplayPage(ServicePage[WebhookDelivery]):
    """Send a message again."""

    name = "replay"
    permission = "adapters.replay_webhookdelivery"
    verb = "Send again"
    icon = "replay"
    variant = ActionVariant.PRIMARY

    def consequences(self) -> list[str]:
        """Say what will happen."""
        told = [f"The same message is sent to {self.subject.endpoint} under the same webhook-id."]
        if self.subject.status == DeliveryStatus.DELIVERED:
            told.append("It took it before: a receiver that does not look at the id acts twice.")
        return told

    def obstacle(self) -> str:
        """Refuse what is on its way, and what has nowhere to go."""
        if self.subject.is_pending:
            return "It is on its way already."
        if not self.subject.endpoint.is_active:
            return "Its endpoint is switched off. Switch it on first."
        return ""

    def call(self, form: ReasonForm) -> str:
        """Queue it again."""
        deliveries.replay_delivery(
            operator=self.subject.operator,
            delivery_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return "The message is on its way again."


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LargeTableAdmin):
    """Look at what was sent, and send it again."""

    list_display = ("created", "topic", "endpoint_shown", "operator", "state", "attempts", "answer")
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("endpoint", RelatedDropdownFilter),
        ("status", ChoicesDropdownFilter),
        TopicFilter,
    )
    list_select_related = ("operator", "endpoint")
    search_fields = ("id",)
    search_help_text = "Search by the webhook-id or the delivery's id"
    fieldsets: ClassVar = [
        ("Message", {"fields": ["topic", "message_shown", "operator_link", "created"]}),
        ("Delivery", {"fields": ["endpoint_link", "state", "attempts", "next_attempt", "done"]}),
        ("Last answer", {"fields": ["answer", "error_shown"]}),
    ]
    pages = (ReplayPage,)
    empty_icon = "send"
    empty_text = "What happens is sent to webhook endpoints, and every message is kept here."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find deliveries by their exact id or their message's."""
        if not search_term.strip():
            return queryset, False
        wanted = parse_uuid(search_term)
        if wanted is None:
            return queryset.none(), False
        return queryset.filter(Q(pk=wanted) | Q(message_id=wanted)), False

    @admin.display(description="Created")
    def created(self, delivery: WebhookDelivery) -> str:
        """Return when it was queued first."""
        return instant(delivery.created_at)

    @admin.display(description="Endpoint")
    def endpoint_shown(self, delivery: WebhookDelivery) -> str:
        """Return the endpoint's address."""
        return code(delivery.endpoint.url)

    @admin.display(description="Endpoint")
    def endpoint_link(self, delivery: WebhookDelivery) -> str:
        """Return a link to the endpoint."""
        return object_link(delivery.endpoint)

    @admin.display(description="Operator")
    def operator_link(self, delivery: WebhookDelivery) -> str:
        """Return a link to the operator."""
        return object_link(delivery.operator)

    @admin.display(description="Status")
    def state(self, delivery: WebhookDelivery) -> str:
        """Return how far it is."""
        return status_badge(delivery)

    @admin.display(description="webhook-id")
    def message_shown(self, delivery: WebhookDelivery) -> str:
        """Return the id under which it is sent, every time."""
        return code(delivery.message_id)

    @admin.display(description="Next attempt")
    def next_attempt(self, delivery: WebhookDelivery) -> str:
        """Return when it is sent (again)."""
        if delivery.is_held:
            return "When the endpoint is switched on"
        return instant(delivery.next_attempt_at)

    @admin.display(description="Delivered")
    def done(self, delivery: WebhookDelivery) -> str:
        """Return when it was taken."""
        return instant(delivery.delivered_at)

    @admin.display(description="Last answer")
    def answer(self, delivery: WebhookDelivery) -> str:
        """Return the last status code."""
        return last_answer(delivery)

    @admin.display(description="What was wrong")
    def error_shown(self, delivery: WebhookDelivery) -> str:
        """Return the last error."""
        return delivery.last_error or EMPTY

    def panels_after(
        self, request: HttpRequest, subject: WebhookDelivery, now: datetime
    ) -> list[Panel]:
        """Return every attempt, and the body, as text and nothing else."""
        log = list_delivery_attempts(delivery=subject)[:_ATTEMPTS_SHOWN_MAX]
        rows = [_describe_attempt(attempt) for attempt in log]
        return [
            Panel("Attempts, newest first", "admin/adapters/attempts.html", {"rows": rows}),
            payload_panel("Body, as it is sent", sender.body_of(subject.message).decode()),
        ]


def status_badge(delivery: WebhookDelivery) -> str:
    """Return how far a delivery is, as a badge."""
    if delivery.is_held:
        return badge("Waiting", Tone.QUIET, title="Its endpoint is switched off")
    status = DeliveryStatus(delivery.status)
    return badge(status.label, _TONES[status])


def last_answer(delivery: WebhookDelivery) -> str:
    """Return the last status code, or that there was no answer."""
    if delivery.last_status_code is not None:
        return str(delivery.last_status_code)
    return "none" if delivery.last_error else EMPTY


def describe_delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    """Return a delivery as a row of its endpoint's page."""
    return {
        "link": object_link(delivery, instant(delivery.created_at)),
        "topic": delivery.topic,
        "status": status_badge(delivery),
        "attempts": delivery.attempts,
        "answer": last_answer(delivery),
    }


def _describe_attempt(attempt: DeliveryAttempt) -> dict[str, Any]:
    return {
        "at": instant(attempt.at),
        "status_code": attempt.status_code or "none",
        "took": f"{attempt.duration_ms:,} ms",
        "error": attempt.error or EMPTY,
        "excerpt": attempt.excerpt,
    }
