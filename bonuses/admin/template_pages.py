"""Templates made, changed, and switched on and off; what is typed is worked through live."""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import reverse
from django.utils import timezone

from bonuses.admin.examples import draft_of, example_sentences
from bonuses.admin.template_forms import TemplateForm
from bonuses.enums import BonusType
from bonuses.models import BonusTemplate
from bonuses.services import templates
from core.admin import ServicePage
from core.admin.display import url_of

_ADD = "bonuses.add_bonustemplate"
_CHANGE = "bonuses.change_bonustemplate"
#: Fields that an example does not need.
_BESIDE_THE_TERMS = {"operator", "name", "is_active", "form_token"}
_RUNNING_STAY = "Grants from now on have these terms. Grants that run keep theirs."


def _type_of(text: str) -> BonusType | None:
    return BonusType(text) if text in BonusType.values else None


def _examples_in(form: TemplateForm) -> list[str]:
    """Return the examples of what somebody has typed, if it is enough for one."""
    form.is_valid()
    if set(form.errors) - _BESIDE_THE_TERMS:
        return []
    draft = draft_of(form.bonus_type, form.terms())
    return [] if draft is None else example_sentences(draft, now=timezone.now())


def preview_view(request: HttpRequest) -> HttpResponse:
    """Answer what the terms that are being typed would do; nothing is written."""
    if not any(request.user.has_perm(permission) for permission in (_ADD, _CHANGE)):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    bonus_type = _type_of(request.GET.get("type", ""))
    if bonus_type is None:
        return JsonResponse({"examples": []}, status=400)
    return JsonResponse(
        {"examples": _examples_in(TemplateForm(request.POST, bonus_type=bonus_type))}
    )


class AddTemplatePage(ServicePage[None]):
    """Make a template: choose its type first, then say its terms."""

    name = "add"
    permission = _ADD
    verb = "Create template"
    form_class = TemplateForm
    template = "admin/bonuses/template_form.html"
    types_template: ClassVar[str] = "admin/bonuses/types.html"

    @property
    def title(self) -> str:
        """Say what the page does."""
        if self.bonus_type is None:
            return "Create a template"
        return f"Create a template: {self.bonus_type.label.lower()}"

    @property
    def bonus_type(self) -> BonusType | None:
        """Return the type that was chosen; null while none is."""
        return _type_of(self.request.GET.get("type", ""))

    def respond(self) -> HttpResponse:
        """Answer the request; without a type, let the person choose one."""
        if self.bonus_type is None and self.is_allowed():
            self.template = self.types_template  # type: ignore[misc]
            return self.show(None)
        return super().respond()

    def make_form(self, data: Any) -> TemplateForm:
        """Return the form of the type."""
        assert self.bonus_type is not None, "a form without a type"
        return TemplateForm(data, bonus_type=self.bonus_type)

    def call(self, form: TemplateForm) -> str:
        """Create the template."""
        self.created = templates.create_template(
            operator=form.cleaned_data["operator"],
            bonus_type=form.bonus_type,
            terms=form.terms(),
            actor=self.actor,
            now=self.now,
        )
        return f"{self.created} was created."

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the template."""
        messages.success(self.request, done)
        if not self.model_admin.has_view_permission(self.request):
            return HttpResponseRedirect(self.back_url())
        return HttpResponseRedirect(url_of("bonuses.bonustemplate", self.created.pk))

    def show(self, form: Any, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page, with examples of what was entered."""
        if form is not None:
            context["examples"] = _examples_in(form) if form.is_bound else []
            context["preview_url"] = _preview_url(form.bonus_type)
        return super().show(form, status=status, **context)


class EditTemplatePage(ServicePage[BonusTemplate]):
    """Change the terms of a template."""

    name = "edit"
    permission = _CHANGE
    verb = "Edit"
    icon = "edit"
    form_class = TemplateForm
    template = "admin/bonuses/template_form.html"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [_RUNNING_STAY]

    def make_form(self, data: Any) -> TemplateForm:
        """Return the form with the terms as they are."""
        return TemplateForm(data, bonus_type=BonusType(self.subject.type), template=self.subject)

    def call(self, form: TemplateForm) -> str:
        """Change the terms."""
        changed = templates.update_template(
            operator=self.subject.operator,
            template_id=self.subject.pk,
            changes=form.terms(),
            actor=self.actor,
            now=self.now,
        )
        return f"{changed} was changed."

    def show(self, form: Any, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page, with examples of what was entered, or of what is in force."""
        context["examples"] = (
            _examples_in(form) if form.is_bound else example_sentences(self.subject, now=self.now)
        )
        context["preview_url"] = _preview_url(form.bonus_type)
        return super().show(form, status=status, **context)


class _SwitchPage(ServicePage[BonusTemplate]):
    """Switch a template on or off."""

    permission = _CHANGE
    leads_to: ClassVar[bool]

    def call(self, form: Any) -> str:
        """Switch it."""
        changed = templates.update_template(
            operator=self.subject.operator,
            template_id=self.subject.pk,
            changes={"is_active": self.leads_to},
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{changed} was switched {'on' if self.leads_to else 'off'}."


class ActivateTemplatePage(_SwitchPage):
    """Let bonuses be issued from it."""

    name = "activate"
    verb = "Switch on"
    icon = "toggle_on"
    leads_to = True

    def obstacle(self) -> str:
        """Refuse what is on already."""
        return f"{self.subject} is switched on already." if self.subject.is_active else ""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return ["Bonuses can be issued from it again, by hand, by campaigns and through the API."]


class DeactivateTemplatePage(_SwitchPage):
    """Let no bonus be issued from it any more."""

    name = "deactivate"
    verb = "Switch off"
    icon = "toggle_off"
    is_dangerous = True
    leads_to = False

    def obstacle(self) -> str:
        """Refuse what is off already."""
        return "" if self.subject.is_active else f"{self.subject} is switched off already."

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "No bonus is issued from it any more: whoever asks hears BONUS_TEMPLATE_NOT_ACTIVE.",
            "Grants that run go on, and keep their terms.",
            "Campaigns that give it skip the players whom they have not reached yet.",
        ]


def _preview_url(bonus_type: BonusType) -> str:
    return f"{reverse('admin:bonuses_bonustemplate_preview')}?type={bonus_type.value}"
