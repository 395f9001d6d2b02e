"""Columns, rows and totals: how a report is laid out, whoever shows it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from core.money import EXACT

#: What a report says of one thing, by the names of its columns.
Row = Mapping[str, Any]

_ZERO = Decimal(0)


class Kind(Enum):
    """What the values of a column are."""

    TEXT = auto()
    CODE = auto()
    COUNT = auto()
    MONEY = auto()
    PERCENT = auto()
    RATE = auto()
    DAY = auto()
    INSTANT = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """
    One column: its name in files, its title for people, and what it means.

    ``currency`` names the column that says in which currency an amount is. A percentage is
    worked out from two other columns (``share_of``), in totals too. What is ``optional`` is
    left out of a page where all of it is zero, and what is not ``on_page`` is in files only.
    On a page it leads to the row of the model that it ``leads_to``, whose key is its value.
    """

    name: str
    title: str
    kind: Kind
    meaning: str
    currency: str = "currency"
    share_of: tuple[str, str] | None = None
    optional: bool = False
    on_page: bool = True
    leads_to: str = ""

    @property
    def heading(self) -> str:
        """Return the title for a page: a sign before it stays on its line."""
        sign, space, words = self.title.partition(" ")
        return f"{sign}\u00a0{words}" if space and sign in "+−=" else self.title

    @property
    def is_summed(self) -> bool:
        """Tell whether the column has a total."""
        return self.kind in (Kind.COUNT, Kind.MONEY)

    def value_of(self, row: Row) -> Any:
        """Return what the row has in the column."""
        return percent_of(row, self.share_of) if self.share_of else row.get(self.name)


def percent_of(row: Row, columns: tuple[str, str]) -> Decimal | None:
    """Return the share of one column in another, in percent to one place; null of nothing."""
    part, whole = (Decimal(row.get(name) or 0) for name in columns)
    if whole == 0:
        return None
    return EXACT.divide(EXACT.multiply(part, Decimal(100)), whole).quantize(
        Decimal("0.1"), context=EXACT
    )


@dataclass(slots=True)
class Totals:
    """
    The sums of a report's rows, one row a currency; rows without money are summed in one.

    Amounts of a currency of their own (the base currency) are summed in each of them.
    """

    columns: Sequence[Column]
    _sums: dict[str, dict[str, Any]] = field(default_factory=dict)
    row_count: int = 0

    def add(self, row: Row) -> None:
        """Count a row."""
        self.row_count += 1
        key = str(row.get("currency") or "")
        sums = self._sums.setdefault(key, {"currency": key})
        for column in self.columns:
            if column.kind is Kind.MONEY and column.currency != "currency":
                sums[column.currency] = row.get(column.currency)
            value = row.get(column.name) if column.is_summed and not column.share_of else None
            if value is None:
                continue
            before = sums.get(column.name)
            if column.kind is Kind.COUNT:
                sums[column.name] = (before or 0) + value
            else:
                sums[column.name] = value if before is None else EXACT.add(before, value)

    @property
    def rows(self) -> list[Row]:
        """Return the totals, by currency."""
        return [self._sums[key] for key in sorted(self._sums)]


def columns_with_something(columns: Sequence[Column], rows: Iterable[Row]) -> list[Column]:
    """Return the columns without the optional ones in which all is zero."""
    known = list(rows)
    return [
        column
        for column in columns
        if not column.optional or any(column.value_of(row) for row in known)
    ]
