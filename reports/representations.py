"""How reports look in files: one form for the back office and the command."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.csv_cells import NumberCell, iterate_csv
from core.money import format_amount, format_decimal
from reports.rules.tables import Column, Kind, Row
from reports.selectors import Question, Report


def iterate_report_lines(*, report: Report, question: Question) -> Iterator[str]:
    """Yield the lines of a report's file; the first one names the columns."""
    columns = list(report.columns(question))
    rows = (
        [cell_of(column, row, zone=question.period.zone) for column in columns]
        for row in report.rows(question)
    )
    return iterate_csv([column.name for column in columns], rows)


def cell_of(column: Column, row: Row, *, zone: str) -> str:
    """Return what a row has in a column, as it stands in a file."""
    value = column.value_of(row)
    if value is None or value == "":
        return ""
    match column.kind:
        case Kind.MONEY:
            return NumberCell(format_amount(value, row[column.currency]))
        case Kind.COUNT:
            return NumberCell(value)
        case Kind.PERCENT | Kind.RATE:
            return NumberCell(format_decimal(value))
        case Kind.DAY:
            return _day(value)
        case Kind.INSTANT:
            return _instant(value, zone)
        case _:
            return str(value)


def file_name(*, report: Report, question: Question) -> str:
    """Return the name of a report's file: whose it is, what, and of which days."""
    period = question.period
    days = period.first.isoformat()
    if period.last != period.first:
        days += f"-to-{period.last.isoformat()}"
    return f"{question.operator.slug}-{report.name}-{days}.csv"


def describe_question(*, report: Report, question: Question) -> dict[str, Any]:
    """Return what was asked, as the audit trail keeps it."""
    options = {option.name: question.option(option) for option in report.options}
    if question.options.get("instance"):
        options["instance"] = question.options["instance"]
    return {
        "report": report.name,
        "from": question.period.first.isoformat(),
        "to": question.period.last.isoformat(),
        "time_zone": question.period.zone,
        **{name: chosen for name, chosen in options.items() if chosen},
        "personal_data": question.shows_personal_data,
    }


def _day(value: date) -> str:
    return value.isoformat()


def _instant(value: datetime, zone: str) -> str:
    """Return an instant on the clocks of the zone, with their offset: no doubt is left."""
    return value.astimezone(ZoneInfo(zone)).isoformat()
