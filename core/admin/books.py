"""Whether the books balance: every run of the checks, and the last one on the home page."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from core.admin.base import LargeTableAdmin
from core.admin.display import Tone, badge, instant
from core.admin.panels import Panel, panel_at_home
from core.models import BooksCheck


@admin.register(BooksCheck)
class BooksCheckAdmin(LargeTableAdmin):
    """Look at the runs of check_books and at what each found."""

    list_display = ("started", "outcome", "checked_count", "took")
    fieldsets: ClassVar = [("Check", {"fields": ["started", "took", "checked_count", "outcome"]})]
    has_history = False
    empty_icon = "fact_check"
    empty_text = (
        "The books have not been checked yet. They are checked every night, and whenever "
        "somebody runs manage.py check_books."
    )

    @admin.display(description="Started")
    def started(self, check: BooksCheck) -> str:
        """Return when the run started."""
        return instant(check.started_at)

    @admin.display(description="Outcome")
    def outcome(self, check: BooksCheck) -> str:
        """Return whether the books balanced."""
        return outcome_badge(check)

    @admin.display(description="Took")
    def took(self, check: BooksCheck) -> str:
        """Return how long the run took."""
        return f"{(check.finished_at - check.started_at).total_seconds():.1f} s"

    def panels_after(self, request: HttpRequest, subject: BooksCheck, now: datetime) -> list[Panel]:
        """Return the table of the differences, if there were any."""
        if subject.is_balanced:
            return []
        return [
            Panel(
                "Differences",
                "admin/backoffice/panels/differences.html",
                {"differences": subject.differences},
            )
        ]


@panel_at_home(order=20)
def books_panel(request: HttpRequest, now: datetime) -> Panel | None:
    """Return the last check of the books."""
    if not request.user.has_perm("core.view_bookscheck"):
        return None
    check = BooksCheck.objects.order_by("-pk").first()
    context: dict[str, Any] = {"check": check}
    if check is not None:
        context["outcome"] = outcome_badge(check)
        context["finished"] = instant(check.finished_at)
    return Panel("Books", "admin/backoffice/panels/books.html", context)


def outcome_badge(check: BooksCheck) -> str:
    """Return what a run found, as a badge."""
    if check.is_balanced:
        return badge("Balanced", Tone.GOOD)
    count = len(check.differences)
    return badge(f"{count} difference{'' if count == 1 else 's'}", Tone.BAD)
