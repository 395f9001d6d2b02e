"""The links of an instance, as an ordered list that is saved as a whole."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.http import HttpResponse

from core.admin import ReasonForm, ServicePage
from core.admin.search import parse_uuid
from jackpots.admin.display import names_of, status_badges
from jackpots.enums import InstanceStatus
from jackpots.models import Instance
from jackpots.services import links

#: The newest instances are offered; an operator with more finds the others by the API.
_OFFERED_MAX = 500
_LINKABLE = (InstanceStatus.DRAFT, InstanceStatus.ACTIVE, InstanceStatus.CLOSING)
_ENDED = (InstanceStatus.CLOSED, InstanceStatus.CANCELLED)


class UuidListField(forms.Field):
    """Any number of UUIDs, in the order in which they were sent."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[UUID]:
        """Return the UUIDs."""
        try:
            return [UUID(text) for text in value or ()]
        except ValueError:
            raise forms.ValidationError("One of the instances is not an id.") from None


class LinksForm(ReasonForm):
    """The instances that a contribution reaches besides its own, in their order."""

    targets = UuidListField(required=False)
    field_order = ("targets", "reason")

    def field_of(self, pointer: str) -> str:
        """Return the field that a refusal is about: what is wrong with a link is shown above."""
        return "" if pointer.startswith("linked_instances") else super().field_of(pointer)


class LinksPage(ServicePage[Instance]):
    """Choose and order the instances that contributions to this one also reach."""

    name = "links"
    permission = "jackpots.link_instance"
    verb = "Edit links"
    icon = "link"
    form_class = LinksForm
    template = "admin/jackpots/links.html"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Links of {self.subject}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            (
                f"Every contribution to {self.subject} through API v2 is also one to each "
                "instance of the list, in its order. Each is decided for itself; one that fails "
                "stops no other."
            ),
            "Only this list is followed, never the lists of the instances on it.",
            "Opt-ins are not carried over: where one is required, players without it are refused.",
        ]

    def obstacle(self) -> str:
        """Refuse what has ended."""
        if self.subject.status in _ENDED:
            return (
                f"{self.subject} is {self.subject.get_status_display().lower()}: its links stay "
                "as they are, as a part of its history."
            )
        return ""

    def make_form(self, data: Any) -> LinksForm:
        """Return the form with the links as they are."""
        targets = list(self.subject.links.order_by("position").values_list("target_id", flat=True))
        return LinksForm(data, initial={"targets": targets})

    def call(self, form: Any) -> str:
        """Replace the links."""
        saved = links.replace_links(
            operator=self.subject.operator,
            instance_id=self.subject.pk,
            target_ids=form.cleaned_data["targets"],
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        if not saved:
            return f"{self.subject} has no links any more."
        return f"{self.subject} is linked to {names_of([each.target for each in saved])}."

    def show(self, form: Any, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with the list as it was sent, or as it is stored."""
        chosen_ids = [str(value) for value in form["targets"].value() or ()]
        known = {str(each.pk): each for each in self._candidates(chosen_ids)}
        chosen = [known[each] for each in chosen_ids if each in known]
        context.update(
            chosen=[self._row(each) for each in chosen],
            offered=[self._row(each) for each in known.values()],
            links_max=links.LINKS_MAX,
        )
        return super().show(form, status=status, **context)

    def _candidates(self, chosen_ids: list[str]) -> list[Instance]:
        ids = [found for each in chosen_ids if (found := parse_uuid(each)) is not None]
        offered = Instance.objects.for_operator(self.subject.operator).exclude(pk=self.subject.pk)
        wanted = offered.filter(Q(status__in=_LINKABLE) | Q(pk__in=ids))
        return sorted(
            wanted.order_by("-created_at", "-pk")[:_OFFERED_MAX], key=lambda each: each.name
        )

    def _row(self, instance: Instance) -> dict[str, Any]:
        return {
            "id": str(instance.pk),
            "name": instance.name,
            "kind": instance.get_kind_display(),
            "currency": instance.currency,
            "status": status_badges(instance),
            "status_text": instance.get_status_display().lower(),
            "opt_in_required": instance.opt_in_required,
        }
