"""Searches among bonuses that an index serves."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from bonuses.models import BonusGrant, PlatformEvent
from core.admin.search import across_operators
from players.models import Player

# One step of the index a name, not a walk through all grants.
_SLUGS = """
WITH RECURSIVE slugs AS (
    (SELECT adapter_slug FROM {table} ORDER BY adapter_slug LIMIT 1)
    UNION ALL
    SELECT (
        SELECT adapter_slug FROM {table}
        WHERE adapter_slug > slugs.adapter_slug ORDER BY adapter_slug LIMIT 1
    ) FROM slugs WHERE slugs.adapter_slug IS NOT NULL
)
SELECT adapter_slug FROM slugs WHERE adapter_slug IS NOT NULL
"""


def adapter_slugs(model: type[BonusGrant | PlatformEvent]) -> list[str]:
    """Return the names of the adapters that rows of ``model`` have, read off its index."""
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(_SLUGS.format(table=table))
        return [slug for (slug,) in cursor.fetchall()]


def of_player(queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Return the rows of the players whose id ``term`` is, at whichever operator."""
    return queryset.filter(player__in=list(across_operators(Player.objects.with_reference(term))))


class AdapterFilter(DropdownFilter):
    """By the adapter through which a grant went."""

    title = "adapter"
    parameter_name = "adapter"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """Return the adapters that have granted something."""
        return [(slug, slug) for slug in adapter_slugs(BonusGrant)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the grants of the adapter."""
        slug = self.value()
        return queryset.filter(adapter_slug=slug) if slug else queryset
