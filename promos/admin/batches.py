"""Batches of single-use codes: asked for, watched, downloaded, disabled."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RelatedDropdownFilter
from unfold.enums import ActionVariant

from core import audit
from core.admin import LargeTableAdmin, Panel, ServicePage
from core.admin.display import code, instant, object_link, url_of
from promos.admin.display import batch_badge
from promos.admin.forms import MakeBatchForm
from promos.enums import BatchStatus
from promos.models import CodeBatch, Promo
from promos.representations import iterate_csv_lines
from promos.selectors import count_claimed_codes
from promos.services import batches


class MakeBatchPage(ServicePage[Promo]):
    """Ask for single-use codes that share a promo's terms."""

    name = "make-batch"
    permission = "promos.create_codebatch"
    verb = "Make codes"
    icon = "confirmation_number"
    form_class = MakeBatchForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Make single-use codes of {self.subject}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            f"Each code claims {self.subject} once, for one player, on the promo's own terms.",
            "A worker makes them: 100,000 take a few seconds. Their number is seen meanwhile.",
        ]

    def obstacle(self) -> str:
        """Refuse an archived promo."""
        if self.subject.archived_at is None:
            return ""
        return "The promo has been archived: no code of it could be claimed."

    def call(self, form: MakeBatchForm) -> str:
        """Ask for the batch."""
        with transaction.atomic(durable=True):
            self.made = batches.create_batch(
                operator=self.subject.operator,
                promo_id=self.subject.pk,
                count=form.cleaned_data["count"],
                pattern=form.cleaned_data["pattern"],
                actor=self.actor,
                now=self.now,
            )
        count = self.made.count
        return f"{count:,} code{' is' if count == 1 else 's are'} being made."

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the batch, for whoever may look at it."""
        if not self.request.user.has_perm("promos.view_codebatch"):
            return super().conclude(done)
        messages.success(self.request, done)
        return HttpResponseRedirect(url_of("promos.codebatch", self.made.pk))


class DownloadCodesPage(ServicePage[CodeBatch]):
    """Download the codes of a batch: they are worth money, so the trail says who did."""

    name = "codes"
    permission = "promos.download_codebatch"
    verb = "Download codes"
    icon = "download"
    variant = ActionVariant.PRIMARY

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Download the codes of {self.subject}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            f"A CSV file of {self.subject.count:,} codes, with who has claimed which and when.",
            "Whoever holds a code that nobody has claimed can claim it.",
            "No cell of it is run as a formula by a spreadsheet program.",
        ]

    def obstacle(self) -> str:
        """Refuse until all codes are made."""
        if self.subject.finished_at is not None:
            return ""
        return f"{self.subject.made_count:,} of {self.subject.count:,} codes are made."

    def call(self, form: Any) -> str:
        """Record who downloads them."""
        with transaction.atomic(durable=True):
            audit.record_action(
                operator=self.subject.operator,
                actor=self.actor,
                action="promo.batch.downloaded",
                subject=self.subject,
                reason=form.cleaned_data["reason"],
                now=self.now,
            )
        return ""

    def respond(self) -> HttpResponse:
        """Answer the request; codes that are not all made are not handed out."""
        if self.request.method == "POST" and self.is_allowed() and self.obstacle():
            form = self.make_form(self.request.POST)
            form.add_error(None, self.obstacle())
            return self.show(form, status=409)
        return super().respond()

    def conclude(self, done: str) -> HttpResponse:
        """Send the file."""
        name = f"codes-{self.subject.pk}.csv"
        file: Any = StreamingHttpResponse(
            iterate_csv_lines(batch=self.subject),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
        return file  # type: ignore[no-any-return]


class DisableBatchPage(ServicePage[CodeBatch]):
    """Disable a batch for ever."""

    name = "disable"
    permission = "promos.disable_codebatch"
    verb = "Disable"
    icon = "block"
    variant = ActionVariant.DANGER
    is_dangerous = True

    def consequences(self) -> list[str]:
        """Say what will happen."""
        claimed = count_claimed_codes(batch=self.subject)
        free = self.subject.made_count - claimed
        return [
            f"{free:,} code{'' if free == 1 else 's'} that nobody has claimed can never be.",
            f"{claimed:,} claim{' stays' if claimed == 1 else 's stay'} as they are.",
            "A disabled batch stays disabled.",
        ]

    def obstacle(self) -> str:
        """Refuse what is disabled already."""
        return "The batch has been disabled already." if self.subject.disabled_at else ""

    def call(self, form: Any) -> str:
        """Disable it."""
        batches.disable_batch(
            operator=self.subject.operator,
            batch_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{self.subject} was disabled."


@admin.register(CodeBatch)
class CodeBatchAdmin(LargeTableAdmin):
    """Look at batches; make one on the page of its promo."""

    list_display = ("pattern_shown", "promo", "operator", "status", "progress", "created")
    list_filter = (("operator", RelatedDropdownFilter), ("promo", AutocompleteSelectFilter))
    list_select_related = ("operator", "promo")
    search_fields = ("pattern",)
    search_help_text = "Search by the exact pattern"
    fieldsets: ClassVar = [
        ("Batch", {"fields": ["pattern_shown", "promo_link", "operator_link", "status"]}),
        ("Dates", {"fields": ["created", "finished", "failed", "disabled"]}),
    ]
    pages = (DownloadCodesPage, DisableBatchPage)
    empty_icon = "confirmation_number"
    empty_text = (
        "A batch is any number of single-use codes of one promo. Open a promo and press Make codes."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Find batches by their pattern."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(pattern=term.replace("\x00", "")), False

    @admin.display(description="Pattern")
    def pattern_shown(self, batch: CodeBatch) -> str:
        """Return what the codes look like."""
        return code(batch.pattern)

    @admin.display(description="Status")
    def status(self, batch: CodeBatch) -> str:
        """Return how far it is."""
        return batch_badge(batch)

    @admin.display(description="Made")
    def progress(self, batch: CodeBatch) -> str:
        """Return how many codes are made."""
        return f"{batch.made_count:,} of {batch.count:,}"

    @admin.display(description="Promo")
    def promo_link(self, batch: CodeBatch) -> str:
        """Return a link to the promo."""
        return object_link(batch.promo)

    @admin.display(description="Operator")
    def operator_link(self, batch: CodeBatch) -> str:
        """Return a link to the operator."""
        return object_link(batch.operator)

    @admin.display(description="Asked for")
    def created(self, batch: CodeBatch) -> str:
        """Return when it was asked for."""
        return instant(batch.created_at)

    @admin.display(description="Finished")
    def finished(self, batch: CodeBatch) -> str:
        """Return when its last code was made."""
        return instant(batch.finished_at)

    @admin.display(description="Failed")
    def failed(self, batch: CodeBatch) -> str:
        """Return when it turned out that its pattern is used up."""
        return instant(batch.failed_at)

    @admin.display(description="Disabled")
    def disabled(self, batch: CodeBatch) -> str:
        """Return when it was disabled."""
        return instant(batch.disabled_at)

    def panels_before(self, request: HttpRequest, subject: CodeBatch, now: datetime) -> list[Panel]:
        """Return how many codes are made, and how many of them claimed."""
        context = {
            "batch": subject,
            "claimed": count_claimed_codes(batch=subject),
            "has_failed": subject.status == BatchStatus.FAILED,
            "is_running": subject.status in (BatchStatus.PENDING, BatchStatus.MAKING),
        }
        return [Panel("Codes", "admin/promos/batch.html", context)]


def describe_batch(batch: CodeBatch) -> dict[str, Any]:
    """Return a batch as a row of its promo's page."""
    return {
        "link": object_link(batch, batch.pattern),
        "status": batch_badge(batch),
        "made": f"{batch.made_count:,} of {batch.count:,}",
        "created": instant(batch.created_at),
    }
