"""The bases of every page: the theme, lists that never count, and pages that never save."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.admin import ShowFacets
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.enums import ActionVariant
from unfold.views import ChangeList

from core.admin.display import list_url
from core.admin.pages import ServicePage
from core.admin.panels import panels_on
from core.admin.search import parse_uuid

#: A list is read from its newest row; who wants to go further back narrows it instead.
PAGES_MAX = 200


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """
    Pages of a table that may be huge: nothing is ever counted.

    Whether there is a next page is known from the page itself: one that is full has one.
    """

    template_name = "admin/backoffice/pagination_uncounted.html"
    count = PAGES_MAX * 1_000_000

    @property
    def num_pages(self) -> int:
        return PAGES_MAX


class BackofficeChangeList(ChangeList):
    """A list in its own order, whose rows may be given what one more statement reads for all."""

    model_admin: "BackofficeModelAdmin"

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str | Combinable]:
        """Return the order of the list; a column nobody may sort by is not sorted by."""
        if self.sortable_by is not None and not self.sortable_by:
            return list(self.model_admin.get_ordering(request))
        return super().get_ordering(request, queryset)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if isinstance(self.paginator, UncountedPaginator):
            # There is no count to compare with, so none is shown.
            self.full_result_count = self.result_count
        self.result_list = list(self.result_list)
        self.model_admin.complete_rows(self.result_list)


class BackofficeModelAdmin(ModelAdmin):
    """
    What every page shares.

    Lists are ordered by primary key, newest first, because any other order would need an
    index of its own; ``sortable_by`` lifts that for tables that stay small. ``pages`` are
    the commands that a row's page offers.
    """

    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    sortable_by: ClassVar[tuple[str, ...] | None] = ()
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    actions = None
    # Facets would count the table once for every choice of every filter.
    show_facets = ShowFacets.NEVER
    empty_value_display = "—"
    show_add_link = True
    change_form_template = "admin/backoffice/change_form.html"
    #: What to say, and to do, when the table is empty.
    empty_text: ClassVar[str] = ""
    empty_icon: ClassVar[str] = "inbox"
    #: Whether the audit trail may know more of a row; of one that never changes it does not.
    has_history: ClassVar[bool] = True
    pages: ClassVar[Sequence[type[ServicePage[Any]]]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows with the related rows that every page of them shows."""
        queryset: QuerySet[Any] = super().get_queryset(request)
        if isinstance(self.list_select_related, (list, tuple)) and self.list_select_related:
            return queryset.select_related(*self.list_select_related)
        return queryset

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the list that asks complete_rows() before it is shown."""
        return BackofficeChangeList

    def complete_rows(self, rows: list[Any]) -> None:
        """Give the rows of a list what its columns need besides themselves, in one statement."""

    def get_urls(self) -> list[URLPattern]:
        """Return the model's addresses, those of its commands first: the last one takes all."""
        commands = [
            path(
                f"<path:object_id>/{page.name}/",
                self.admin_site.admin_view(page.as_view(self)),
                name=page.url_name(self.opts),
            )
            for page in self.pages
        ]
        return [*commands, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show a row with the panels of the apps above it and the commands it is open to."""
        response = super().changeform_view(request, object_id, form_url, extra_context)
        context = response.context_data if isinstance(response, TemplateResponse) else None
        if context is not None and context.get("original") is not None:
            subject, now = context["original"], timezone.now()
            context["show_history"] = self.has_history and request.user.has_perm(
                "core.view_auditentry"
            )
            context["actions_detail"] = self.buttons(request, subject, now)
            context["panels_before"] = [
                panel.render(request) for panel in self.panels_before(request, subject, now)
            ]
            context["panels_after"] = [
                *[panel.render(request) for panel in self.panels_after(request, subject, now)],
                *panels_on(request, subject, now),
            ]
        return response

    def panels_before(self, request: HttpRequest, subject: Any, now: datetime) -> list[Any]:
        """Return the panels above the row's own fields."""
        return []

    def panels_after(self, request: HttpRequest, subject: Any, now: datetime) -> list[Any]:
        """Return the panels below the row's own fields."""
        return []

    def buttons(self, request: HttpRequest, subject: Model, now: datetime) -> list[dict[str, Any]]:
        """Return the commands that the person may give, and that the row is open to."""
        pages = [page(self, request, subject, now) for page in self.pages]
        return [
            {
                "title": page.verb,
                "icon": page.icon,
                "variant": page.variant or ActionVariant.DEFAULT,
                "attrs": {},
                "dialog": None,
                "path": page.url,
            }
            for page in pages
            if page.is_allowed() and page.is_offered()
        ]


class ReadOnlyAdmin(BackofficeModelAdmin):
    """
    A page that shows and never saves, whoever looks.

    Money and lifecycles change through services, so the admin's own forms are switched
    off: they would skip the locks, the ledger and the audit trail. A model with an
    ``add_page`` is added to through that page, which calls a service.
    """

    add_page: ClassVar[type[ServicePage[Any]] | None] = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may use the page that adds."""
        page = self.add_page
        return page is not None and page(self, request, None, timezone.now()).is_allowed()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the person may look: the model's own view permission decides."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.view_{self.opts.model_name}"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the page that adds, which calls a service; without one, refuse."""
        if self.add_page is None:
            response: HttpResponse = super().add_view(request, form_url, extra_context)
            return response
        return self.add_page(self, request, None, timezone.now()).respond()

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the row's entries in the audit trail: there is no other history."""
        return HttpResponseRedirect(
            list_url("core.auditentry", subject_type=self.opts.label_lower, subject_id=object_id)
        )


class NamedRowsAdmin(ReadOnlyAdmin):
    """A page of rows that people call by name (``search_fields``), or by their exact id."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows that are asked for, and whether one may be among them twice."""
        wanted = parse_uuid(search_term)
        if wanted is not None:
            return queryset.filter(pk=wanted), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(
            request, queryset, search_term
        )
        return found


class LargeTableAdmin(ReadOnlyAdmin):
    """A page of a table with millions of rows: nothing is counted, and no text is scanned."""

    paginator = UncountedPaginator
    show_full_result_count = False
