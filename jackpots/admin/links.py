"""
The links of an instance, as an ordered list that is saved as a whole.

Every button of the page works without JavaScript: it sends the list as it is arranged, and
gets it back one step further. Nothing is stored before somebody saves.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string

from core.admin import ReasonForm, ServicePage
from core.admin.search import parse_uuid
from jackpots.admin.display import names_of, status_badges
from jackpots.enums import InstanceStatus
from jackpots.models import Instance
from jackpots.services import links

#: So many suggestions at once; who looks for another types more of its name.
_SUGGESTED_MAX = 12
_LINKABLE = (InstanceStatus.DRAFT, InstanceStatus.ACTIVE, InstanceStatus.CLOSING)
_ENDED = (InstanceStatus.CLOSED, InstanceStatus.CANCELLED)
#: The buttons that arrange the list, without saving it.
_ARRANGING = ("up", "down", "remove", "add")


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

    def respond(self) -> HttpResponse:
        """Answer the request: the page, suggestions for it, or the list one step further."""
        if self.is_allowed() and self.request.method == "GET" and "find" in self.request.GET:
            return JsonResponse({"found": self._suggestions(self.request.GET["find"])})
        if self.is_allowed() and self.request.method == "POST" and self._arranging():
            return self._arrange()
        return super().respond()

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
        wanted = [found for each in chosen_ids if (found := parse_uuid(each)) is not None]
        known = {
            str(each.pk): each
            for each in Instance.objects.for_operator(self.subject.operator).filter(pk__in=wanted)
        }
        chosen = [known[each] for each in chosen_ids if each in known]
        context = {
            "wanted": "",
            "chosen": [_row(each) for each in chosen],
            "offered": self._linkable().order_by("-created_at", "-pk")[:_SUGGESTED_MAX],
            "links_max": links.LINKS_MAX,
            **context,
        }
        return super().show(form, status=status, **context)

    # What arranges the list writes nothing.

    def _arranging(self) -> bool:
        return any(self.request.POST.get(name) for name in _ARRANGING)

    def _arrange(self) -> HttpResponse:
        """Return the page with the list that the pressed button makes of the one sent."""
        given = self.request.POST
        targets = given.getlist("targets")
        for name, step in (("up", -1), ("down", 1)):
            if given.get(name) in targets:
                at = targets.index(str(given[name]))
                to = at + step
                if 0 <= to < len(targets):
                    targets[at], targets[to] = targets[to], targets[at]
        if given.get("remove") in targets:
            targets.remove(str(given["remove"]))
        wanted, said = "", "Arranged. Nothing is stored until you save the links."
        if given.get("add"):
            added, refusal = self._called(given.get("wanted", ""), targets)
            if added is None:
                wanted, said = given.get("wanted", ""), refusal
            else:
                targets.append(str(added.pk))
        form = LinksForm(None, initial={"targets": targets, "reason": given.get("reason", "")})
        return self.show(form, wanted=wanted, said=said)

    def _called(self, wanted: str, targets: list[str]) -> tuple[Instance | None, str]:
        """Return the instance of that name or id, or why it is none that can be added."""
        term = wanted.strip()
        if not term.isprintable() or not term:
            return None, "Type the name of an instance, then press Add."
        wanted_id = parse_uuid(term)
        found = self._linkable()
        found = found.filter(name__iexact=term) if wanted_id is None else found.filter(pk=wanted_id)
        few = list(found.order_by("-created_at", "-pk")[:2])
        if not few:
            return None, f"No instance that can be linked is called {term}."
        if len(few) > 1:
            return None, f"Several instances are called {term}: type the id of one of them."
        if str(few[0].pk) in targets:
            return None, f"{few[0]} is on the list already."
        return few[0], ""

    def _linkable(self) -> QuerySet[Instance]:
        offered = Instance.objects.for_operator(self.subject.operator)
        return offered.filter(status__in=_LINKABLE).exclude(pk=self.subject.pk)

    def _suggestions(self, term: str) -> list[dict[str, str]]:
        found = self._linkable()
        if term.isprintable():
            found = found.filter(name__icontains=term.strip())
        return [
            {
                "id": str(each.pk),
                "name": each.name,
                "what": _what(each),
                "row": render_to_string(
                    "admin/jackpots/link_row.html", {"row": _row(each)}, self.request
                ),
            }
            for each in found.order_by("-created_at", "-pk")[:_SUGGESTED_MAX]
        ]


def _row(instance: Instance) -> dict[str, Any]:
    return {
        "id": str(instance.pk),
        "name": instance.name,
        "what": _what(instance),
        "status": status_badges(instance),
        "opt_in_required": instance.opt_in_required,
    }


def _what(instance: Instance) -> str:
    return f"{instance.get_kind_display()}, {instance.currency}"
