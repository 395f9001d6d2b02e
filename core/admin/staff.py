"""What staff can be given: the permissions that some page of this site asks for."""

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

#: What pages ask for that are not those of a model, and what roles have.
_offered: set[str] = set()


def offer_permissions(*names: str) -> None:
    """Let roles have permissions that pages other than those of a model ask for."""
    _offered.update(names)


def asked_for_names() -> set[str]:
    """Return the permissions that the lists, rows and commands of models ask for."""
    names = set()
    for model, model_admin in admin.site._registry.items():
        opts = model._meta
        names.add(f"{opts.app_label}.view_{opts.model_name}")
        if getattr(model_admin, "has_form_that_saves", False):
            names |= {f"{opts.app_label}.{verb}_{opts.model_name}" for verb in ("add", "change")}
        pages = [*getattr(model_admin, "pages", ()), getattr(model_admin, "add_page", None)]
        names |= {page.permission for page in pages if page is not None}
    return names


def meaningful_permissions() -> QuerySet[Permission]:
    """Return the permissions that a page of this site asks for; all others would do nothing."""
    wanted = Q(pk=None)
    for name in asked_for_names() | _offered:
        app_label, _dot, codename = name.partition(".")
        wanted |= Q(content_type__app_label=app_label, codename=codename)
    return Permission.objects.filter(wanted).order_by("content_type__app_label", "name")
