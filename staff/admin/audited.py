"""Pages whose own forms save: staff and roles, whose models are Django's."""

from typing import Any

from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core import audit
from core.admin.base import BackofficeModelAdmin
from core.admin.display import list_url
from core.admin.pages import staff_actor


class AuditedAdmin(BackofficeModelAdmin):
    """A page whose form saves, and leaves an entry in the audit trail when it does."""

    #: Its form asks for the permissions to add and to change.
    has_form_that_saves = True
    change_form_template = "admin/staff/change_form.html"
    sortable_by = None

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Record what changed, in the transaction that changes it."""
        super().save_related(request, form, formsets, change)
        names = [name for name in form.changed_data if "password" not in name]
        if change and not names:
            return
        self.record(
            request,
            form.instance,
            "changed" if change else "added",
            before={name: _plain(form.initial.get(name)) for name in names} if change else {},
            after={name: _plain(form.cleaned_data[name]) for name in names},
        )

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing here: save_related has recorded it."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing here: save_related has recorded it."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the row's entries in the audit trail: there is no other history."""
        return HttpResponseRedirect(
            list_url("core.auditentry", subject_type=self.opts.label_lower, subject_id=object_id)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the audit trail names what was here."""
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the field without buttons that add or edit what it refers to."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Return a field of checkboxes: a list in which Ctrl must be held loses choices."""
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None:
            field.help_text = "" if field.queryset.exists() else "There are none yet."
        return field

    def record(self, request: HttpRequest, subject: Model, what: str, **values: Any) -> None:
        """Write an entry of the audit trail about ``subject``."""
        audit.record_action(
            operator=None,
            actor=staff_actor(request),
            action=f"staff.{self.opts.model_name}.{what}",
            subject=subject,
            now=timezone.now(),
            **values,
        )


def _plain(value: Any) -> Any:
    """Return a form's value as the audit trail keeps it."""
    if isinstance(value, (QuerySet, list, tuple, set)):
        return sorted(str(item) for item in value)
    return value if isinstance(value, (bool, int, str)) or value is None else str(value)
