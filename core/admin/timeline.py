"""Everything that happened to a row: what was decided about it, and what came of that."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

from core.actors import ActorKind
from core.admin.display import instant, url_of
from core.admin.panels import Panel
from core.models import AuditEntry

#: May see who of staff did something, what they typed, and the entry itself.
READ_TRAIL = "core.view_auditentry"
_ENTRIES_MAX = 100
#: Added to the key of whatever follows from a decision of the same instant.
AFTER_DECISIONS = 2**62


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One thing that happened."""

    at: datetime
    #: Decisions come before the money that they moved at the same instant.
    order: int
    what: str
    detail: str = ""
    who: str = ""
    reason: str = ""
    amount: str = ""
    url: str = ""
    #: Of what the audit trail tells: who it was for people who may not read that.
    who_else: str = ""

    def without_trail(self) -> "TimelineEvent":
        """Return what is told to whoever may not read the audit trail."""
        return replace(self, who=self.who_else, reason="", url="") if self.who_else else self

    @property
    def when(self) -> str:
        """Return the instant, for people."""
        return instant(self.at)


def decisions_about(
    subject_type: str,
    subject_ids: Iterable[Any],
    *,
    said: Mapping[str, str],
    describe: Callable[[dict[str, Any]], str],
) -> Iterator[TimelineEvent]:
    """
    Yield what the audit trail knows of the rows, each action in the words of ``said``.

    ``describe`` tells the details of an entry from what it changed to. ``timeline_panel``
    shows the names of staff, what they typed and the way to the entry to readers of the trail.
    """
    found = list(
        AuditEntry.objects.filter(
            subject_type=subject_type, subject_id__in=[str(each) for each in subject_ids]
        ).order_by("pk")[:_ENTRIES_MAX]
    )
    names = names_of([entry.actor_ref for entry in found if entry.actor_kind == ActorKind.STAFF])
    for entry in found:
        is_staff = entry.actor_kind == ActorKind.STAFF
        label = ActorKind(entry.actor_kind).label
        who = f"{label}: {names.get(entry.actor_ref, entry.actor_ref)}"
        yield TimelineEvent(
            at=entry.created_at,
            order=entry.pk,
            what=said.get(entry.action, entry.action),
            detail=describe(entry.after),
            who=who,
            who_else=str(label) if is_staff else who,
            reason=entry.reason,
            url=url_of("core.auditentry", entry.pk),
        )


def actor_text(kind: str, ref: str) -> str:
    """Return who acted, staff by their names."""
    name = names_of([ref] if kind == ActorKind.STAFF else []).get(ref, ref)
    return f"{ActorKind(kind).label}: {name}"


def timeline_panel(events: Iterable[TimelineEvent], *, nothing: str) -> Panel:
    """Return the events as a panel, oldest first; ``nothing`` is said when there are none."""
    told = sorted(events, key=lambda event: (event.at, event.order))
    context = {
        "events": told,
        "has_money": any(event.amount for event in told),
        "nothing": nothing,
    }
    return _Timeline("Timeline", "admin/backoffice/panels/timeline.html", context)


class _Timeline(Panel):
    """A timeline that says no more than the person may know."""

    def render(self, request: HttpRequest) -> str:
        """Return the panel as HTML."""
        if request.user.has_perm(READ_TRAIL):
            return super().render(request)
        events = [event.without_trail() for event in self.context["events"]]
        return Panel(self.title, self.template, {**self.context, "events": events}).render(request)


def names_of(staff_refs: list[str]) -> dict[str, str]:
    """Return the names of staff by what actors call them: their primary keys."""
    known = User.objects.filter(pk__in=[int(ref) for ref in staff_refs if ref.isdecimal()])
    return {str(user.pk): user.username for user in known}
