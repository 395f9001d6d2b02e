"""Adapters: how operators reach their casino platforms. Secrets are nowhere to be seen."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from unfold.contrib.filters.admin import (
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)

from adapters.admin.config_pages import AddAdapterPage, EditAdapterPage, ProbeAdapterPage
from adapters.models import AdapterConfig
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


@admin.register(AdapterConfig)
class AdapterConfigAdmin(ReadOnlyAdmin):
    """Look at adapters; add, change and test them through their own pages."""

    list_display = ("slug", "operator", "kind", "address", "use", "updated")
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("is_default", BooleanRadioFilter),
    )
    list_select_related = ("operator",)
    search_fields = ("slug",)
    search_help_text = "Search by slug"
    fieldsets: ClassVar = [
        ("Adapter", {"fields": ["slug", "operator_link", "kind", "use"]}),
        ("Connection", {"fields": ["address", "secret_state", "webhook_path"]}),
        ("Dates", {"fields": ["created", "updated"]}),
    ]
    add_page = AddAdapterPage
    pages = (ProbeAdapterPage, EditAdapterPage)
    empty_icon = "hub"
    empty_text = (
        "Every operator has an adapter of its own ledger from the start. There is no operator "
        "yet: create one first."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find adapters by a part of their slug."""
        if "\x00" in search_term:
            return queryset.none(), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(
            request, queryset, search_term
        )
        return found

    @admin.display(description="Address")
    def address(self, config: AdapterConfig) -> str:
        """Return where the platform is."""
        return code(config.base_url)

    @admin.display(description="New bonuses")
    def use(self, config: AdapterConfig) -> str:
        """Return whether the operator's new bonuses go through it."""
        if config.is_default:
            return badge("Default", Tone.GOOD, title="New bonuses go through it")
        return badge("Not the default", Tone.QUIET)

    @admin.display(description="Operator")
    def operator_link(self, config: AdapterConfig) -> str:
        """Return a link to the operator."""
        return object_link(config.operator)

    @admin.display(description="Secret")
    def secret_state(self, config: AdapterConfig) -> str:
        """Return whether there is one, and whether the one before is still accepted."""
        if not config.has_secret:
            return "None: nothing is sent"
        told = ["Set; sealed, and never shown"]
        if config.has_previous_secret(now=timezone.now()):
            until = instant_text(config.previous_valid_until)
            told.append(f"The previous one is accepted until {until} UTC")
        return lines(told)

    @admin.display(description="Webhooks are sent to")
    def webhook_path(self, config: AdapterConfig) -> str:
        """Return where the platform sends its events."""
        return EMPTY if config.is_internal else code(reverse("bonus-events", args=[config.slug]))

    @admin.display(description="Created")
    def created(self, config: AdapterConfig) -> str:
        """Return when it was added."""
        return instant(config.created_at)

    @admin.display(description="Changed")
    def updated(self, config: AdapterConfig) -> str:
        """Return when it was last changed."""
        return instant(config.updated_at)

    def panels_after(
        self, request: HttpRequest, subject: AdapterConfig, now: datetime
    ) -> list[Panel]:
        """Return the ways to what went through it."""
        links = []
        if request.user.has_perm("bonuses.view_bonusgrant"):
            url = list_url("bonuses.bonusgrant", adapter=subject.slug)
            links.append({"url": url, "text": "Grants that went through it"})
        if not subject.is_internal and request.user.has_perm("adapters.view_webhookmessage"):
            url = list_url("adapters.webhookmessage", q=subject.slug)
            links.append({"url": url, "text": "What its platform sent"})
        if not links:
            return []
        return [Panel("Traffic", "admin/adapters/traffic.html", {"links": links})]
