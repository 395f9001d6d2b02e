"""Segments: who is in them, and how many; made from rules or from a file of player ids."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.contrib.filters.admin import RelatedDropdownFilter

from core.admin import LargeTableAdmin, Panel, ServicePage
from core.admin.display import instant, object_link, url_of
from players.admin.segment_forms import FileForm, RulesForm
from players.models import Segment
from players.selectors import count_segment_players, count_segments_up_to
from players.services import segment_files, segments

#: Beyond it a list says "more than": rules are counted row by row.
_COUNTED_MAX = 10_000


class AddSegmentPage(ServicePage[None]):
    """Make a segment: choose first whether by rules or from a file."""

    name = "add"
    permission = "players.add_segment"
    verb = "Create segment"
    kinds_template: ClassVar[str] = "admin/players/segment_kinds.html"

    @property
    def title(self) -> str:
        """Say what the page does."""
        match self.kind:
            case "file":
                return "New segment from a CSV"
            case "rules":
                return "New segment by rules"
            case _:
                return "New segment"

    @property
    def kind(self) -> str:
        """Return what was chosen; empty while nothing is."""
        chosen = self.request.GET.get("kind", "")
        return chosen if chosen in ("file", "rules") else ""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        if self.kind == "file":
            return [
                "Exactly the players in the file belong to the segment; one named twice, once.",
                "If a line names nobody, nothing is made, and the lines are named.",
            ]
        return [
            "Who belongs is decided anew each time the segment is asked.",
            "A player must match every rule; with no rule at all every player belongs to it.",
        ]

    def respond(self) -> HttpResponse:
        """Answer the request; without a kind, let the person choose one."""
        if not self.kind and self.is_allowed():
            self.template = self.kinds_template  # type: ignore[misc]
            return self.show(None)
        return super().respond()

    def make_form(self, data: Any) -> FileForm | RulesForm:
        """Return the form of the kind."""
        if self.kind == "rules":
            return RulesForm(data)
        return FileForm(data, None if data is None else self.request.FILES)

    def call(self, form: Any) -> str:
        """Create the segment."""
        given = form.cleaned_data
        if self.kind == "rules":
            self.created = segments.create_segment_by_rules(
                operator=given["operator"],
                name=given["name"],
                rules=form.rules(),
                actor=self.actor,
                now=self.now,
            )
            return f"{self.created} was created: {_players(self.created)} now."
        uploaded = segment_files.create_segment_from_file(
            operator=given["operator"],
            name=given["name"],
            file=given["file"],
            actor=self.actor,
            now=self.now,
        )
        self.created = uploaded.segment
        twice = uploaded.repeated_count
        named = f", {twice:,} line{'' if twice == 1 else 's'} named somebody again" if twice else ""
        return f"{self.created} was created: {_players(self.created)}{named}."

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the segment."""
        messages.success(self.request, done)
        if not self.model_admin.has_view_permission(self.request):
            return HttpResponseRedirect(self.back_url())
        return HttpResponseRedirect(url_of("players.segment", self.created.pk))


@admin.register(Segment)
class SegmentAdmin(LargeTableAdmin):
    """Look at segments and their sizes; make one through its own page."""

    list_display = ("name", "operator", "chosen_by", "size_shown", "created")
    list_filter = (("operator", RelatedDropdownFilter),)
    list_select_related = ("operator",)
    # Rules are counted for every row that is shown.
    list_per_page = 20
    search_fields = ("name",)
    search_help_text = "Search by name"
    fieldsets: ClassVar = [
        ("Segment", {"fields": ["name", "operator_link", "chosen_by", "size", "created"]}),
    ]
    add_page = AddSegmentPage
    empty_icon = "groups"
    empty_text = (
        "A segment is a group of players: those in a CSV file, or whoever matches rules. "
        "Campaigns are for segments. Operators make them with POST /v1/segments too."
    )

    def complete_rows(self, rows: list[Any]) -> None:
        """Count the players of every segment, up to a bound, in one statement."""
        found = count_segments_up_to(segments=rows, at_most=_COUNTED_MAX)
        for segment in rows:
            segment.counted = found[segment.pk]

    @admin.display(description="Operator")
    def operator_link(self, segment: Segment) -> str:
        """Return a link to the operator."""
        return object_link(segment.operator)

    @admin.display(description="Players are")
    def chosen_by(self, segment: Segment) -> str:
        """Return how the members are chosen."""
        return "listed" if segment.is_listed else "chosen by rules"

    @admin.display(description="Players now")
    def size_shown(self, segment: Any) -> str:
        """Return how many players belong to the segment, up to a bound."""
        if segment.counted > _COUNTED_MAX:
            return f"more than {_COUNTED_MAX:,}"
        return f"{segment.counted:,}"

    @admin.display(description="Players now")
    def size(self, segment: Segment) -> str:
        """Return how many players belong to the segment."""
        return f"{count_segment_players(segment=segment):,}"

    @admin.display(description="Created")
    def created(self, segment: Segment) -> str:
        """Return when the segment was made."""
        return instant(segment.created_at)

    def panels_after(self, request: HttpRequest, subject: Segment, now: datetime) -> list[Panel]:
        """Return the rules, if the segment has any."""
        if subject.rules is None:
            return []
        rules = [
            (name.replace("_", " "), _rule_text(value)) for name, value in subject.rules.items()
        ]
        return [Panel("Rules", "admin/players/rules.html", {"rules": rules})]


def _players(segment: Segment) -> str:
    count = count_segment_players(segment=segment)
    return f"{count:,} player{'' if count == 1 else 's'}"


def _rule_text(value: Any) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
