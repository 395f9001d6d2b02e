"""
The history of a row that everything happens to: what the apps above it know, newest first.

Each app registers sources. A page shows the newest events of all of them, and leads further
back from where it ends. No source reads more than a page needs, however much there is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from core.actors import ActorKind
from core.admin.display import url_of
from core.admin.panels import Panel
from core.admin.timeline import READ_TRAIL, TimelineEvent, names_of
from core.models import AuditEntry

PAGE_SIZE = 40
#: So many rows of one kind, the newest, are asked for what was decided about them.
SUBJECTS_MAX = 300
#: More things of one instant than this are not told apart by the way back.
_SKIPPED_MAX = 500


@dataclass(frozen=True, slots=True)
class Window:
    """
    What a source is asked for: its ``size`` newest events up to ``until``, inclusive.

    ``mark`` is that of the last event of its kind that has been shown; empty at first.
    """

    until: datetime | None
    size: int
    mark: str = ""

    def up_to(self, name: str) -> dict[str, Any]:
        """Return the bound as a filter of the column ``name``."""
        return {} if self.until is None else {f"{name}__lte": self.until}


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """
    One thing that happened, or very many alike as one.

    What sums up many has a ``mark`` to go on from, which its source gets back; ``goes_on``
    says that there is more of the same right behind it that has not been read.
    """

    event: TimelineEvent
    #: The primary key of staff who did it; shown by name to whoever may see the trail.
    staff_ref: str = ""
    mark: str = ""
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class _Source:
    """A part of a history: what it is called, who may hear of it, and how it is read."""

    kind: str
    title: str
    order: int
    permission: str
    read: Callable[[HttpRequest, Any, Window], Iterable[HistoryEvent]]


@dataclass(slots=True)
class _Page:
    """What is shown, and the query that leads further back; empty at the end."""

    shown: list[tuple[str, HistoryEvent]] = field(default_factory=list)
    back: dict[str, str] = field(default_factory=dict)


_sources: dict[str, list[_Source]] = {}

Reader = Callable[[HttpRequest, Any, Window], Iterable[HistoryEvent]]


def history_of(
    model_label: str, *, kind: str, title: str, order: int, permission: str
) -> Callable[[Reader], Reader]:
    """
    Have the decorated function tell a part of the history of every row of the model.

    Several may tell of one ``kind``, which people can choose alone; of these only one may
    use marks. Whoever lacks the ``permission`` does not hear of it.
    """

    def register(read: Reader) -> Reader:
        _sources.setdefault(model_label, []).append(_Source(kind, title, order, permission, read))
        return read

    return register


def history_panel(request: HttpRequest, subject: Model) -> Panel:
    """Return the newest events of the row, of the kind and up to the instant asked for."""
    sources = sorted(
        (
            source
            for source in _sources.get(subject._meta.label_lower, [])
            if request.user.has_perm(source.permission)
        ),
        key=lambda source: source.order,
    )
    kinds = {source.kind: source.title for source in sources}
    chosen = request.GET.get("kind", "")
    chosen = chosen if chosen in kinds else ""
    page = _read(request, subject, [each for each in sources if chosen in ("", each.kind)])
    narrowed = {"kind": chosen} if chosen else {}
    return Panel(
        "Timeline",
        "admin/backoffice/panels/history.html",
        {
            "events": list(_for_people(request, page.shown)),
            "has_money": any(each.event.amount for _kind, each in page.shown),
            "kinds": [("", "Everything"), *kinds.items()] if len(kinds) > 1 else [],
            "chosen": chosen,
            "back": urlencode({**narrowed, **page.back}) if page.back else "",
            "newest": urlencode(narrowed),
            "is_older": "until" in request.GET,
        },
    )


def newest_decisions(
    subject_type: str,
    subject_ids: Iterable[Any],
    window: Window,
    *,
    said: Mapping[str, str],
    describe: Callable[[AuditEntry], str],
    may_read_trail: bool,
    lead_to: Callable[[AuditEntry], str] | None = None,
) -> Iterator[HistoryEvent]:
    """
    Yield the newest that the audit trail knows of the rows, in the words of ``said``.

    What somebody typed, and the way to the entry, is for whoever may read the trail. Events
    lead where ``lead_to`` says instead, if it is given.
    """
    found = AuditEntry.objects.filter(
        subject_type=subject_type,
        subject_id__in=[str(each) for each in subject_ids],
        **window.up_to("created_at"),
    ).order_by("-created_at", "-pk")
    for entry in found[: window.size]:
        is_staff = entry.actor_kind == ActorKind.STAFF
        label = ActorKind(entry.actor_kind).label
        yield HistoryEvent(
            TimelineEvent(
                at=entry.created_at,
                order=entry.pk,
                what=said.get(entry.action, entry.action),
                detail=describe(entry),
                who=label if is_staff else f"{label}: {entry.actor_ref}",
                reason=entry.reason if may_read_trail else "",
                url=_way_of(entry, lead_to, may_read_trail=may_read_trail),
            ),
            staff_ref=entry.actor_ref if is_staff else "",
        )


def _way_of(
    entry: AuditEntry, lead_to: Callable[[AuditEntry], str] | None, *, may_read_trail: bool
) -> str:
    if lead_to is not None:
        return lead_to(entry)
    return url_of("core.auditentry", entry.pk) if may_read_trail else ""


def may_read_trail(request: HttpRequest) -> bool:
    """Tell whether the person may see who of staff did something, and what they typed."""
    return bool(request.user.has_perm(READ_TRAIL))


def _read(request: HttpRequest, subject: Model, sources: list[_Source]) -> _Page:
    """Return one page: the newest of all sources together, and where it goes on."""
    until, skip = _asked(request)
    marks = {source.kind: request.GET.get(source.kind, "") for source in sources}
    found: list[tuple[str, HistoryEvent]] = []
    for source in sources:
        window = Window(until, PAGE_SIZE + skip + 1, marks[source.kind])
        found += [(source.kind, each) for each in source.read(request, subject, window)]
    found.sort(key=lambda item: (item[1].event.at, item[1].event.order), reverse=True)

    numbers = count()
    page = _Page()
    for kind, each in found:
        if each.event.at == until and not each.mark and next(numbers) < skip:
            continue
        if len(page.shown) == PAGE_SIZE or (page.shown and page.shown[-1][1].goes_on):
            page.back = _way_back(page.shown, marks, until, skip)
            return page
        page.shown.append((kind, each))
    if page.shown and page.shown[-1][1].goes_on:
        page.back = _way_back(page.shown, marks, until, skip)
    return page


def _way_back(
    shown: list[tuple[str, HistoryEvent]],
    marks: Mapping[str, str],
    until: datetime | None,
    skip: int,
) -> dict[str, str]:
    """Return the query of the page behind the last event that is shown."""
    last = shown[-1][1].event.at
    same = sum(1 for _kind, each in shown if each.event.at == last and not each.mark)
    if last == until:
        same += skip
    left_off = {kind: mark for kind, mark in marks.items() if mark}
    left_off |= {kind: each.mark for kind, each in shown if each.mark}
    return {"until": last.isoformat(), "skip": str(same), **left_off}


def _asked(request: HttpRequest) -> tuple[datetime | None, int]:
    """Return up to which instant is asked, and how much of it has been shown."""
    try:
        until = parse_datetime(request.GET.get("until", ""))
    except ValueError:
        return None, 0
    if until is None or until.tzinfo is None:
        return None, 0
    skip = request.GET.get("skip", "")
    return until, min(int(skip), _SKIPPED_MAX) if skip.isdecimal() else 0


def _for_people(
    request: HttpRequest, shown: list[tuple[str, HistoryEvent]]
) -> Iterator[dict[str, Any]]:
    """Yield the events as the page shows them, staff by their names where that is allowed."""
    refs = [each.staff_ref for _kind, each in shown if each.staff_ref]
    names = names_of(refs) if may_read_trail(request) else {}
    for kind, each in shown:
        name = names.get(each.staff_ref, "")
        yield {
            "kind": kind,
            "event": each.event,
            "who": f"{each.event.who}: {name}" if name else each.event.who,
        }
