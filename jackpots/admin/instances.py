"""Jackpot instances: their meters, their terms, their links, and every move they can make."""

from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from core.admin import NamedRowsAdmin, Panel, ServicePage
from core.admin.display import (
    EMPTY,
    amount_text,
    code,
    instant,
    lines,
    list_url,
    meter,
    object_link,
)
from jackpots.admin.boost_pages import RequestBoostPage
from jackpots.admin.display import (
    contribution_sentence,
    error_sentence,
    funding_sentence,
    recurrence_sentence,
    schedule_sentence,
    status_badges,
)
from jackpots.admin.drafts import AddInstancePage, EditInstancePage
from jackpots.admin.draw_page import DrawPage
from jackpots.admin.draw_panels import draw_panels
from jackpots.admin.draw_views import verification_view
from jackpots.admin.drop_page import DropPage
from jackpots.admin.growth_panel import growth_panel
from jackpots.admin.lifecycle import ActivatePage, CancelPage, ClosePage, PausePage, ResumePage
from jackpots.admin.links import LinksPage
from jackpots.admin.live_terms import LiveTermsPage
from jackpots.admin.pot_panels import boosts_panel, entries_panel, pots_panel, wins_panel
from jackpots.enums import InstanceStatus
from jackpots.models import Instance
from jackpots.selectors import PotMeter, link_health, read_meters


@admin.register(Instance)
class InstanceAdmin(NamedRowsAdmin):
    """Look at instances; draft, link and move them through their own pages."""

    list_display = (
        "name",
        "operator",
        "kind",
        "status_shown",
        "currency",
        "meters_shown",
        "schedule",
    )
    list_filter = (
        ("operator", RelatedDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
    )
    list_select_related = ("operator",)
    ordering = ("-created_at", "-pk")
    search_fields = ("name",)
    search_help_text = "Search by name or id"
    sortable_by = ("name", "kind", "currency")
    fieldsets: ClassVar = [
        ("Instance", {"fields": ["name", "status_shown", "kind", "operator_link", "id_shown"]}),
        ("Terms", {"fields": ["contribution", "funding_shown", "opt_in", "ticket_cost_shown"]}),
        ("Schedule", {"fields": ["schedule", "recurrence_shown", "timezone"]}),
        (
            "Life",
            {"fields": ["created", "activated", "closing", "drawn", "closed", "cancelled"]},
        ),
    ]
    add_page = AddInstancePage
    pages = (
        ActivatePage,
        ResumePage,
        PausePage,
        LinksPage,
        DropPage,
        DrawPage,
        RequestBoostPage,
        LiveTermsPage,
        EditInstancePage,
        ClosePage,
        CancelPage,
    )
    empty_icon = "trophy"
    empty_text = (
        "An instance is one running jackpot: a raffle that is drawn among tickets, or a "
        "progressive whose pots drop. Draft one, link it to others, and activate it."
    )

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, that of a draw's verification among them."""
        verification = path(
            "<path:object_id>/verification/",
            self.admin_site.admin_view(partial(verification_view, self)),
            name="jackpots_instance_verification",
        )
        return [verification, *super().get_urls()]

    def complete_rows(self, rows: list[Instance]) -> None:
        """Give each row its meters, all read in one statement."""
        meters = read_meters(instance_ids=[row.pk for row in rows])
        for row in rows:
            row.meters = meters[row.pk]  # type: ignore[attr-defined]

    @admin.display(description="Status")
    def status_shown(self, instance: Instance) -> str:
        """Return the state, and whether the instance is paused."""
        return status_badges(instance)

    @admin.display(description="Pots now")
    def meters_shown(self, instance: Instance) -> str:
        """Return what the pots hold at this instant."""
        meters: list[PotMeter] = instance.meters  # type: ignore[attr-defined]
        return lines(
            format_html("{} {}", each.name, meter(each.value, instance.currency)) for each in meters
        )

    @admin.display(description="Open")
    def schedule(self, instance: Instance) -> str:
        """Return when contributions are taken."""
        return schedule_sentence(instance)

    @admin.display(description="Operator")
    def operator_link(self, instance: Instance) -> str:
        """Return a link to the operator."""
        return object_link(instance.operator)

    @admin.display(description="Id")
    def id_shown(self, instance: Instance) -> str:
        """Return the id by which the API knows the instance."""
        return code(instance.pk)

    @admin.display(description="Contribution")
    def contribution(self, instance: Instance) -> str:
        """Return what a wager adds."""
        return contribution_sentence(instance)

    @admin.display(description="Funding")
    def funding_shown(self, instance: Instance) -> str:
        """Return who pays."""
        return funding_sentence(instance)

    @admin.display(description="Opt-in")
    def opt_in(self, instance: Instance) -> str:
        """Return whether players must opt in."""
        return "Required" if instance.opt_in_required else "Not required"

    @admin.display(description="Ticket")
    def ticket_cost_shown(self, instance: Instance) -> str:
        """Return what one ticket of a raffle costs."""
        if instance.ticket_cost is None:
            return EMPTY
        return f"One for every {amount_text(instance.ticket_cost, instance.currency)} contributed"

    @admin.display(description="Repeats")
    def recurrence_shown(self, instance: Instance) -> str:
        """Return when the next run opens."""
        return recurrence_sentence(instance)

    @admin.display(description="Drafted")
    def created(self, instance: Instance) -> str:
        """Return when the draft was made."""
        return instant(instance.created_at)

    @admin.display(description="Activated")
    def activated(self, instance: Instance) -> str:
        """Return when the instance was opened."""
        return instant(instance.activated_at)

    @admin.display(description="Stopped taking contributions")
    def closing(self, instance: Instance) -> str:
        """Return when the last contribution was taken."""
        return instant(instance.closing_at)

    @admin.display(description="Drawn")
    def drawn(self, instance: Instance) -> str:
        """Return when the winners were drawn."""
        return instant(instance.drawn_at)

    @admin.display(description="Closed")
    def closed(self, instance: Instance) -> str:
        """Return when everything was counted and decided."""
        return instant(instance.closed_at)

    @admin.display(description="Cancelled")
    def cancelled(self, instance: Instance) -> str:
        """Return when the draft was given up."""
        return instant(instance.cancelled_at)

    def panels_before(self, request: HttpRequest, subject: Instance, now: datetime) -> list[Panel]:
        """Return the pots with their live values, their growth, and the links' health."""
        meters = read_meters(instance_ids=[subject.pk])[subject.pk]
        can_change_terms = self._offers(LiveTermsPage, request, subject, now)
        panels = [pots_panel(request, subject, meters, now, can_change_terms=can_change_terms)]
        if subject.status not in (InstanceStatus.DRAFT, InstanceStatus.CANCELLED):
            panels.append(growth_panel(request, subject, meters, now))
        return [*panels, _links_panel(request, subject, now)]

    def panels_after(self, request: HttpRequest, subject: Instance, now: datetime) -> list[Panel]:
        """Return the draw of a raffle, wins, what came into the pots, and the opt-ins."""
        panels: list[Panel | None] = []
        if subject.is_raffle:
            panels.extend(draw_panels(request, subject, now))
        can_request = self._offers(RequestBoostPage, request, subject, now)
        panels += [
            wins_panel(request, subject),
            boosts_panel(request, subject, now, can_request=can_request),
            entries_panel(subject),
        ]
        if subject.opt_in_required:
            panels.append(_opt_ins_panel(subject))
        return [panel for panel in panels if panel is not None]

    def buttons(self, request: HttpRequest, subject: Any, now: datetime) -> list[dict[str, Any]]:
        """Return the buttons of the page, without those that a panel of it has as links."""
        in_panels = {page.verb for page in (LiveTermsPage, RequestBoostPage)}
        buttons = super().buttons(request, subject, now)
        return [button for button in buttons if button["title"] not in in_panels]

    def _offers(
        self,
        page: type[ServicePage[Instance]],
        request: HttpRequest,
        subject: Instance,
        now: datetime,
    ) -> bool:
        command = page(self, request, subject, now)
        return command.is_allowed() and command.is_offered()


def _links_panel(request: HttpRequest, subject: Instance, now: datetime) -> Panel:
    health = [
        {
            "target": object_link(each.target),
            "status": status_badges(each.target),
            "accepted": each.accepted_count,
            "failed": each.failed_count,
            "top_error": each.top_error_code,
            "sentence": error_sentence(each.top_error_code) if each.top_error_code else "",
        }
        for each in link_health(instance=subject, now=now)
    ]
    sources = Instance.objects.filter(links__target=subject).order_by("name")
    context = {
        "health": health,
        "instance": subject,
        "sources": [object_link(each) for each in sources],
        "can_link": request.user.has_perm(LinksPage.permission),
    }
    return Panel("Links, and their last 24 hours", "admin/jackpots/health.html", context)


def _opt_ins_panel(subject: Instance) -> Panel:
    context = {
        "standing": subject.opt_ins.filter(opted_out_at=None).count(),
        "url": list_url("jackpots.optin", instance__id__exact=subject.pk),
    }
    return Panel("Opt-ins", "admin/jackpots/opt_ins.html", context)
