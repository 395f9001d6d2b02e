"""Columns that only meters have."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q

from core.money import AMOUNT_DECIMALS, AMOUNT_DIGITS

# A meter may outgrow a single amount: it is the sum of very many.
METER_DIGITS = AMOUNT_DIGITS + 10
METER_LIMIT = Decimal(10) ** (METER_DIGITS - AMOUNT_DECIMALS)


class MeterField(models.DecimalField):  # type: ignore[type-arg]
    """A sum of amounts: numeric(38, 8), 0 at first."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", METER_DIGITS)
        kwargs.setdefault("decimal_places", AMOUNT_DECIMALS)
        kwargs.setdefault("default", Decimal(0))
        super().__init__(**kwargs)


def meter_check(name: str, field: str, *, above_zero: bool = False) -> models.CheckConstraint:
    """Return the constraint of a meter's column: not negative (or above zero), and a number."""
    lower = {f"{field}__gt" if above_zero else f"{field}__gte": 0}
    return models.CheckConstraint(name=name, condition=Q(**lower, **{f"{field}__lt": METER_LIMIT}))


class TicketSumField(models.DecimalField):  # type: ignore[type-arg]
    """The tickets of very many players: numeric(38, 0), a whole number in Python."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", METER_DIGITS)
        kwargs.setdefault("decimal_places", 0)
        super().__init__(**kwargs)

    def from_db_value(
        self, value: Decimal | None, expression: object, connection: object
    ) -> int | None:
        """Return the number as it is counted."""
        return None if value is None else int(value)
