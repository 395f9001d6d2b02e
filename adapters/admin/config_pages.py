"""Adapters added and changed, and the question whether a platform is there and knows us."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import RegexValidator
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone

from adapters.enums import AdapterKind
from adapters.models import AdapterConfig
from adapters.models.config import BASE_URL_LENGTH_MAX, SLUG_LENGTH_MAX, SLUG_PATTERN
from adapters.services.configs import AdapterDetails, put_adapter
from adapters.services.probing import ProbeResult, probe_adapter
from core.admin import ReasonForm, ServiceForm, ServicePage
from core.admin.display import instant_text, url_of
from operators.models import Operator

_PUT = "adapters.put_adapterconfig"
_SECRET_LENGTH_MAX = 200
_OVERLAP_SENTENCE = (
    "A new secret is used at once; the old one is still accepted for 24 hours, so that the "
    "platform can change over."
)


class AdapterForm(ReasonForm):
    """Where a platform is, with which secret, and whether new bonuses go through it."""

    operator = forms.ModelChoiceField(
        queryset=Operator.objects.order_by("name"), empty_label="Choose an operator"
    )
    slug = forms.CharField(
        max_length=SLUG_LENGTH_MAX,
        validators=[RegexValidator(SLUG_PATTERN, "Type small letters, digits and hyphens.")],
        help_text="Unique across operators: the platform's webhooks are sent to a path with it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    base_url = forms.CharField(
        max_length=BASE_URL_LENGTH_MAX,
        label="Address",
        help_text="Such as https://platform.example/api; /v1/bonuses/grant and so on are added.",
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    secret = forms.CharField(
        required=False,
        max_length=_SECRET_LENGTH_MAX,
        help_text="whsec_ and base64, the same on both sides. It is never shown again.",
        # Never rendered, whatever was typed: a page that can be read must not hold it.
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"}
        ),
    )
    is_default = forms.BooleanField(
        required=False, label="Default: the operator's new bonuses go through it"
    )
    field_order = ("operator", "slug", "base_url", "secret", "is_default", "reason")

    def __init__(self, data: Any, *, config: AdapterConfig | None = None) -> None:
        initial = {}
        if config is not None:
            initial = {"base_url": config.base_url, "is_default": config.is_default}
        super().__init__(data, initial=initial)
        if config is None:
            self.fields["secret"].required = True
            return
        for name in ("operator", "slug"):
            del self.fields[name]
        if config.is_internal:
            for name in ("base_url", "secret"):
                del self.fields[name]
        else:
            self.fields["secret"].label = "New secret"
            self.fields["secret"].help_text = f"Empty: it stays. {_OVERLAP_SENTENCE}"

    def details(self) -> AdapterDetails:
        """Return what the form says: what is not on it, or empty, stays as it is."""
        cleaned = self.cleaned_data
        details = AdapterDetails(is_default=cleaned["is_default"])
        if "base_url" in cleaned:
            details["base_url"] = cleaned["base_url"]
        if cleaned.get("secret"):
            details["secret"] = cleaned["secret"]
        return details


class AddAdapterPage(ServicePage[None]):
    """Connect an operator to a casino platform."""

    name = "add"
    permission = _PUT
    verb = "Add adapter"
    form_class = AdapterForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return "Connect an operator to a casino platform"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "Nothing is sent yet: test the connection when it is there.",
            (
                "As the default, it takes the operator's new bonuses at once. Grants that run stay "
                "where they are."
            ),
        ]

    def call(self, form: AdapterForm) -> str:
        """Add it."""
        self.config = put_adapter(
            operator=form.cleaned_data["operator"],
            slug=form.cleaned_data["slug"],
            kind=AdapterKind.HTTP.value,
            details=form.details(),
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        ).config
        return f"{self.config} was added. Test the connection next."

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the adapter."""
        messages.success(self.request, done)
        if not self.model_admin.has_view_permission(self.request):
            return HttpResponseRedirect(self.back_url())
        return HttpResponseRedirect(url_of("adapters.adapterconfig", self.config.pk))


class EditAdapterPage(ServicePage[AdapterConfig]):
    """Change where a platform is, its secret, or the default."""

    name = "edit"
    permission = _PUT
    verb = "Change"
    icon = "edit"
    form_class = AdapterForm

    def consequences(self) -> list[str]:
        """Say what will happen."""
        config = self.subject
        told = []
        if not config.is_internal:
            told.append("The next call goes to the address below, also for grants that run.")
            until = config.previous_valid_until
            if config.has_previous_secret(now=self.now):
                told.append(
                    f"The secret before the present one is accepted until {instant_text(until)} "
                    "UTC. Another new secret ends that."
                )
        if config.is_default:
            told.append("Without the default, new bonuses go through the operator's own ledger.")
        else:
            told.append("With the default, the operator's new bonuses go through it at once.")
        return told

    def make_form(self, data: Any) -> AdapterForm:
        """Return the form with the adapter as it is, but for its secret."""
        return AdapterForm(data, config=self.subject)

    def call(self, form: AdapterForm) -> str:
        """Change it."""
        put_adapter(
            operator=self.subject.operator,
            slug=self.subject.slug,
            kind=self.subject.kind,
            details=form.details(),
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{self.subject} was changed."


class ProbeAdapterPage(ServicePage[AdapterConfig]):
    """Ask the platform whether it is there and accepts our signature."""

    name = "test"
    permission = "adapters.test_adapterconfig"
    verb = "Test connection"
    icon = "wifi_tethering"
    form_class = ServiceForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Test the connection of {self.subject}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        if self.subject.is_internal:
            return ["There is no platform to reach: it is our own ledger."]
        return [
            (
                f"{self.subject.base_url} is asked for a bonus that nobody has. A platform that "
                "knows us says that there is none."
            ),
            "Nothing is changed on either side.",
        ]

    def call(self, form: ServiceForm) -> str:
        """Ask."""
        self.result: ProbeResult = probe_adapter(
            operator=self.subject.operator, slug=self.subject.slug
        )
        took = "" if self.result.latency_ms is None else f" It took {self.result.latency_ms} ms."
        return f"{self.result.detail}{took}"

    def conclude(self, done: str) -> HttpResponse:
        """Lead back to the adapter, with what was found."""
        at = f"{timezone.now():%H:%M:%S} UTC"
        say = messages.success if self.result.is_ok else messages.error
        say(self.request, f"{at}: {done}")
        return HttpResponseRedirect(self.back_url())
