"""Everything that happened to a row: what was decided about it, and what came of that."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from core.actors import ActorKind
from core.admin.display import instant, url_of
from core.admin.panels import Panel
from core.models import AuditEntry

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

    ``describe`` tells the details of an entry from what it changed to.
    """
    found = list(
        AuditEntry.objects.filter(
            subject_type=subject_type, subject_id__in=[str(each) for each in subject_ids]
        ).order_by("pk")[:_ENTRIES_MAX]
    )
    names = names_of([entry.actor_ref for entry in found if entry.actor_kind == ActorKind.STAFF])
    for entry in found:
        is_staff = entry.actor_kind == ActorKind.STAFF
        who = names.get(entry.actor_ref, entry.actor_ref) if is_staff else entry.actor_ref
        yield TimelineEvent(
            at=entry.created_at,
            order=entry.pk,
            what=said.get(entry.action, entry.action),
            detail=describe(entry.after),
            who=f"{ActorKind(entry.actor_kind).label}: {who}",
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
    return Panel("Timeline", "admin/backoffice/panels/timeline.html", context)


def names_of(staff_refs: list[str]) -> dict[str, str]:
    """Return the names of staff by what actors call them: their primary keys."""
    known = User.objects.filter(pk__in=[int(ref) for ref in staff_refs if ref.isdecimal()])
    return {str(user.pk): user.username for user in known}
