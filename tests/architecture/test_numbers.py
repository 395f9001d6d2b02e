"""Every stored number is a number: the database itself refuses NaN, in whatever column."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models

pytestmark = pytest.mark.django_db

_CHECKS = """
    SELECT relation.relname, pg_get_constraintdef(check_.oid)
    FROM pg_constraint AS check_ JOIN pg_class AS relation ON relation.oid = check_.conrelid
    WHERE check_.contype = 'c'
"""


def numeric_columns() -> list[tuple[str, str]]:
    """Return table and column of every decimal that our models store."""
    return [
        (model._meta.db_table, field.column)
        for label in settings.WINDFALL_APPS
        for model in apps.get_app_config(label).get_models()
        if model._meta.managed
        for field in model._meta.local_fields
        if isinstance(getattr(field, "base_field", field), models.DecimalField)
    ]


def checks() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_CHECKS)
        return cursor.fetchall()


def excludes_nan(column: str, definition: str) -> bool:
    """Tell whether a check bounds the column above: NaN sorts above every number."""
    name = rf'"?{column}"?'
    number = r"\(?'?-?[\d.]+"
    bounded = rf"\(?{name}\)?(?:::numeric)? <=? {number}"
    compared = rf"{name}\)?(?:::numeric)? <> 'NaN'::numeric|'NaN'::numeric <> ALL \({name}\)"
    return re.search(rf"{bounded}|{compared}", definition) is not None


def test_every_stored_decimal_excludes_nan() -> None:
    columns, known = numeric_columns(), checks()

    assert len(columns) > 15
    open_columns: list[Any] = [
        f"{table}.{column}"
        for table, column in columns
        if not any(
            relation == table and excludes_nan(column, definition) for relation, definition in known
        )
    ]
    assert open_columns == []
