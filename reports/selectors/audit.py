"""The audit trail of some days, whole, personal data masked unless somebody may see it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from core.actors import ActorKind
from core.models import AuditEntry
from reports.rules.masking import mask_payload
from reports.rules.tables import Column, Kind, Row
from reports.selectors.base import Option, Question, Report

_ENTRIES_AT_ONCE = 1_000
#: Nobody counts more on a page, and counting takes as long as there are entries.
_COUNTED_MAX = 10_000
_PSEUDONYM_LENGTH = 12

WHOSE = Option(
    "whose",
    "Entries",
    (("operator", "of the operator"), ("none", "of no operator: staff, roles, platform")),
)


class AuditExport(Report):
    """Who did what, when, and why."""

    name = "audit"
    title = "Audit trail"
    icon = "history"
    sentence = "Who changed what, when and why, entry by entry, as the trail has it."
    nothing = "No activity: nobody changed anything in these days."
    options: ClassVar = (WHOSE,)
    view_permissions = ("reports.view_report", "core.view_auditentry")
    export_permission = "reports.export_audit"
    needs_reason = True
    rows_shown_max = 50
    rows_shown = "newest"

    def columns(self, question: Question) -> Sequence[Column]:
        """Return the columns."""
        return (
            Column(
                "id",
                "Entry",
                Kind.CODE,
                "Its number in the trail: it only grows.",
                leads_to="core.auditentry",
            ),
            Column("at", "When", Kind.INSTANT, "On the clocks of the operator's time zone."),
            Column("action", "Action", Kind.CODE, "What was done."),
            Column("subject_type", "Of what", Kind.CODE, "The kind of thing that was changed."),
            Column("subject_id", "Which", Kind.CODE, "Its id."),
            Column("actor_kind", "Door", Kind.TEXT, "By what kind of actor."),
            Column("actor", "Who", Kind.TEXT, "The actor; staff by name, if that may be seen."),
            Column("reason", "Why", Kind.TEXT, "The reason that was given."),
            Column("before", "Before", Kind.CODE, "The changed fields, before.", on_page=False),
            Column("after", "After", Kind.CODE, "The changed fields, after."),
            Column("request_id", "Request", Kind.CODE, "By which the logs know it.", on_page=False),
        )

    def rows(self, question: Question) -> Iterator[Row]:
        """Yield the entries in the order of their instants, so many at a time."""
        return _rows(question, at_once=_ENTRIES_AT_ONCE)

    def rows_of_page(self, question: Question) -> Iterator[Row]:
        """Yield the newest entries first; no more are read than a page shows, and one."""
        newest = _entries(question).order_by("-created_at", "-pk")
        page = list(newest[: self.rows_shown_max + 1])
        names = _staff_names(page) if question.shows_personal_data else {}
        return (_row_of(entry, names, question) for entry in page)

    def count_text(self, question: Question) -> str:
        """Return how many entries there are, counted up to a limit."""
        count = _entries(question).order_by()[: _COUNTED_MAX + 1].count()
        return f"{count:,}" if count <= _COUNTED_MAX else f"more than {_COUNTED_MAX:,}"

    def has_totals(self, question: Question) -> bool:
        """Tell that entries have no sum: a page need not read them all."""
        return False

    def notes(self, question: Question) -> list[str]:
        """Say what is masked."""
        if question.shows_personal_data:
            return ["Personal data is shown: players' and staff's names, and reasons as typed."]
        return [
            "Personal data is masked: one player has one mask at one operator.",
            "The reasons that were given are not shown.",
        ]


def _entries(question: Question) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(
        operator_id=_operator_id(question),
        created_at__gte=question.period.since,
        created_at__lt=question.period.until,
    )


def _rows(question: Question, *, at_once: int) -> Iterator[Row]:
    found = _entries(question).order_by("created_at", "pk")
    page = list(found[:at_once])
    while page:
        names = _staff_names(page) if question.shows_personal_data else {}
        for entry in page:
            yield _row_of(entry, names, question)
        if len(page) < at_once:
            return
        last = page[-1]
        later = Q(created_at__gt=last.created_at) | Q(created_at=last.created_at, pk__gt=last.pk)
        page = list(found.filter(later, created_at__gte=last.created_at)[:at_once])


def _operator_id(question: Question) -> int | None:
    return question.operator.pk if question.option(WHOSE) == "operator" else None


def _row_of(entry: AuditEntry, names: dict[str, str], question: Question) -> Row:
    before, after, reason = entry.before, entry.after, entry.reason
    subject_id, actor = entry.subject_id, entry.actor_ref
    if question.shows_personal_data:
        actor = names.get(actor, actor) if entry.actor_kind == ActorKind.STAFF else actor
    else:
        before, after = (_masked(payload, question) for payload in (before, after))
        reason = "(not shown)" if reason else ""
        subject_id = _masked(subject_id, question)
        # Staff are numbers here; whoever is not has typed a name that nobody has.
        actor = _masked(actor, question) if entry.actor_kind == ActorKind.STAFF else actor
    return {
        "id": str(entry.pk),
        "at": entry.created_at,
        "action": entry.action,
        "subject_type": entry.subject_type,
        "subject_id": subject_id,
        "actor_kind": str(ActorKind(entry.actor_kind).label),
        "actor": actor,
        "reason": reason,
        "before": _as_text(before),
        "after": _as_text(after),
        "request_id": entry.request_id,
    }


def _masked(payload: Any, question: Question) -> Any:
    salt = f"reports.audit.{question.operator.pk}"

    def pseudonym(text: str) -> str:
        # Keyed, so that nobody finds a player by trying their id.
        digest = salted_hmac(salt, text, algorithm="sha256").hexdigest()
        return f"masked:{digest[:_PSEUDONYM_LENGTH]}"

    return mask_payload(payload, pseudonym=pseudonym)


def _staff_names(entries: Iterable[AuditEntry]) -> dict[str, str]:
    refs = {entry.actor_ref for entry in entries if entry.actor_kind == ActorKind.STAFF}
    known = User.objects.filter(pk__in=[int(ref) for ref in refs if ref.isdecimal()])
    return {str(user.pk): user.username for user in known}


def _as_text(payload: Any) -> str:
    return json.dumps(payload, ensure_ascii=False, sort_keys=True) if payload else ""
