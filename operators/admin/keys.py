"""API keys: issued once, shown once, revoked with a reason."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpResponse
from django.utils import timezone
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core.admin import ReadOnlyAdmin
from core.admin.display import Tone, badge, code, instant, object_link, url_of
from core.admin.fields import UtcDateTimeField
from core.admin.pages import M, ServiceForm, ServicePage
from operators.enums import Scope
from operators.models import ApiKey, Operator
from operators.services import credentials

_SCOPES_SAID = {
    Scope.READ: "Read: look at everything of the operator",
    Scope.PLAY: "Play: players, wallet, bets, contributions, opt-ins, claims",
    Scope.MANAGE: "Manage: instances, links, templates, promos, rates, adapters",
}


class SecretPage(ServicePage[M]):
    """
    A command that issues a key.

    The secret is in the answer to the POST and nowhere else: not in a message, which a
    cookie or a session would keep, and not on any page that can be loaded again.
    """

    issued_template: ClassVar[str] = "admin/operators/secret.html"

    def issue(self, form: Any) -> credentials.IssuedKey:
        """Call the service that issues the key."""
        raise NotImplementedError

    def call(self, form: Any) -> str:
        """Issue the key and keep it for the answer."""
        self.issued = self.issue(form)
        return ""

    def conclude(self, done: str) -> HttpResponse:
        """Show the secret; the form's token keeps a reload from issuing another key."""
        self.template = self.issued_template  # type: ignore[misc]
        api_key = self.issued.api_key
        return self.show(
            None,
            status=201,
            secret=self.issued.secret,
            api_key=api_key,
            key_url=url_of("operators.apikey", api_key.pk),
        )


class IssueKeyForm(ServiceForm):
    """What a key is for, what it may do, and until when."""

    label = forms.CharField(
        max_length=120,
        help_text="Who or what will use it, so that it can be told from the others.",
        widget=forms.TextInput(attrs={"placeholder": "Game server, staging"}),
    )
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, text) for scope, text in _SCOPES_SAID.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None includes another. Give a key no more than its user needs.",
    )
    expires_at = UtcDateTimeField(
        required=False, label="Expires (UTC)", help_text="Leave it empty for a key without end."
    )

    def clean_expires_at(self) -> datetime | None:
        """Return the end if it has not passed."""
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("It must be in the future.")
        return expires_at


class IssueKeyPage(SecretPage[Operator]):
    """Issue a further key to an operator."""

    name = "issue-key"
    permission = "operators.issue_apikey"
    verb = "Issue API key"
    icon = "key"
    variant = ActionVariant.PRIMARY
    form_class = IssueKeyForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Issue an API key to {self.subject}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            f"Whoever holds the key can act for {self.subject} within its scopes.",
            "The key is shown once, on the next page. It is stored hashed: nobody reads it again.",
        ]

    def issue(self, form: IssueKeyForm) -> credentials.IssuedKey:
        """Issue the key."""
        return credentials.issue_api_key(
            operator=self.subject,
            label=form.cleaned_data["label"],
            scopes=form.cleaned_data["scopes"],
            expires_at=form.cleaned_data["expires_at"],
            actor=self.actor,
            now=self.now,
        )


class RevokeKeyPage(ServicePage[ApiKey]):
    """Revoke a key."""

    name = "revoke"
    permission = "operators.revoke_apikey"
    verb = "Revoke"
    icon = "block"
    variant = ActionVariant.DANGER
    is_dangerous = True

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            f"Requests of {self.subject.operator} with this key are refused within seconds (401).",
            "A revoked key cannot be brought back; issue another one instead.",
        ]

    def obstacle(self) -> str:
        """Refuse what is revoked already."""
        return "The key has been revoked already." if self.subject.revoked_at else ""

    def call(self, form: Any) -> str:
        """Revoke the key."""
        credentials.revoke_api_key(
            operator=self.subject.operator,
            api_key_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{self.subject} was revoked."


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Look at keys, never at their secrets; revoke one through its own page."""

    list_display = (
        "prefix_shown",
        "operator",
        "label",
        "status",
        "scopes_shown",
        "created",
        "expires",
    )
    list_filter = (("operator", RelatedDropdownFilter),)
    list_select_related = ("operator",)
    search_fields = ("prefix", "label")
    search_help_text = "Search by the key's first characters or its label"
    fieldsets: ClassVar = [
        ("Key", {"fields": ["prefix_shown", "label", "operator_link", "status", "scopes_shown"]}),
        ("Dates", {"fields": ["created", "expires", "revoked"]}),
    ]
    pages = (RevokeKeyPage,)
    empty_icon = "key"
    empty_text = "Keys are issued on the page of their operator: open one and press Issue API key."

    @admin.display(description="Key")
    def prefix_shown(self, api_key: ApiKey) -> str:
        """Return the first characters, by which people tell keys apart."""
        return code(f"{api_key.prefix}…")

    @admin.display(description="Operator")
    def operator_link(self, api_key: ApiKey) -> str:
        """Return a link to the operator."""
        return object_link(api_key.operator)

    @admin.display(description="Status")
    def status(self, api_key: ApiKey) -> str:
        """Return whether the key is live."""
        return status_badge(api_key, now=timezone.now())

    @admin.display(description="Scopes")
    def scopes_shown(self, api_key: ApiKey) -> str:
        """Return the scopes."""
        return ", ".join(api_key.scopes)

    @admin.display(description="Created")
    def created(self, api_key: ApiKey) -> str:
        """Return when the key was issued."""
        return instant(api_key.created_at)

    @admin.display(description="Expires")
    def expires(self, api_key: ApiKey) -> str:
        """Return when the key ends."""
        return instant(api_key.expires_at) if api_key.expires_at else "never"

    @admin.display(description="Revoked")
    def revoked(self, api_key: ApiKey) -> str:
        """Return when the key was revoked."""
        return instant(api_key.revoked_at)


def status_badge(api_key: ApiKey, *, now: datetime) -> str:
    """Return whether a key is live at ``now``, as a badge."""
    if api_key.revoked_at is not None:
        return badge("Revoked", Tone.BAD)
    if api_key.expires_at is not None and api_key.expires_at <= now:
        return badge("Expired", Tone.QUIET)
    return badge("Live", Tone.GOOD)


def describe_key(api_key: ApiKey, *, now: datetime) -> dict[str, Any]:
    """Return a key as a row of its operator's page."""
    return {
        "link": object_link(api_key, f"{api_key.prefix}…"),
        "label": api_key.label,
        "status": status_badge(api_key, now=now),
        "scopes": ", ".join(api_key.scopes),
        "created": instant(api_key.created_at),
        "expires": instant(api_key.expires_at) if api_key.expires_at else "never",
    }
