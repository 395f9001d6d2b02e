"""Drafts of instances: made and edited through a form that has the fields of their kind."""

from dataclasses import fields as fields_of
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect

from core.admin import ServicePage
from core.admin.display import url_of
from jackpots.admin.draft_forms import DraftForm, initial_of, terms_from
from jackpots.enums import InstanceKind, InstanceStatus
from jackpots.models import Instance
from jackpots.services import instances
from jackpots.services.terms import InstanceTerms, read_terms


class AddInstancePage(ServicePage[None]):
    """Draft an instance: choose its kind first, then say its terms."""

    name = "add"
    permission = "jackpots.add_instance"
    verb = "Save draft"
    form_class = DraftForm
    template = "admin/jackpots/draft.html"
    kinds_template: ClassVar[str] = "admin/jackpots/kinds.html"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Draft a {self.kind.label.lower()}" if self.kind else "Draft a jackpot"

    @property
    def kind(self) -> InstanceKind | None:
        """Return the kind that was chosen; null while none is."""
        chosen = self.request.GET.get("kind", "")
        return InstanceKind(chosen) if chosen in InstanceKind.values else None

    def consequences(self) -> list[str]:
        """Say what will happen."""
        if self.kind is None:
            return []
        return ["A draft is saved. It takes no contributions until somebody activates it."]

    def respond(self) -> HttpResponse:
        """Answer the request; without a kind, let the person choose one."""
        if self.kind is None and self.is_allowed():
            self.template = self.kinds_template  # type: ignore[misc]
            return self.show(None)
        return super().respond()

    def make_form(self, data: Any) -> DraftForm:
        """Return the form of the kind."""
        assert self.kind is not None, "a form without a kind"
        return DraftForm(data, kind=self.kind)

    def call(self, form: DraftForm) -> str:
        """Create the draft."""
        assert self.kind is not None, "a form without a kind"
        self.created = instances.create_instance(
            operator=form.cleaned_data["operator"],
            terms=terms_from(form, kind=self.kind),
            actor=self.actor,
            now=self.now,
        )
        return f"{self.created} was drafted. Link it to others, then activate it."

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the draft."""
        messages.success(self.request, done)
        return HttpResponseRedirect(url_of("jackpots.instance", self.created.pk))


class EditInstancePage(ServicePage[Instance]):
    """Change the terms of a draft."""

    name = "edit"
    permission = "jackpots.change_instance"
    verb = "Edit draft"
    icon = "edit"
    form_class = DraftForm
    template = "admin/jackpots/draft.html"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return ["The draft's terms are replaced by these, its pots and prizes as a whole."]

    def obstacle(self) -> str:
        """Refuse what is no longer a draft."""
        if self.subject.status == InstanceStatus.DRAFT:
            return ""
        return (
            f"{self.subject} is {self.subject.get_status_display().lower()}. Its terms were fixed "
            "when it was activated; only those of a draft can be changed."
        )

    def make_form(self, data: Any) -> DraftForm:
        """Return the form with the terms as they are."""
        kind = InstanceKind(self.subject.kind)
        initial = initial_of(read_terms(instance=self.subject)) if data is None else {}
        return DraftForm(data, kind=kind, operator=self.subject.operator, initial=initial)

    def call(self, form: DraftForm) -> str:
        """Replace the terms."""
        terms = terms_from(form, kind=InstanceKind(self.subject.kind))
        updated = instances.update_instance(
            operator=self.subject.operator,
            instance_id=self.subject.pk,
            changes={each.name: getattr(terms, each.name) for each in fields_of(InstanceTerms)},
            actor=self.actor,
            now=self.now,
        )
        return f"{updated} was changed."
