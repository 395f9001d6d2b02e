"""Write a report as CSV, by the same code as the back office."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from core.actors import Actor, ActorKind
from core.admin.search import parse_uuid
from core.errors import DomainError
from operators.selectors import get_operator
from reports.representations import describe_question, iterate_report_lines
from reports.rules.periods import check_period
from reports.selectors import REPORTS, Question, Report, get_report
from reports.services.exports import record_export


class Command(BaseCommand):
    """Print a report; its first line names the columns."""

    help = (
        "Write a report as CSV to the standard output: manage.py report jackpot-statement"
        " --operator demo --from 2026-11-01 --to 2026-11-30 > statement.csv. Both days are"
        " included, and begin in the operator's time zone. The audit trail records it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=sorted(REPORTS))
        parser.add_argument("--operator", required=True, help="the operator's slug")
        parser.add_argument(
            "--from", required=True, dest="first", help="the first day, e.g. 2026-11-01"
        )
        parser.add_argument("--to", dest="last", help="the last day (default: the first one)")
        for name, choices in _choices().items():
            parser.add_argument(f"--{name}", choices=choices, help="see docs/reports.md")
        parser.add_argument("--instance", help="jackpot-statement: one jackpot's id")
        parser.add_argument(
            "--personal-data", action="store_true", help="audit: names and reasons unmasked"
        )
        parser.add_argument("--reason", default="", help="kept in the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        report = get_report(name=options["name"])
        try:
            question = _question(report, options)
        except DomainError as error:
            details = [each["detail"] for each in error.members.get("errors", [])]
            raise CommandError(" ".join(details) or error.detail) from error
        record_export(
            operator=question.operator,
            description=describe_question(report=report, question=question),
            reason=options["reason"],
            actor=Actor(kind=ActorKind.COMMAND, ref="report"),
            now=question.now,
        )
        with connection.cursor() as cursor:
            # Nobody waits for a page: a year of a large operator may take longer than one may.
            cursor.execute("SET statement_timeout = 0")
        for line in iterate_report_lines(report=report, question=question):
            self.stdout.write(line, ending="")


def _choices() -> dict[str, list[str]]:
    """Return what the options of all reports may be, by name."""
    found: dict[str, list[str]] = {}
    for report in REPORTS.values():
        for option in report.options:
            names = [name for name, _label in option.choices if name]
            if names:
                known = found.setdefault(option.name, [])
                known.extend(name for name in names if name not in known)
    return found


def _question(report: Report, options: dict[str, Any]) -> Question:
    now = timezone.now()
    operator = get_operator(slug=options["operator"])
    first = _day(options["first"])
    last = first if options["last"] is None else _day(options["last"])
    period = check_period(first=first, last=last, zone=operator.time_zone, now=now)
    return Question(
        operator=operator,
        period=period,
        now=now,
        options=_chosen(report, options),
        shows_personal_data=options["personal_data"],
    )


def _chosen(report: Report, options: dict[str, Any]) -> dict[str, str]:
    """Return the options that were given, if the report has them."""
    chosen = {name: options[name] for name in (*_choices(), "instance") if options.get(name)}
    unknown = set(chosen) - {option.name for option in report.options}
    if unknown:
        raise CommandError(f"{report.name} has no option --{min(unknown)}.")
    if "instance" in chosen and parse_uuid(chosen["instance"]) is None:
        raise CommandError(f"{chosen['instance']!r} is no jackpot's id.")
    return chosen


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is no day. Write it as 2026-11-01.") from error
