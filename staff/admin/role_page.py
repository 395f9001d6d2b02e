"""Roles: sets of permissions, each of which some page asks for."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group, Permission

from core.admin.staff import meaningful_permissions, offer_permissions
from staff.admin.audited import AuditedAdmin
from staff.roles import ROLES, granted_names

admin.site.unregister(Group)
offer_permissions(*granted_names())


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
    list_display = ("name", "origin")
    search_fields = ("name",)
    filter_horizontal = ()
    list_fullwidth = True
    empty_icon = "shield_person"
    empty_text = "A role is a set of permissions. Add one, then give it to staff."

    @admin.display(description="Comes from")
    def origin(self, group: Group) -> str:
        """Say whether the product brings the role, or somebody here made it."""
        return "Windfall" if group.name in ROLES else "This site"

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """Return the field of permissions, each named by what it lets a person do."""
        kwargs["queryset"] = meaningful_permissions().select_related("content_type")
        kwargs["form_class"] = PermissionsField
        return super().formfield_for_manytomany(db_field, request, **kwargs)
