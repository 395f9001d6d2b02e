"""
Pages that call a service: one command each.

GET shows what the command will do and asks what it needs; POST calls the service once.
Nothing else changes anything, and a permission of its own guards both.
"""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.enums import ActionVariant
from unfold.widgets import CHECKBOX_CLASSES, INPUT_CLASSES, SELECT_CLASSES, TEXTAREA_CLASSES

from core.actors import Actor, ActorKind
from core.admin.display import list_url, url_of
from core.errors import DomainError

M = TypeVar("M", bound=Model | None)

REASON_LENGTH_MAX = 200
#: How long a form that was sent is recognised when it is sent again.
_REMEMBERED_S = 24 * 3600


def staff_actor(request: HttpRequest) -> Actor:
    """Return the signed-in person as the actor of what the request does."""
    return Actor(kind=ActorKind.STAFF, ref=str(request.user.pk))


class ServiceForm(forms.Form):
    """
    What a command needs to know, in the theme's widgets.

    ``layout`` groups the fields: (title, field names); without one they are one group.
    """

    layout: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()

    #: Recognises a form that is sent twice: a double click, or a page that is loaded again.
    form_token = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["form_token"].initial = uuid.uuid4
        dress(self)

    def groups(self) -> Iterator[tuple[str, list[BoundField]]]:
        """Yield the titled groups of visible fields."""
        visible = {field.name: field for field in self.visible_fields()}
        for title, names in self.layout or (("", tuple(visible)),):
            yield title, [visible[name] for name in names if name in visible]

    def was_sent_before(self) -> bool:
        """Tell whether this very form has been sent already, and remember that it has."""
        token = self.cleaned_data.get("form_token")
        return token is not None and not cache.add(f"backoffice:{token}", 1, _REMEMBERED_S)

    def renew_token(self) -> None:
        """Let the form be sent again: what it asked for was refused."""
        data: Any = self.data
        self.data = data.copy()
        self.data[self.add_prefix("form_token")] = str(uuid.uuid4())  # type: ignore[index]

    def show_refusal(self, error: DomainError) -> None:
        """Put a service's refusal where it belongs: beside its fields, or above them all."""
        for entry in error.members.get("errors") or [{"pointer": "", "detail": error.detail}]:
            name = self.field_of(entry["pointer"].strip("/"))
            self.add_error(name if name in self.fields else None, entry["detail"])

    def field_of(self, pointer: str) -> str:
        """Return the field that a service means by ``pointer``: "contribution/amount"."""
        return pointer.replace("/", "_")


class ReasonForm(ServiceForm):
    """Why somebody does what they are about to do."""

    reason = forms.CharField(
        max_length=REASON_LENGTH_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=f"Kept in the audit trail with your name; at most {REASON_LENGTH_MAX} letters.",
    )

    def clean_reason(self) -> str:
        """Return the reason on one line."""
        reason = " ".join(self.cleaned_data["reason"].split())
        if not reason.isprintable():
            raise forms.ValidationError("It holds characters that cannot be printed.")
        return reason


class ServicePage(Generic[M]):
    """
    One command on a page of its own, for one request.

    Subclasses name the command, say what it will do, and call its service. ``subject`` is
    the row it is about; null on a page that adds one.
    """

    name: ClassVar[str]
    permission: ClassVar[str]
    #: What the button says: "Pause".
    verb: ClassVar[str]
    icon: ClassVar[str] = ""
    variant: ClassVar[ActionVariant | None] = None
    form_class: ClassVar[type[ServiceForm]] = ReasonForm
    template: ClassVar[str] = "admin/backoffice/service_page.html"
    is_dangerous: ClassVar[bool] = False
    #: What a link to the page may fill in, by the names of fields: "?player_id=ada".
    prefilled: ClassVar[tuple[str, ...]] = ()

    def __init__(self, model_admin: Any, request: HttpRequest, subject: M, now: datetime) -> None:
        self.model_admin = model_admin
        self.request = request
        self.subject = subject
        self.now = now

    # What subclasses say

    @property
    def title(self) -> str:
        """Say what the page does: "Pause Daily"."""
        return f"{self.verb} {self.subject}"

    def consequences(self) -> list[str]:
        """Say in sentences what will happen."""
        return []

    def obstacle(self) -> str:
        """Say why the command is not possible now; empty when it is."""
        return ""

    def is_offered(self) -> bool:
        """Tell whether the row's page offers the command in the state that it is in."""
        return not self.obstacle()

    def make_form(self, data: Any) -> ServiceForm:
        """Return the form, filled in with ``data`` unless that is null."""
        return self.form_class(data)

    def call(self, form: Any) -> str:
        """Call the service, once, and say what was done: "Daily was paused."."""
        raise NotImplementedError

    # What every page does

    @classmethod
    def url_name(cls, opts: Any) -> str:
        """Return the name of the page's address, without the admin's namespace."""
        return f"{opts.app_label}_{opts.model_name}_{cls.name}"

    @classmethod
    def as_view(cls, model_admin: Any) -> Callable[..., HttpResponse]:
        """Return the view of the page for the rows of ``model_admin``."""

        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            subject = model_admin.get_object(request, unquote(object_id))
            page = cls(model_admin, request, subject, timezone.now())
            if not page.is_allowed():
                raise PermissionDenied
            if subject is None:
                missing: HttpResponse = model_admin._get_obj_does_not_exist_redirect(
                    request, model_admin.opts, object_id
                )
                return missing
            return page.respond()

        return view

    @property
    def url(self) -> str:
        """Return the page's own address."""
        opts = self.model_admin.opts
        assert self.subject is not None, "a page that adds has no subject"
        return reverse(f"admin:{self.url_name(opts)}", args=[quote(self.subject.pk)])

    @property
    def actor(self) -> Actor:
        """Return who acts."""
        return staff_actor(self.request)

    def is_allowed(self) -> bool:
        """Tell whether the person may use the page at all."""
        return self.request.user.has_perm(self.permission)

    def respond(self) -> HttpResponse:
        """
        Answer the request.

        :raises PermissionDenied: if the person lacks the permission, whatever the method.
        """
        if not self.is_allowed():
            raise PermissionDenied
        if self.request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        if self.request.method != "POST":
            return self.show(self._fill_in(self.make_form(None)))
        form = self.make_form(self.request.POST)
        if not form.is_valid():
            return self.show(form)
        if form.was_sent_before():
            messages.warning(
                self.request,
                "This form had been sent already, so nothing was done a second time.",
            )
            return HttpResponseRedirect(self.back_url())
        try:
            done = self.call(form)
        except DomainError as error:
            form.renew_token()
            form.show_refusal(error)
            return self.show(form, status=error.status)
        return self.conclude(done)

    def _fill_in(self, form: ServiceForm) -> ServiceForm:
        """Put into the form what the link that led here knows already."""
        for name in self.prefilled:
            if name in form.fields and name in self.request.GET:
                form.initial[name] = self.request.GET[name]
        return form

    def conclude(self, done: str) -> HttpResponse:
        """Lead back to where the effect is seen, and say what was done."""
        messages.success(self.request, done)
        return HttpResponseRedirect(self.back_url())

    def back_url(self) -> str:
        """Return where the page leads when it is done with."""
        label = self.model_admin.opts.label_lower
        if self.model_admin.has_view_permission(self.request):
            return list_url(label) if self.subject is None else url_of(label, self.subject.pk)
        return reverse("admin:index")

    def show(self, form: Any, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with its form."""
        self.request.current_app = self.model_admin.admin_site.name
        return TemplateResponse(
            self.request,
            self.template,
            {
                **self.model_admin.admin_site.each_context(self.request),
                "title": self.title,
                "opts": self.model_admin.opts,
                "original": self.subject,
                "page": self,
                "form": form,
                "obstacle": self.obstacle(),
                "consequences": self.consequences(),
                "back_url": self.back_url(),
                **context,
            },
            status=status,
        )


def dress(form: forms.BaseForm) -> None:
    """Give the widgets of ``form`` the theme's classes."""
    for field in form.fields.values():
        widget = field.widget
        if isinstance(widget, (forms.CheckboxSelectMultiple, forms.RadioSelect)):
            continue
        if isinstance(widget, forms.CheckboxInput):
            classes = CHECKBOX_CLASSES
        elif isinstance(widget, forms.Textarea):
            classes = TEXTAREA_CLASSES
        elif isinstance(widget, forms.Select):
            # With the arrow that the theme draws: its select has none of its own.
            widget.template_name = "unfold/widgets/select.html"
            classes = SELECT_CLASSES
        elif isinstance(widget, forms.HiddenInput):
            continue
        else:
            classes = INPUT_CLASSES
        widget.attrs["class"] = " ".join(classes)
