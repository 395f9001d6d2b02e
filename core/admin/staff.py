"""
Who works here, and what each role may do.

The one place where the admin's own forms save: staff accounts belong to Django. Each
change leaves an entry in the audit trail, and nobody is ever deleted, because the trail
names them.
"""

from typing import Any, ClassVar

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core import audit
from core.admin.pages import staff_actor

apps.get_app_config("auth").verbose_name = "System"
admin.site.unregister(User)
admin.site.unregister(Group)


class AuditedAdmin(ModelAdmin):
    """A page whose form saves, and leaves an entry in the audit trail when it does."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Record what changed, in the transaction that changes it."""
        super().save_related(request, form, formsets, change)
        names = [name for name in form.changed_data if "password" not in name]
        if change and not names:
            return
        self._record(
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

    def _record(self, request: HttpRequest, subject: Model, what: str, **values: Any) -> None:
        audit.record_action(
            operator=None,
            actor=staff_actor(request),
            action=f"staff.{self.opts.model_name}.{what}",
            subject=subject,
            now=timezone.now(),
            **values,
        )


@admin.register(User)
class StaffAdmin(DjangoUserAdmin, AuditedAdmin):  # type: ignore[misc, type-arg]
    """
    Add staff, set their roles and passwords, and deactivate who has left.

    Only a superuser makes superusers, gives single permissions, or changes either a
    superuser or themselves: otherwise the right to edit staff would be every right.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    actions = None
    list_display = ("username", "first_name", "last_name", "roles", "is_active", "is_superuser")
    list_filter = ("is_active", "is_superuser", "groups")
    list_filter_submit = True
    filter_horizontal = ()
    list_fullwidth = True
    show_add_link = True
    fieldsets: ClassVar = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ("last_login", "date_joined")
    empty_text = "Add the first member of staff."

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return staff with their roles."""
        queryset: QuerySet[User] = super().get_queryset(request)
        return queryset.prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Return what the person may see here and not change."""
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Tell whether the person may change ``obj``."""
        allowed = bool(super().has_change_permission(request, obj))
        if obj is None or request.user.is_superuser:
            return allowed
        return allowed and not obj.is_superuser and obj.pk != request.user.pk

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002
        """Set another person's password, and record that it was set."""
        with transaction.atomic():
            response: HttpResponse = super().user_change_password(request, id, form_url)
            if response.status_code == 302:
                subject = self.get_object(request, id)
                assert subject is not None, "a password was set for nobody"
                self._record(request, subject, "password_set")
            return response

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        """Return the names of the person's roles."""
        return ", ".join(sorted(group.name for group in user.groups.all())) or "—"


class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Permissions, each named by what it lets a person do, and where."""

    def label_from_instance(self, obj: Permission) -> str:
        """Return the name of a permission."""
        app = apps.get_app_config(obj.content_type.app_label)
        return f"{app.verbose_name}: {obj.name}"


@admin.register(Group)
class RoleAdmin(DjangoGroupAdmin, AuditedAdmin):  # type: ignore[misc]
    """What a role may do: only permissions that some page asks for can be given."""

    actions = None
    list_display = ("name",)
    search_fields = ("name",)
    filter_horizontal = ()
    list_fullwidth = True
    empty_icon = "shield_person"
    empty_text = "A role is a set of permissions. Add one, then give it to staff."

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """Return the field of permissions, each named by what it lets a person do."""
        kwargs["queryset"] = meaningful_permissions().select_related("content_type")
        kwargs["form_class"] = PermissionsField
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def meaningful_permissions() -> QuerySet[Permission]:
    """Return the permissions that a page of this site asks for; all others would do nothing."""
    wanted = Q(pk=None)
    for model, model_admin in admin.site._registry.items():
        opts = model._meta
        names = {f"{opts.app_label}.view_{opts.model_name}"}
        if isinstance(model_admin, AuditedAdmin):
            names |= {f"{opts.app_label}.{verb}_{opts.model_name}" for verb in ("add", "change")}
        pages = [*getattr(model_admin, "pages", ()), getattr(model_admin, "add_page", None)]
        names |= {page.permission for page in pages if page is not None}
        for name in names:
            app_label, _dot, codename = name.partition(".")
            wanted |= Q(content_type__app_label=app_label, codename=codename)
    return Permission.objects.filter(wanted).order_by("content_type__app_label", "name")


def _plain(value: Any) -> Any:
    """Return a form's value as the audit trail keeps it."""
    if isinstance(value, (QuerySet, list, tuple, set)):
        return sorted(str(item) for item in value)
    return value if isinstance(value, (bool, int, str)) or value is None else str(value)
