"""Whether the books balance: every run of the checks, and the last one on the home page."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.timesince import timesince

from core.admin.base import LargeTableAdmin
from core.admin.display import Tone, badge, instant, list_url, url_of
from core.admin.panels import Panel, Tile, count_text, panel_at_home
from core.books import find_last_check
from core.models import BooksCheck

_LABEL = "Books"
# Nightly, and half a day for a night in which nothing ran.
_OVERDUE = timedelta(hours=36)


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
def books_tile(request: HttpRequest, now: datetime) -> Tile | None:
    """Return what the last check of the books found, and whether it is too long ago."""
    if not request.user.has_perm("core.view_bookscheck"):
        return None
    check = find_last_check()
    if check is None:
        note = "Never checked. That is done every night, and by manage.py check_books."
        return Tile(_LABEL, "None yet", note, list_url("core.bookscheck"), Tone.WARNING)
    url = url_of("core.bookscheck", check.pk)
    ago = timesince(check.finished_at, now, depth=1)
    if not check.is_balanced:
        note = f"{ago} ago. Look at them before anything is paid."
        return Tile(_LABEL, _outcome_text(check), note, url, Tone.BAD)
    if now - check.finished_at > _OVERDUE:
        return Tile(
            _LABEL, "Overdue", f"Last checked {ago} ago: is beat running?", url, Tone.WARNING
        )
    note = f"{count_text(check.checked_count)} checks, {ago} ago."
    return Tile(_LABEL, "Balanced", note, url, Tone.GOOD)


def outcome_badge(check: BooksCheck) -> str:
    """Return what a run found, as a badge."""
    return badge(_outcome_text(check), Tone.GOOD if check.is_balanced else Tone.BAD)


def _outcome_text(check: BooksCheck) -> str:
    if check.is_balanced:
        return "Balanced"
    count = len(check.differences)
    return f"{count} difference{'' if count == 1 else 's'}"
