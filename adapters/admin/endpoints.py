"""Webhook endpoints: which servers of operators hear from us, and whether they do."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter

from adapters.admin.deliveries import describe_delivery
from adapters.admin.endpoint_pages import (
    AddEndpointPage,
    DisableEndpointPage,
    EditEndpointPage,
    EnableEndpointPage,
    RotateSecretPage,
    TestEndpointPage,
)
from adapters.models import WebhookEndpoint
from adapters.selectors import FAILING_LONG
from core.admin import Panel, ReadOnlyAdmin
from core.admin.display import (
    EMPTY,
    Tone,
    badge,
    code,
    instant,
    instant_text,
    lines,
    list_url,
    object_link,
)
from core.admin.search import parse_uuid

_DELIVERIES_SHOWN_MAX = 10


class EndpointStateFilter(DropdownFilter):
    """By whether an endpoint is on, and whether it takes what it is sent."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the states."""
        return [
            ("on", "On"),
            ("failing", "Failing"),
            ("failing-long", "Failing for over an hour"),
            ("off", "Switched off"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the endpoints in the state."""
        match self.value():
            case "on":
                return queryset.filter(is_active=True)
            case "failing":
                return queryset.filter(is_active=True, failing_since__isnull=False)
            case "failing-long":
                long_ago = timezone.now() - FAILING_LONG
                return queryset.filter(is_active=True, failing_since__lte=long_ago)
            case "off":
                return queryset.filter(is_active=False)
            case _:
                return queryset


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    """Look at endpoints, never at their secrets; change them through their own pages."""

    list_display = ("address", "operator", "state", "hears_of", "described", "created")
    list_filter = (("operator", RelatedDropdownFilter), EndpointStateFilter)
    list_select_related = ("operator",)
    search_fields = ("url",)
    search_help_text = "Search by a part of the address, or by id"
    fieldsets: ClassVar = [
        ("Endpoint", {"fields": ["address", "operator_link", "state", "described", "id_shown"]}),
        ("What it hears of", {"fields": ["hears_of"]}),
        ("Signing", {"fields": ["secret_state"]}),
        ("Dates", {"fields": ["created", "failing"]}),
    ]
    add_page = AddEndpointPage
    pages = (
        TestEndpointPage,
        EditEndpointPage,
        RotateSecretPage,
        EnableEndpointPage,
        DisableEndpointPage,
    )
    empty_icon = "outbound"
    empty_text = (
        "An endpoint is an address of an operator that we tell what happens: bonuses issued, "
        "promos claimed. Add the first one here or through POST /v1/webhook-endpoints."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find endpoints by a part of their address, or by their exact id."""
        if "\x00" in search_term:
            return queryset.none(), False
        wanted = parse_uuid(search_term)
        if wanted is not None:
            return queryset.filter(pk=wanted), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(
            request, queryset, search_term
        )
        return found

    @admin.display(description="Address")
    def address(self, endpoint: WebhookEndpoint) -> str:
        """Return where it is."""
        return code(endpoint.url)

    @admin.display(description="Operator")
    def operator_link(self, endpoint: WebhookEndpoint) -> str:
        """Return a link to the operator."""
        return object_link(endpoint.operator)

    @admin.display(description="State")
    def state(self, endpoint: WebhookEndpoint) -> str:
        """Return whether it is on, and since when it has been failing."""
        if not endpoint.is_active:
            return lines([badge("Switched off", Tone.QUIET), endpoint.disabled_reason])
        if endpoint.failing_since is not None:
            since = f"since {instant_text(endpoint.failing_since)} UTC"
            return lines([badge("Failing", Tone.BAD), since])
        return badge("On", Tone.GOOD)

    @admin.display(description="Hears of")
    def hears_of(self, endpoint: WebhookEndpoint) -> str:
        """Return the topics that it asked for."""
        return lines(map(code, endpoint.topics)) if endpoint.topics else "Everything"

    @admin.display(description="Description")
    def described(self, endpoint: WebhookEndpoint) -> str:
        """Return whose it is and what for."""
        return endpoint.description or EMPTY

    @admin.display(description="Id")
    def id_shown(self, endpoint: WebhookEndpoint) -> str:
        """Return the id by which the API knows it."""
        return code(endpoint.pk)

    @admin.display(description="Secret")
    def secret_state(self, endpoint: WebhookEndpoint) -> str:
        """Return whether messages are signed with the secret before, too."""
        told = ["Set; sealed, and never shown"]
        if endpoint.has_previous_secret(now=timezone.now()):
            until = instant_text(endpoint.previous_valid_until)
            told.append(f"Messages are signed with the previous one too until {until} UTC")
        return lines(told)

    @admin.display(description="Created")
    def created(self, endpoint: WebhookEndpoint) -> str:
        """Return when it was made."""
        return instant(endpoint.created_at)

    @admin.display(description="Failing since")
    def failing(self, endpoint: WebhookEndpoint) -> str:
        """Return its first failure since it last took something."""
        return instant(endpoint.failing_since)

    def panels_after(
        self, request: HttpRequest, subject: WebhookEndpoint, now: datetime
    ) -> list[Panel]:
        """Return the newest deliveries to it."""
        if not request.user.has_perm("adapters.view_webhookdelivery"):
            return []
        newest = subject.deliveries.order_by("-pk")[:_DELIVERIES_SHOWN_MAX]
        context: dict[str, Any] = {
            "rows": [describe_delivery(delivery) for delivery in newest],
            "all_url": list_url("adapters.webhookdelivery", endpoint__id__exact=subject.pk),
        }
        return [Panel("Newest deliveries", "admin/adapters/deliveries.html", context)]
