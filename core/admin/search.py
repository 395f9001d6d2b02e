"""Searches that an index serves."""

from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def across_operators(queryset: QuerySet[M]) -> QuerySet[M]:
    """
    Return the same rows, found through an index that leads with the operator.

    A reference is unique per operator, and staff look for it at all of them: naming every
    operator lets the database use that index instead of reading the table.
    """
    operator: Any = queryset.model._meta.get_field("operator").related_model
    return queryset.filter(operator__in=operator._default_manager.values("pk"))


def parse_uuid(text: str) -> UUID | None:
    """Return the UUID that ``text`` is; null if it is none."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None
