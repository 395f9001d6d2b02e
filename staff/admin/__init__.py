"""Who works here, in the back office: accounts, roles, and how one gets in."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin

from staff.admin.account_page import StaffAdmin
from staff.admin.role_page import RoleAdmin
from staff.admin.site import guard

# Allauth's own pages would show secrets, and save.
for model in (EmailAddress, Authenticator):
    admin.site.unregister(model)

guard(admin.site)

__all__ = ["RoleAdmin", "StaffAdmin"]
