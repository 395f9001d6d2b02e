"""Tenants: read-only, added through a page that also shows the first key."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from core.admin.base import ReadOnlyAdmin
from core.admin.display import instant, list_url
from core.admin.fields import CurrencyChoiceField
from core.admin.pages import ServiceForm
from core.admin.panels import Panel
from operators.admin.keys import IssueKeyPage, SecretPage, describe_key
from operators.admin.time_zone import SetTimeZonePage, ZoneChoiceField
from operators.models import ApiKey, Operator
from operators.services import credentials

_KEYS_SHOWN_MAX = 20


class AddOperatorForm(ServiceForm):
    """A tenant."""

    slug = forms.CharField(
        max_length=50,
        help_text="The name in addresses and commands: lower-case letters, digits and dashes.",
        widget=forms.TextInput(attrs={"placeholder": "lucky-star", "autocomplete": "off"}),
    )
    name = forms.CharField(
        max_length=120, widget=forms.TextInput(attrs={"placeholder": "Lucky Star"})
    )
    base_currency = CurrencyChoiceField(initial="USD", help_text="The currency of reports.")
    time_zone = ZoneChoiceField(initial="UTC")

    def clean_slug(self) -> str:
        """Return the slug if it can be one."""
        slug: str = self.cleaned_data["slug"]
        try:
            Operator._meta.get_field("slug").run_validators(slug)
        except ValidationError:
            raise forms.ValidationError(
                "Use lower-case letters, digits and dashes, a dash neither first nor last."
            ) from None
        return slug


class AddOperatorPage(SecretPage[None]):
    """Create a tenant and show its first key."""

    name = "add"
    permission = "operators.add_operator"
    verb = "Add operator"
    form_class = AddOperatorForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return self.verb

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "A tenant is created: everything of its own, nothing of any other operator's.",
            "A first API key with every scope is issued and shown once, on the next page.",
        ]

    def issue(self, form: AddOperatorForm) -> credentials.IssuedKey:
        """Create the operator."""
        return credentials.create_operator(
            slug=form.cleaned_data["slug"],
            name=form.cleaned_data["name"],
            base_currency=form.cleaned_data["base_currency"],
            time_zone=form.cleaned_data["time_zone"] or "UTC",
            actor=self.actor,
            now=self.now,
        )


@admin.register(Operator)
class OperatorAdmin(ReadOnlyAdmin):
    """Look at tenants; add one, and issue keys, through their own pages."""

    list_display = ("name", "slug", "base_currency", "time_zone", "created")
    search_fields = ("name", "slug")
    search_help_text = "Search by name or slug"
    sortable_by = ("name", "slug")
    fieldsets: ClassVar = [
        ("Operator", {"fields": ["name", "slug", "base_currency", "time_zone", "created"]}),
    ]
    add_page = AddOperatorPage
    pages = (IssueKeyPage, SetTimeZonePage)
    empty_icon = "storefront"
    empty_text = (
        "An operator is a tenant: its players, jackpots and money are its own. Add the first "
        "one here, or with manage.py create_operator."
    )

    @admin.display(description="Created")
    def created(self, operator: Operator) -> str:
        """Return when the operator was created."""
        return instant(operator.created_at)

    def panels_after(self, request: HttpRequest, subject: Operator, now: datetime) -> list[Panel]:
        """Return the operator's keys, newest first, and where its things are."""
        panels = [
            Panel(
                "What belongs to it",
                "admin/operators/belongings.html",
                {
                    "links": [
                        (title, list_url(label, operator__id__exact=subject.pk))
                        for title, label in _BELONGINGS
                        if request.user.has_perm(_view_permission(label))
                    ],
                },
            )
        ]
        if request.user.has_perm("operators.view_apikey"):
            keys = ApiKey.objects.for_operator(subject).order_by("-pk")[:_KEYS_SHOWN_MAX]
            context: dict[str, Any] = {
                "keys": [describe_key(key, now=now) for key in keys],
                "all_url": list_url("operators.apikey", operator__id__exact=subject.pk),
            }
            panels.insert(0, Panel("API keys", "admin/operators/keys.html", context))
        return panels


_BELONGINGS = (
    ("Jackpot instances", "jackpots.instance"),
    ("Contributions", "jackpots.contribution"),
    ("Players", "players.player"),
    ("Games", "games.game"),
    ("Transfers", "wallets.transfer"),
    ("Exchange rates", "operators.exchangerate"),
)


def _view_permission(label: str) -> str:
    app_label, model_name = label.split(".")
    return f"{app_label}.view_{model_name}"
