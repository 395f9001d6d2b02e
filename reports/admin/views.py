"""The pages of reports: what there is, one of them, and its file."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from core.admin import staff_actor
from core.errors import NotFound
from reports.admin.display import preset_links, show_table
from reports.admin.forms import ExportForm, ReportForm, first_question
from reports.representations import describe_question, file_name, iterate_report_lines
from reports.selectors import REPORTS, Question, Report, get_report
from reports.services.exports import record_export

View = Callable[..., HttpResponse]

_VIEW = "reports.view_report"
_PERSONAL = "reports.view_personal_data"


def list_view(request: HttpRequest) -> HttpResponse:
    """Show which reports there are, one sentence each."""
    if not request.user.has_perm(_VIEW):
        raise PermissionDenied
    reports = [
        {
            "title": report.title,
            "sentence": report.sentence,
            "icon": report.icon,
            "url": reverse("reports:report", args=[report.name]),
        }
        for report in REPORTS.values()
        if request.user.has_perms(report.view_permissions)
    ]
    return _page(request, "admin/reports/index.html", title="Reports", reports=reports)


def report_view(request: HttpRequest, name: str) -> HttpResponse:
    """Show one report."""
    report = _report_to_see(request, name)
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    now = timezone.now()
    asked = first_question(request.GET, now=now)
    form = ReportForm(
        asked or None, report=report, now=now, shows_personal_data=request.user.has_perm(_PERSONAL)
    )
    form.is_valid()
    context: dict[str, Any] = {"title": report.title, "report": report, "form": form}
    if form.operator is not None:
        context["presets"] = list(preset_links(asked, zone=form.operator.time_zone, now=now))
    if form.question is None:
        return _page(request, "admin/reports/report.html", **context)
    question = form.question
    table = show_table(report, question)
    context |= {
        "question": question,
        "table": table,
        "rows_shown": f"{len(table.rows):,}",
        "notes": [*report.notes(question), _of_days(question)],
        "export": _export_of(request, report, asked),
    }
    return _page(request, "admin/reports/report.html", **context)


def export_view(request: HttpRequest, report_name: str) -> Any:
    """Send a report as a file, once it is written down who takes it away."""
    report = _report_to_see(request, report_name)
    if not request.user.has_perm(report.export_permission):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    form = ExportForm(
        request.POST,
        report=report,
        now=timezone.now(),
        shows_personal_data=request.user.has_perm(_PERSONAL),
    )
    if not form.is_valid() or form.question is None:
        context = {"title": report.title, "report": report, "form": form}
        return _page(request, "admin/reports/report.html", status=400, **context)
    question = form.question
    record_export(
        operator=question.operator,
        description=describe_question(report=report, question=question),
        reason=form.cleaned_data["reason"],
        actor=staff_actor(request),
        now=question.now,
    )
    name = file_name(report=report, question=question)
    return StreamingHttpResponse(
        iterate_report_lines(report=report, question=question),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _report_to_see(request: HttpRequest, name: str) -> Report:
    try:
        report = get_report(name=name)
    except NotFound:
        raise Http404 from None
    if not request.user.has_perms(report.view_permissions):
        raise PermissionDenied
    return report


def _export_of(request: HttpRequest, report: Report, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the form that downloads needs; nothing for whoever may not."""
    if not request.user.has_perm(report.export_permission):
        return {}
    return {
        "url": reverse("reports:export", args=[report.name]),
        "fields": [
            (name, asked.get(name, ""))
            for name in ("operator", "from", "to", *(option.name for option in report.options))
        ],
    }


def _of_days(question: Question) -> str:
    """Say where the days begin."""
    there = question.now.astimezone(ZoneInfo(question.period.zone))
    return (
        f"Days begin at midnight in {question.period.zone}, where it is {there:%H:%M} now."
        " The first and the last day are included."
    )


def _page(
    request: HttpRequest, template: str, *, status: int = 200, **context: Any
) -> TemplateResponse:
    request.current_app = admin.site.name
    everywhere = admin.site.each_context(request)
    return TemplateResponse(request, template, {**everywhere, **context}, status=status)
