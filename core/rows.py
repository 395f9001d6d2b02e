"""What our own SQL has read, as instances of models."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)


class RowOf(Generic[M]):
    """
    All columns of a model, to be selected from what the statement calls ``alias``.

    For statements that run for every request, and would otherwise be written out by a
    queryset anew each time.
    """

    def __init__(self, model: type[M], alias: str | None = None) -> None:
        self._model = model
        self._fields = model._meta.concrete_fields
        self.columns = ", ".join(
            f'"{alias or model._meta.db_table}"."{field.column}"' for field in self._fields
        )

    def take(self, values: Iterator[Any]) -> M:
        """Take the columns off ``values``, as an instance."""
        found = self.take_any(values)
        assert found is not None, f"no {self._model._meta.verbose_name}: is it an outer join?"
        return found

    def take_any(self, values: Iterator[Any]) -> M | None:
        """Take the columns off ``values``; None if an outer join has found no row."""
        taken = [
            value if convert is None or value is None else convert(value, None, connection)
            for convert, value in zip(self._converters, values, strict=False)
        ]
        if taken[self._key] is None:
            return None
        return self._model.from_db(connection.alias, self._names, taken)

    @cached_property
    def _names(self) -> list[str]:
        return [field.attname for field in self._fields]

    @cached_property
    def _key(self) -> int:
        return self._fields.index(self._model._meta.pk)

    @cached_property
    def _converters(self) -> list[Any]:
        return [getattr(field, "from_db_value", None) for field in self._fields]
