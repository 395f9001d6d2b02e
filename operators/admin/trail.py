"""
The audit trail: who did what, for which operator, and why.

The rows are the kernel's; their pages are here because they name operators.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from core.actors import ActorKind
from core.admin.base import LargeTableAdmin
from core.admin.display import EMPTY, code, instant, link, url_of
from core.admin.panels import Panel
from core.models import AuditEntry
from operators.models import Operator

#: Filters offer what the newest entries hold: reading all of them would be a scan.
_NEWEST = 5_000


class RecentChoiceFilter(DropdownFilter):
    """A filter whose choices are the values of a column among the newest entries."""

    column: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the values that the newest entries hold."""
        newest = AuditEntry.objects.order_by("-pk").values("pk")[:_NEWEST]
        values = AuditEntry.objects.filter(pk__in=newest).values_list(self.column, flat=True)
        return [(value, value) for value in values.distinct().order_by(self.column)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the entries with the chosen value."""
        value = self.value()
        return queryset if not value else queryset.filter(**{self.column: value})


class ActionFilter(RecentChoiceFilter):
    """By what was done."""

    title = "action"
    parameter_name = "action"
    column = "action"


class OperatorFilter(DropdownFilter):
    """By operator."""

    title = "operator"
    parameter_name = "operator"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return every operator."""
        return [
            (str(pk), name)
            for pk, name in Operator.objects.order_by("name").values_list("pk", "name")
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the operator's entries."""
        value = self.value() or ""
        return queryset.filter(operator_id=int(value)) if value.isdecimal() else queryset


class ActorFilter(DropdownFilter):
    """By who acted: a kind of door, or one person, key, task or command."""

    title = "actor"
    parameter_name = "actor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the kinds, and whom the newest entries name."""
        newest = AuditEntry.objects.order_by("-pk").values("pk")[:_NEWEST]
        seen = (
            AuditEntry.objects.filter(pk__in=newest)
            .annotate(staff_name=_staff_name())
            .values_list("actor_kind", "actor_ref", "staff_name")
            .distinct()
            .order_by("actor_kind", "actor_ref")
        )
        return [
            *((kind.value, f"{kind.label}: all") for kind in ActorKind),
            *(
                (f"{kind}:{ref}", f"{ActorKind(kind).label}: {staff_name or ref}")
                for kind, ref, staff_name in seen
            ),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what the chosen actor did."""
        kind, colon, ref = (self.value() or "").partition(":")
        if not kind:
            return queryset
        found = queryset.filter(actor_kind=kind)
        return found.filter(actor_ref=ref) if colon else found


@admin.register(AuditEntry)
class AuditEntryAdmin(LargeTableAdmin):
    """Look at the trail; nobody changes it, and the database refuses to."""

    list_display = ("when", "action_shown", "subject", "who", "operator_shown", "reason")
    list_display_links = ("when", "action_shown")
    list_filter = (ActionFilter, ActorFilter, OperatorFilter)
    search_fields = ("subject_id",)
    search_help_text = "Search by the id of what was changed"
    fieldsets: ClassVar = [
        (
            "Entry",
            {"fields": ["when", "action_shown", "subject", "who", "operator_shown", "reason"]},
        ),
        ("Trace", {"fields": ["request_shown"]}),
    ]
    has_history = False
    empty_icon = "history"
    empty_text = "Whatever anybody changes here, or through the API, leaves an entry."

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Return the entries with the names that they mention, and whether they lead on."""
        queryset: QuerySet[AuditEntry] = super().get_queryset(request)
        return queryset.annotate(
            staff_name=_staff_name(),
            operator_name=Subquery(
                Operator.objects.filter(pk=OuterRef("operator_id")).values("name")[:1]
            ),
            leads_on=Q(subject_type__in=_types_to_see(request)),
        )

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow the links that lead here from the pages of what was changed."""
        return lookup in ("subject_type", "subject_id") or bool(
            super().lookup_allowed(lookup, value, request)
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find entries by the exact id of their subject, through its index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        # The index leads with the type: naming all of them lets the database use it.
        types = [model._meta.label_lower for model in apps.get_models()]
        return queryset.filter(Q(subject_type__in=types, subject_id=term)), False

    @admin.display(description="When")
    def when(self, entry: AuditEntry) -> str:
        """Return when it was done."""
        return instant(entry.created_at)

    @admin.display(description="Action")
    def action_shown(self, entry: AuditEntry) -> str:
        """Return what was done."""
        return code(entry.action)

    @admin.display(description="Subject")
    def subject(self, entry: AuditEntry) -> str:
        """Return a link to what was changed, for whoever may see it."""
        kind = _subject_kind(entry.subject_type)
        text = f"{kind} {entry.subject_id}"
        leads_on = getattr(entry, "leads_on", False)
        url = url_of(entry.subject_type, entry.subject_id) if leads_on else ""
        return link(url, text) if url else text

    @admin.display(description="Who")
    def who(self, entry: AuditEntry) -> str:
        """Return who did it."""
        name = getattr(entry, "staff_name", None) or entry.actor_ref
        return f"{ActorKind(entry.actor_kind).label}: {name}"

    @admin.display(description="Operator")
    def operator_shown(self, entry: AuditEntry) -> str:
        """Return for which operator it was done."""
        return getattr(entry, "operator_name", None) or EMPTY

    @admin.display(description="Request id")
    def request_shown(self, entry: AuditEntry) -> str:
        """Return the id by which the logs know the request."""
        return code(entry.request_id)

    def panels_after(self, request: HttpRequest, subject: AuditEntry, now: datetime) -> list[Panel]:
        """Return what changed, field by field."""
        rows = list(changes_of(subject))
        return [Panel("What changed", "admin/operators/changes.html", {"rows": rows})]


def changes_of(entry: AuditEntry) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield each recorded field with its value before and after; null where there was none."""
    for name in dict.fromkeys([*entry.before, *entry.after]):
        yield (
            name.replace("_", " "),
            _shown(entry.before.get(name)),
            _shown(entry.after.get(name)),
        )


def _shown(value: Any) -> str | None:
    match value:
        case None | "":
            return None
        case list() | dict() if not value:
            return None
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case list() if all(isinstance(item, str) for item in value):
            return "\n".join(value)
        case dict() | list():
            return json.dumps(value, indent=2, ensure_ascii=False)
        case _:
            return str(value)


def _subject_kind(label: str) -> str:
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except (LookupError, ValueError):
        return label


def _types_to_see(request: HttpRequest) -> list[str]:
    """Return what entries are about whose pages the person may see."""
    return [
        model._meta.label_lower
        for model, model_admin in admin.site._registry.items()
        if model_admin.has_view_permission(request)
    ]


def _staff_name() -> Subquery:
    """Return the user name behind an entry's actor, if that is a member of staff."""
    known = User.objects.annotate(ref=Cast("pk", CharField()))
    return Subquery(
        known.filter(ref=OuterRef("actor_ref")).values("username")[:1],
        output_field=CharField(),
    )
