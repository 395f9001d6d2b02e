"""Endpoints made, changed, given a secret, switched off and on, and tested."""

from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from adapters.models import WebhookEndpoint
from adapters.models.endpoint import DESCRIPTION_LENGTH_MAX, URL_LENGTH_MAX
from adapters.services import endpoints, relaying
from adapters.services.endpoints import EndpointSecret
from adapters.webhooks.topics import TOPICS
from core.admin import ReasonForm, ServiceForm, ServicePage
from core.admin.display import instant_text, url_of
from core.admin.pages import M
from operators.models import Operator

_OFF = "It is switched off. Switch it on first."
_SEEN_ONCE = "Its secret is shown once, on the next page. It is stored sealed."


class SecretOncePage(ServicePage[M]):
    """
    A command that gives an endpoint a secret.

    The secret is in the answer to the POST and nowhere else: not in a message, which a
    cookie or a session would keep, and not on any page that can be loaded again.
    """

    secret_template: ClassVar[str] = "admin/adapters/endpoint_secret.html"  # noqa: S105

    made: EndpointSecret

    def conclude(self, done: str) -> HttpResponse:
        """Show the secret; the form's token keeps a reload from making another one."""
        self.template = self.secret_template  # type: ignore[misc]
        endpoint = self.made.endpoint
        return self.show(
            None,
            status=201,
            secret=self.made.secret,
            endpoint=endpoint,
            endpoint_url=url_of("adapters.webhookendpoint", endpoint.pk),
        )


class EndpointForm(ServiceForm):
    """Where to send what."""

    operator = forms.ModelChoiceField(
        queryset=Operator.objects.order_by("name"), empty_label="Choose an operator"
    )
    url = forms.CharField(
        max_length=URL_LENGTH_MAX,
        label="Address",
        help_text="Public, HTTPS, at port 443. It may have a query.",
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    description = forms.CharField(
        required=False,
        max_length=DESCRIPTION_LENGTH_MAX,
        help_text="Whose it is and what for, so that it can be told from the others.",
    )
    topics = forms.MultipleChoiceField(
        required=False,
        choices=[(topic.name, f"{topic.title} ({topic.name})") for topic in TOPICS.values()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None: everything, topics to come included.",
    )

    def __init__(self, data: Any, *, endpoint: WebhookEndpoint | None = None) -> None:
        initial = {}
        if endpoint is not None:
            initial = {name: getattr(endpoint, name) for name in ("url", "description", "topics")}
        super().__init__(data, initial=initial)
        if endpoint is not None:
            del self.fields["operator"]

    def details(self) -> dict[str, Any]:
        """Return what the form says of the endpoint."""
        return {name: self.cleaned_data[name] for name in ("url", "description", "topics")}

    def field_of(self, pointer: str) -> str:
        """Return the field that a service means: a topic is one of the topics."""
        return pointer.partition("/")[0]


class AddEndpointPage(SecretOncePage[None]):
    """Make an endpoint."""

    name = "add"
    permission = "adapters.add_webhookendpoint"
    verb = "Add endpoint"
    form_class = EndpointForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return "Tell an operator's server what happens"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "What happens from now on is sent to the address, for as long as it takes it.",
            _SEEN_ONCE,
        ]

    def call(self, form: EndpointForm) -> str:
        """Make it and keep its secret for the answer."""
        self.made = endpoints.create_endpoint(
            operator=form.cleaned_data["operator"],
            **form.details(),
            secret=None,
            actor=self.actor,
            now=self.now,
        )
        return ""


class EditEndpointPage(ServicePage[WebhookEndpoint]):
    """Change where it is and what it hears of."""

    name = "edit"
    permission = "adapters.change_webhookendpoint"
    verb = "Change"
    icon = "edit"
    form_class = EndpointForm

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "What is on its way already goes to the address below, too.",
            "Topics count for what happens from now on.",
        ]

    def make_form(self, data: Any) -> EndpointForm:
        """Return the form with the endpoint as it is."""
        return EndpointForm(data, endpoint=self.subject)

    def call(self, form: EndpointForm) -> str:
        """Change it."""
        endpoints.update_endpoint(
            operator=self.subject.operator,
            endpoint_id=self.subject.pk,
            changes=form.details(),
            actor=self.actor,
            now=self.now,
        )
        return f"{form.cleaned_data['url']} was changed."


class RotateSecretPage(SecretOncePage[WebhookEndpoint]):
    """Give an endpoint a new secret."""

    name = "rotate-secret"
    permission = "adapters.rotate_webhookendpoint_secret"
    verb = "New secret"
    icon = "key"
    form_class = ReasonForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"A new secret for {self.subject}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        told = ["For 24 hours messages are signed with the present secret too.", _SEEN_ONCE]
        if self.subject.has_previous_secret(now=self.now):
            until = instant_text(self.subject.previous_valid_until)
            told.append(
                f"There was a change already: the secret before it, valid until {until} UTC, is "
                "dropped at once."
            )
        return told

    def call(self, form: ReasonForm) -> str:
        """Rotate it and keep the secret for the answer."""
        self.made = endpoints.rotate_endpoint_secret(
            operator=self.subject.operator,
            endpoint_id=self.subject.pk,
            secret=None,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return ""


class DisableEndpointPage(ServicePage[WebhookEndpoint]):
    """Switch an endpoint off."""

    name = "disable"
    permission = "adapters.disable_webhookendpoint"
    verb = "Switch off"
    icon = "notifications_off"
    variant = ActionVariant.DANGER
    is_dangerous = True

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "It never hears of what happens while it is off.",
            "What is pending waits, and is sent when it is switched on.",
        ]

    def obstacle(self) -> str:
        """Refuse what is off already."""
        return "" if self.subject.is_active else "It is switched off already."

    def call(self, form: ReasonForm) -> str:
        """Switch it off."""
        endpoints.disable_endpoint(
            operator=self.subject.operator,
            endpoint_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{self.subject} was switched off."


class EnableEndpointPage(ServicePage[WebhookEndpoint]):
    """Switch an endpoint on."""

    name = "enable"
    permission = "adapters.disable_webhookendpoint"
    verb = "Switch on"
    icon = "notifications_active"
    variant = ActionVariant.PRIMARY

    def consequences(self) -> list[str]:
        """Say what will happen."""
        waiting = self.subject.deliveries.pending().count()
        return [
            "It hears of what happens from now on.",
            f"{waiting:,} message{' that waits is' if waiting == 1 else 's that wait are'} sent.",
        ]

    def obstacle(self) -> str:
        """Refuse what is on already."""
        return "It is switched on already." if self.subject.is_active else ""

    def call(self, form: ReasonForm) -> str:
        """Switch it on."""
        endpoints.enable_endpoint(
            operator=self.subject.operator,
            endpoint_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{self.subject} was switched on."


class TestEndpointPage(ServicePage[WebhookEndpoint]):
    """Send an endpoint a test message."""

    name = "test"
    permission = "adapters.test_webhookendpoint"
    verb = "Send test message"
    icon = "send"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Send a test message to {self.subject}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return ["A webhook.test message is sent to it, whatever topics it wants, and to no other."]

    def obstacle(self) -> str:
        """Refuse what is off."""
        return "" if self.subject.is_active else _OFF

    def call(self, form: ReasonForm) -> str:
        """Send it."""
        relaying.send_test_message(
            operator=self.subject.operator,
            endpoint_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return "A test message is on its way. Its delivery says what came of it."
