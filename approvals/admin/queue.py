"""The one queue: what waits for a second person, whoever keeps it, and what became of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from approvals import ports
from approvals.enums import ApprovalStatus
from approvals.models import Approval
from approvals.selectors import (
    OWN,
    QueueItem,
    count_waiting,
    is_over,
    list_decided,
    list_expired,
    list_open,
    list_queue_sources,
)
from core.actors import ActorKind
from core.admin.display import EMPTY, Tone, badge, instant, link, money, url_of
from operators.models import Operator

_PAGE_SIZE = 50
_PAGES_MAX = 200
_WAITING, _EXPIRED, _DECIDED = "waiting", "expired", "decided"
_SHOWN = (
    (_WAITING, "Waiting", "Nothing waits for a second person."),
    (_EXPIRED, "Expired", "Nothing has expired without a decision."),
    (_DECIDED, "Decided", "Nothing has been decided yet."),
)


def show_queue(model_admin: Any, request: HttpRequest) -> TemplateResponse:
    """
    Answer the address of the queue.

    :raises PermissionDenied: if the person may not see requests, or sends something to it.
    """
    is_read = request.method in ("GET", "HEAD")
    if not is_read or not model_admin.has_view_permission(request):
        raise PermissionDenied
    request.current_app = model_admin.admin_site.name
    context = {**model_admin.admin_site.each_context(request), **_context_of(model_admin, request)}
    return TemplateResponse(request, "admin/approvals/queue.html", context)


def request_badge(approval: Approval, *, now: datetime) -> str:
    """Return what became of a request; one whose time is up has expired."""
    is_open = approval.status == ApprovalStatus.REQUESTED
    if is_open and approval.expires_at <= now:
        return _expired_badge()
    if is_open and is_over(approval=approval):
        return _over_badge()
    label = OWN.words[approval.status]
    return badge(label, _TONES[approval.status])


_TONES = {
    ApprovalStatus.REQUESTED: Tone.WARNING,
    ApprovalStatus.APPLIED: Tone.GOOD,
    ApprovalStatus.REJECTED: Tone.BAD,
}


def _expired_badge() -> str:
    return badge("Expired", Tone.QUIET, title="Nobody decided in time; it can be rejected.")


def _over_badge() -> str:
    title = "What it is about has ended; it can be rejected."
    return badge("Cannot be done any more", Tone.QUIET, title=title)


def _context_of(model_admin: Any, request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    given = {
        "show": _chosen(request, "show", [name for name, _label, _nothing in _SHOWN]) or _WAITING,
        "kind": _chosen(request, "kind", [name for name, _title in _kinds(request)]),
        "operator": request.GET.get("operator", ""),
    }
    operators = list(Operator.objects.order_by("name").values_list("pk", "name"))
    if given["operator"] not in [str(pk) for pk, _name in operators]:
        given["operator"] = ""
    page = min(_number(request.GET.get("p", "")), _PAGES_MAX)
    items = _read(request, given, now=now, offset=page * _PAGE_SIZE)
    return {
        "title": "Waiting for a second person" if given["show"] == _WAITING else "Approvals",
        "opts": model_admin.opts,
        "tabs": [
            {
                "label": label,
                "url": _url(**{**given, "show": name}),
                "is_shown": name == given["show"],
                "count": count_waiting(request.user, now) if name == _WAITING else None,
            }
            for name, label, _nothing in _SHOWN
        ],
        "given": given,
        "kinds": _kinds(request),
        "operators": [(str(pk), name) for pk, name in operators],
        "is_decided": given["show"] == _DECIDED,
        "rows": _rows(request, items[:_PAGE_SIZE], now=now),
        "nothing": next(nothing for name, _label, nothing in _SHOWN if name == given["show"]),
        "is_narrowed": bool(given["kind"] or given["operator"]),
        "empty_text": model_admin.empty_text,
        "previous_url": _url(**given, p=page - 1) if page else "",
        "next_url": _url(**given, p=page + 1) if len(items) > _PAGE_SIZE else "",
    }


def _read(
    request: HttpRequest, given: dict[str, str], *, now: datetime, offset: int
) -> list[QueueItem]:
    user: Any = request.user
    narrowed: dict[str, Any] = {"offset": offset, "limit": _PAGE_SIZE + 1}
    if given["kind"]:
        narrowed["kind"] = given["kind"]
    if given["operator"]:
        narrowed["operator_id"] = int(given["operator"])
    if given["show"] == _DECIDED:
        return list_decided(user, **narrowed)
    if given["show"] == _EXPIRED:
        return list_expired(user, now, **narrowed)
    return list_open(user, now, **narrowed)


def _rows(
    request: HttpRequest, items: Iterable[QueueItem], *, now: datetime
) -> list[dict[str, Any]]:
    items = list(items)
    names = _names_of(items)
    return [
        {
            "kind": item.title,
            "about": link(url_of(item.model_label, item.pk), item.about),
            "operator": item.operator,
            "amount": money(item.amount, item.currency) if item.currency else EMPTY,
            "asked_at": instant(item.asked_at),
            "asked_by": names(item.asked_by_kind, item.asked_by_ref),
            "expires_at": instant(item.expires_at),
            "status": _badge_of(item, now=now),
            "decided_at": instant(item.decided_at),
            "decided_by": names(item.decided_by_kind, item.decided_by_ref),
            "decisions": _decisions(request, item, now=now),
        }
        for item in items
    ]


def _badge_of(item: QueueItem, *, now: datetime) -> str:
    if item.is_expired(now=now):
        return _expired_badge()
    if item.is_over:
        return _over_badge()
    if item.is_open:
        return badge(item.label, Tone.WARNING)
    return badge(item.label, Tone.BAD if item.status == ApprovalStatus.REJECTED else Tone.GOOD)


def _decisions(request: HttpRequest, item: QueueItem, *, now: datetime) -> list[str]:
    """Return links to the decisions that the person may take; none upon what is their own."""
    is_own = (item.asked_by_kind, item.asked_by_ref) == (ActorKind.STAFF, str(request.user.pk))
    if not item.is_open or is_own or not request.user.has_perm(item.decide_permission):
        return []
    prefix = item.model_label.replace(".", "_")
    # What has expired, or is over, can only be rejected, which comes last.
    verbs = item.verbs[-1:] if item.is_expired(now=now) or item.is_over else item.verbs
    return [link(reverse(f"admin:{prefix}_{name}", args=[item.pk]), verb) for verb, name in verbs]


def _names_of(items: list[QueueItem]) -> Any:
    refs = {
        ref
        for item in items
        for kind, ref in (
            (item.asked_by_kind, item.asked_by_ref),
            (item.decided_by_kind, item.decided_by_ref),
        )
        if kind == ActorKind.STAFF and ref.isdecimal()
    }
    found = User.objects.filter(pk__in=[int(ref) for ref in refs])
    names = {str(pk): name for pk, name in found.values_list("pk", "username")}

    def named(kind: str, ref: str) -> str:
        if not ref:
            return EMPTY
        return f"{ActorKind(kind).label}: {names.get(ref, ref)}"

    return named


def _kinds(request: HttpRequest) -> list[tuple[str, str]]:
    user: Any = request.user
    own = [(kind.name, kind.title) for kind in ports.list_kinds()]
    others = [(each.name, each.title) for each in list_queue_sources(user) if each is not OWN]
    return sorted([*own, *others], key=lambda kind: kind[1])


def _chosen(request: HttpRequest, name: str, choices: list[str]) -> str:
    value = request.GET.get(name, "")
    return value if value in choices else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _url(**query: Any) -> str:
    kept = {name: value for name, value in query.items() if value not in ("", 0)}
    url = reverse("admin:approvals_approval_changelist")
    return f"{url}?{urlencode(kept)}" if kept else url
