"""How reports look on a page: amounts with separators, dashes for nothing, links to presets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from core.admin.display import EMPTY, amount_text, url_of
from core.money import format_decimal, tell_figure
from reports.rules.periods import day_text, list_presets
from reports.rules.tables import Column, Kind, Row, Totals, columns_with_something
from reports.selectors import Question, Report

#: More columns than this do not stand upright beside each other.
UPRIGHT_MAX = 4
_NUMBERS = (Kind.COUNT, Kind.MONEY, Kind.PERCENT, Kind.RATE)


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of a table."""

    text: str
    is_number: bool
    is_code: bool = False
    is_strong: bool = False
    #: Nothing: there, but not in the way of what is something.
    is_quiet: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A report as a page shows it."""

    columns: list[Column]
    rows: list[list[Cell]]
    totals: list[list[Cell]]
    row_count: str
    has_more: bool
    #: The same turned round: a title, and what each row has there.
    upright: list[tuple[Column, list[Cell]]]


def show_table(report: Report, question: Question) -> ShownTable:
    """Read a report for a page: so many rows of it, and the totals of all."""
    columns = list(report.columns(question))
    totals = Totals(columns)
    kept: list[Row] = []
    has_more, has_totals = False, report.has_totals(question)
    for row in report.rows_of_page(question):
        if len(kept) < report.rows_shown_max:
            kept.append(row)
        elif not has_totals:
            has_more = True
            break
        totals.add(row)
    sums = totals.rows if has_totals and totals.row_count > 1 else []
    shown = [
        column
        for column in columns_with_something(columns, [*kept, *totals.rows])
        if column.on_page
    ]
    zone = question.period.zone
    # What the table says once of a row, its amounts need not repeat.
    stated = "currency" if any(column.name == "currency" for column in shown) else ""
    rows = [[cell(column, row, zone, stated) for column in shown] for row in kept]
    is_upright = report.stands_upright and len(rows) <= UPRIGHT_MAX
    return ShownTable(
        columns=shown,
        rows=rows,
        totals=[_total(shown, row, zone, stated) for row in sums],
        row_count=report.count_text(question) or f"{totals.row_count:,}",
        has_more=has_more or totals.row_count > len(kept),
        upright=_turned(shown, rows) if is_upright else [],
    )


def cell(column: Column, row: Row, zone: str, stated: str) -> Cell:
    """Return what a row has in a column, for people; amounts without a currency ``stated``."""
    value = column.value_of(row)
    return Cell(
        text=_text(column, row, value, zone, stated),
        is_number=column.kind in _NUMBERS,
        is_code=column.kind is Kind.CODE,
        is_strong=column.title.startswith("="),
        is_quiet=column.kind in _NUMBERS and not value,
        url=url_of(column.leads_to, value) if column.leads_to else "",
    )


def _text(column: Column, row: Row, value: Any, zone: str, stated: str) -> str:
    if value is None or value == "":
        return EMPTY
    match column.kind:
        case Kind.MONEY if column.currency == stated:
            return tell_figure(value, row[stated])
        case Kind.MONEY:
            return amount_text(value, row[column.currency])
        case Kind.COUNT:
            return f"{value:,}"
        case Kind.PERCENT:
            return f"{format_decimal(value)} %"
        case Kind.RATE:
            return format_decimal(value)
        case Kind.DAY:
            return day_text(value)
        case Kind.INSTANT:
            return _clock(value, zone)
        case _:
            return str(value)


def _clock(value: datetime, zone: str) -> str:
    return f"{value.astimezone(ZoneInfo(zone)):%d %b %Y, %H:%M:%S}".lstrip("0")


def _total(columns: Sequence[Column], row: Row, zone: str, stated: str) -> list[Cell]:
    """Return a row of totals."""
    cells = []
    for number, column in enumerate(columns):
        if number == 0:
            name = f"Total {row['currency']}" if row["currency"] else "Total"
            cells.append(Cell(name, is_number=False, is_strong=True))
        elif column.is_summed or column.share_of:
            cells.append(cell(column, row, zone, stated))
        else:
            cells.append(Cell("", is_number=False))
    return cells


def _turned(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]]
) -> list[tuple[Column, list[Cell]]]:
    return [(column, [row[number] for row in rows]) for number, column in enumerate(columns)]


def preset_links(
    data: dict[str, Any], *, zone: str, now: datetime
) -> Iterable[tuple[str, str, bool]]:
    """Return title, address and whether it is what is shown, of the days often asked for."""
    for preset in list_presets(zone=zone, now=now):
        days = {"from": preset.first.isoformat(), "to": preset.last.isoformat()}
        is_shown = all(data.get(name) == day for name, day in days.items())
        yield preset.title, f"?{urlencode({**data, **days})}", is_shown
