"""manage.py report: the same file as from the back office, for whoever has a terminal."""

import csv
import io
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client

from core.models import AuditEntry
from operators.models import Operator
from reports.selectors import REPORTS
from tests.reports.conftest import at
from tests.reports.pages import MARCH_28, NOW, body, export, fill
from tests.reports.test_audit_export import enter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def report(name: str, *arguments: str) -> str:
    printed = StringIO()
    given = ("--operator", "lucky-star", "--from", "2026-03-28", *arguments)
    call_command("report", name, *given, stdout=printed)
    return printed.getvalue()


@pytest.mark.parametrize("name", REPORTS)
def test_prints_what_the_page_sends(name: str, office: Client, operator: Operator) -> None:
    fill(operator, rows=2)

    printed = report(name, "--personal-data")

    sent = body(export(office, name))
    # Only the audit trail knows that it was printed, and sent, and that is another day.
    assert printed == sent
    assert len(list(csv.reader(io.StringIO(printed)))) > 1


def test_options_and_both_days_are_taken(operator: Operator) -> None:
    fill(operator, rows=1)

    days = report("jackpot-statement", "--to", "2026-03-29", "--per", "day")

    assert [row["day"] for row in csv.DictReader(io.StringIO(days))] == ["2026-03-28", "2026-03-29"]


def test_is_written_down(operator: Operator) -> None:
    report("bonus-cost", "--by", "campaign", "--reason", "Month's end")

    entry = AuditEntry.objects.get(action="report.exported")
    assert (entry.actor_kind, entry.actor_ref, entry.reason) == ("command", "report", "Month's end")
    assert (entry.after["report"], entry.after["by"]) == ("bonus-cost", "campaign")
    assert entry.after["personal_data"] is False


def test_personal_data_is_masked_unless_it_is_asked_for(operator: Operator) -> None:
    enter(operator, at("2026-03-28 12:00") + timedelta(hours=1), reason="canary")

    assert "canary" not in report("audit")
    assert "canary" in report("audit", "--personal-data")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--operator", "nobody"), "There is no operator 'nobody'."),
        (("--from", "28.3.2026"), "'28.3.2026' is no day"),
        (("--from", "0001-01-01"), "No report begins before 1 Jan 2000."),
        (("--to", "2026-03-01"), "It must not be before the first day."),
        (("--to", "2026-03-30"), "Today is 29 Mar 2026 in Europe/Malta."),
        (("--instance", "x"), "'x' is no jackpot's id."),
        (("--by", "campaign"), "jackpot-statement has no option --by."),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    arguments: tuple[str, str], said: str, operator: Operator
) -> None:
    with pytest.raises(CommandError, match=said):
        report("jackpot-statement", *arguments)

    assert AuditEntry.objects.count() == 0


def test_the_days_are_those_of_the_page(operator: Operator) -> None:
    assert MARCH_28["operator"] == operator.slug
    assert report("promo-usage").splitlines()[1:] == []
