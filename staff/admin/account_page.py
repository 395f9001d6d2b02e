"""Who works here: accounts, their roles and passwords, and how they sign in."""

from datetime import datetime
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from core.admin.panels import Panel
from staff.admin.account_commands import EndSessionsPage, ResetSecondFactorPage, UnlockPage
from staff.admin.audited import AuditedAdmin
from staff.selectors import (
    has_second_factor,
    list_lockouts,
    list_sessions,
    with_second_factor,
)

apps.get_app_config("auth").verbose_name = "System"
admin.site.unregister(User)


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
    list_display = (
        "username",
        "first_name",
        "last_name",
        "roles",
        "second_factor",
        "is_active",
        "is_superuser",
    )
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
    pages = (ResetSecondFactorPage, UnlockPage, EndSessionsPage)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return staff with their roles, and whether they have a second factor."""
        queryset: QuerySet[User] = super().get_queryset(request)
        return with_second_factor(queryset.prefetch_related("groups"))

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

    def panels_after(self, request: HttpRequest, subject: User, now: datetime) -> list[Panel]:
        """Return how the person signs in, and where they are signed in."""
        context = {
            "has_second_factor": has_second_factor(user=subject),
            "lockouts": list_lockouts(username=subject.get_username(), now=now),
            "sessions": list_sessions(user=subject, now=now),
        }
        return [Panel("Signing in", "admin/staff/signing_in.html", context)]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002
        """Set another person's password, and record that it was set."""
        with transaction.atomic():
            response: HttpResponse = super().user_change_password(request, id, form_url)
            if response.status_code == 302:
                subject = self.get_object(request, id)
                assert subject is not None, "a password was set for nobody"
                self.record(request, subject, "password_set")
            return response

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        """Return the names of the person's roles."""
        return ", ".join(sorted(group.name for group in user.groups.all())) or "—"

    @admin.display(description="Second factor", boolean=True)
    def second_factor(self, user: Any) -> bool:
        """Tell whether the person has one."""
        return bool(user.has_second_factor)
