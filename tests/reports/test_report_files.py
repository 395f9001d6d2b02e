"""The file of a report: its bytes, its name, who may take it, and what is written down."""

import csv
import io
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.models import AuditEntry
from operators.models import Operator
from reports.rules.periods import Period
from reports.selectors import REPORTS, Question, jackpot_statement
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.factories.jackpots import InstanceFactory
from tests.reports.conftest import at
from tests.reports.pages import MARCH_28, NOW, body, export, url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Any:
    """A minute before midnight in Malta, on the day its clocks went forward."""
    with time_machine.travel(NOW, tick=False):
        yield


def test_a_file_is_utf_8_names_its_columns_first_and_runs_no_formula(
    office: Client, operator: Operator
) -> None:
    for name in ('=HYPERLINK("https://evil.example")', "Größe, „Gold“"):
        BonusGrantFactory.create(
            asked_template=BonusTemplateFactory.create(operator=operator, name=name),
            granted_at=at("2026-03-28 12:00"),
        )

    response = export(office, "bonus-cost")

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    raw = b"".join(response.streaming_content)
    assert raw.startswith(b"template_id,template,type,currency,granted_count,")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")))
    assert [row["template"] for row in rows] == [
        '\'=HYPERLINK("https://evil.example")',
        "Größe, „Gold“",
    ]
    assert raw.count(b"\r\n") == 3
    first = rows[0]
    assert (first["granted_amount"], first["currency"]) == ("10.00", "EUR")
    assert (first["breakage_percent"], first["base_rate"]) == ("0", "1")


@pytest.mark.parametrize("name", REPORTS)
def test_the_name_of_a_file_says_whose_it_is_what_and_of_which_days(
    name: str, office: Client, operator: Operator
) -> None:
    one, more = export(office, name), export(office, name, to="2026-03-29")

    assert one["Content-Disposition"] == (
        f'attachment; filename="lucky-star-{name}-2026-03-28.csv"'
    )
    assert more["Content-Disposition"] == (
        f'attachment; filename="lucky-star-{name}-2026-03-28-to-2026-03-29.csv"'
    )
    header, *rows = csv.reader(io.StringIO(body(one)))
    assert len(set(header)) == len(header) > 5
    assert rows == []


def test_the_columns_of_a_file_are_those_the_guide_explains(operator: Operator) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()
    documented = set(re.findall(r"^\| `([a-z_]+)`", guide, re.MULTILINE))

    assert {f"{name}" for name in all_columns(operator)} <= documented


def all_columns(operator: Operator) -> set[str]:
    """Return the names of every column that any report can have."""
    today = Period(NOW.date(), NOW.date(), operator.time_zone)
    names = set()
    for report in REPORTS.values():
        for option in report.options or (None,):
            for chosen, _label in option.choices if option else (("", ""),):
                options = {option.name: chosen} if option else {}
                question = Question(operator, today, NOW, options)
                names |= {column.name for column in report.columns(question)}
    return names


def test_taking_a_report_away_is_written_down_before_the_first_line(
    office: Client, superuser: Any, operator: Operator
) -> None:
    response = export(office, "jackpot-statement", per="day", reason="  For\nthe auditors ")

    entry = AuditEntry.objects.get(action="report.exported")
    assert (entry.operator_id, entry.actor_kind, entry.actor_ref) == (
        operator.pk, "staff", str(superuser.pk),
    )  # fmt: skip
    assert (entry.subject_type, entry.reason) == ("operators.operator", "For the auditors")
    assert entry.after == {
        "report": "jackpot-statement",
        "from": "2026-03-28",
        "to": "2026-03-28",
        "time_zone": "Europe/Malta",
        "per": "day",
        "personal_data": True,
    }
    assert body(response).startswith("instance_id,instance,pot,day,currency,opening,")


def test_the_audit_trail_is_taken_away_for_a_reason_only(
    office: Client, operator: Operator
) -> None:
    refused = export(office, "audit", reason="  ")
    without = export(office, "promo-usage", reason="")

    assert (refused.status_code, without.status_code) == (400, 200)
    assert "Nothing was downloaded." in refused.content.decode()
    assert AuditEntry.objects.get(action="report.exported").after["report"] == "promo-usage"


def test_a_file_is_not_taken_by_following_a_link(office: Client, operator: Operator) -> None:
    assert office.get(url("promo-usage", "export/"), MARCH_28).status_code == 405
    assert office.post(url("promo-usage"), MARCH_28).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = office.cookies
    assert export(strict, "promo-usage").status_code == 403
    assert AuditEntry.objects.filter(action="report.exported").count() == 0


def test_a_long_file_is_written_in_pages_of_one_size(
    office: Client, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jackpot_statement, "_INSTANCES_AT_ONCE", 4)
    for _number in range(9):
        InstanceFactory.create(operator=operator, progressive=True, pots=[{"seed": Decimal(1)}])

    response = export(office, "jackpot-statement")
    with CaptureQueriesContext(connection) as queries:
        lines = body(response).splitlines()

    assert len(lines) == 10
    pots = [query for query in queries if "width_bucket" in query["sql"]]
    assert len(pots) == 3
