"""Cursor pagination: stable under inserts, and never a count of everything."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from core.errors import InvalidRequest


class NewestFirst(CursorPagination):
    """
    Newest first, 50 a page, ``?page_size=`` up to 200.

    A cursor that we did not make is INVALID_REQUEST. Many rows of one instant need
    NewestIdFirst: among equals a cursor counts, and it does not count beyond 1000.
    """

    ordering: tuple[str, ...] = ("-created_at", "-pk")
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        options, first = queryset.model._meta, self.ordering[0].removeprefix("-")
        self._first_field = options.pk if first == "pk" else options.get_field(first)
        return super().paginate_queryset(queryset, request, view)

    def get_paginated_response_schema(self, schema: Any) -> Any:
        described = super().get_paginated_response_schema(schema)
        for link in ("next", "previous"):
            # DRF's examples point at a host that is not ours.
            del described["properties"][link]["example"]
        return described

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                # DRF would hand whatever it says to the database.
                position = self._first_field.to_python(cursor.position)
                if isinstance(position, datetime) and position.tzinfo is None:
                    raise ValidationError("The instant of a cursor has an offset.")
        except (NotFound, ValidationError):
            raise InvalidRequest.for_field("cursor", "It is not a cursor of this list.") from None
        return cursor


class NewestIdFirst(NewestFirst):
    """Newest first, for rows whose primary key is itself in the order of time."""

    ordering: tuple[str, ...] = ("-pk",)
