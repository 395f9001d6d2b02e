"""The pages of reports: who may see them, what they ask, what they say, and the file."""

import re
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.admin.staff import meaningful_permissions
from core.models import AuditEntry
from operators.models import Operator
from reports.selectors import REPORTS
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import OperatorFactory
from tests.reports.conftest import at
from tests.reports.pages import MARCH_28, NOW, body, export, fill, url
from tests.reports.test_audit_export import enter

pytestmark = pytest.mark.django_db

VIEW = ("reports.view_report", "core.view_auditentry")
EXPORTS = {name: report.export_permission for name, report in REPORTS.items()}


@pytest.fixture(autouse=True)
def _now() -> Any:
    """A minute before midnight in Malta, on the day its clocks went forward."""
    with time_machine.travel(NOW, tick=False):
        yield


# Who may


@pytest.mark.parametrize("name", ["", *REPORTS])
def test_strangers_are_led_to_the_sign_in_page(name: str) -> None:
    response = Client().get(url(name) if name else "/admin/reports/")

    assert response.status_code == 302
    assert "login" in response["Location"]


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_needs_its_permissions_and_its_file_one_more(
    name: str, staff_with: Any, operator: Operator
) -> None:
    nobody = staff_with("core.view_auditentry", *EXPORTS.values())
    viewer = staff_with(*VIEW)
    others = set(EXPORTS.values()) - {EXPORTS[name]}
    no_exporter = staff_with(*VIEW, *others)
    exporter = staff_with(*VIEW, EXPORTS[name])
    fill(operator, rows=1)

    assert [client.get(url(name)).status_code for client in (nobody, viewer, exporter)] == [
        403, 200, 200,
    ]  # fmt: skip
    refused = [export(client, name).status_code for client in (nobody, viewer, no_exporter)]
    assert refused == [403, 403, 403]
    assert AuditEntry.objects.filter(action="report.exported").count() == 0
    assert export(exporter, name).status_code == 200
    shown = [client.get(url(name), MARCH_28).content.decode() for client in (viewer, exporter)]
    assert ["Download CSV" in page for page in shown] == [False, True]


def test_the_audit_report_needs_the_audit_trail_itself(staff_with: Any, operator: Operator) -> None:
    client = staff_with("reports.view_report", "reports.export_audit")

    assert client.get(url("audit")).status_code == 403
    assert export(client, "audit").status_code == 403
    assert "Audit trail" not in client.get("/admin/reports/").context["reports"]


def test_the_list_has_what_the_person_may_see_and_a_sentence_each(
    staff_with: Any, office: Client
) -> None:
    some = staff_with("reports.view_report").get("/admin/reports/")
    every = office.get("/admin/reports/")

    assert [each["title"] for each in some.context["reports"]] == [
        "Jackpot statement", "Bonus cost and breakage", "Promo usage", "Link health",
    ]  # fmt: skip
    page = every.content.decode()
    for report in REPORTS.values():
        assert report.sentence in page
        assert url(report.name) in page
    assert staff_with().get("/admin/reports/").status_code == 403


def test_the_sidebar_leads_to_reports_where_one_may_see_them(staff_with: Any) -> None:
    led = staff_with("reports.view_report").get("/admin/").content.decode()
    not_led = staff_with("players.view_player").get("/admin/").content.decode()

    assert ("/admin/reports/" in led, "/admin/reports/" in not_led) == (True, False)


def test_roles_can_be_given_the_permissions_of_reports() -> None:
    offered = {
        f"{each.content_type.app_label}.{each.codename}"
        for each in meaningful_permissions().select_related("content_type")
    }

    assert {*VIEW, *EXPORTS.values(), "reports.view_personal_data"} <= offered


# What they ask


def test_a_report_is_asked_for_the_last_seven_days_unless_told_otherwise(
    office: Client, operator: Operator
) -> None:
    response = office.get(url("promo-usage"))

    question = response.context["question"]
    assert question.operator == operator
    assert str(question.period) == "22 Mar 2026 to 28 Mar 2026"
    page = response.content.decode()
    assert "Days begin at midnight in Europe/Malta, where it is 23:59 now." in page
    titles = [title for title, _url, _is_shown in response.context["presets"]]
    assert titles == ["Today", "Yesterday", "Last 7 days", "This month", "Last month"]
    assert [is_shown for _title, _url, is_shown in response.context["presets"]] == [
        False, False, True, False, False,
    ]  # fmt: skip
    for _title, address, _is_shown in response.context["presets"]:
        assert office.get(url("promo-usage") + address).status_code == 200


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        ({"to": "2026-03-27"}, "to", "It must not be before the first day."),
        ({"to": "2026-03-30"}, "to", "Today is 29 Mar 2026 in Europe/Malta."),
        ({"from": "2020-01-01"}, "to", "A report is about 366 days at most."),
        ({"from": "yesterday"}, "from", "Enter a valid date."),
        ({"operator": "nobody"}, "operator", "Select a valid choice."),
        ({"from": "0001-01-01", "to": "0001-01-02"}, "from", "No report begins before 1 Jan 2000."),
        ({"operator": "x\x01"}, "operator", ""),
    ],
)
@pytest.mark.parametrize("name", ["promo-usage", "jackpot-statement"])
def test_what_cannot_be_asked_is_said_at_its_field(
    name: str, asked: dict[str, str], field: str, said: str, office: Client, operator: Operator
) -> None:
    response = office.get(url(name), {**MARCH_28, **asked})

    assert response.status_code == 200
    assert "question" not in response.context
    assert any(said in error for error in response.context["form"].errors[field])
    refused = export(office, name, **asked)
    assert refused.status_code == 400
    assert AuditEntry.objects.filter(action="report.exported").count() == 0


def test_an_option_that_there_is_not_is_refused(office: Client, operator: Operator) -> None:
    foreign = InstanceFactory.create(progressive=True)

    for asked in ({"per": "hour"}, {"instance": "x"}, {"instance": str(foreign.pk)}):
        response = office.get(url("jackpot-statement"), {**MARCH_28, **asked})
        assert list(response.context["form"].errors) == list(asked)


def test_there_is_no_other_report(office: Client, operator: Operator) -> None:
    assert office.get(url("profit")).status_code == 404
    assert export(office, "profit").status_code == 404


def test_without_an_operator_nothing_is_reported(office: Client) -> None:
    assert "There is no operator yet" in office.get(url("promo-usage")).content.decode()


# What they say


@pytest.mark.parametrize("name", REPORTS)
def test_no_activity_is_said_plainly_and_offers_no_file(
    name: str, office: Client, operator: Operator
) -> None:
    fill(OperatorFactory.create(), rows=1)

    page = office.get(url(name), MARCH_28).content.decode()

    assert "No activity: " in page
    assert REPORTS[name].nothing in page
    assert "Download CSV" not in page


@pytest.mark.parametrize("name", REPORTS)
def test_the_number_of_statements_does_not_grow_with_the_rows(
    name: str, office: Client, operator: Operator
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert office.get(url(name), MARCH_28).status_code == 200
        return len(queries)

    fill(operator, rows=2)
    with_few = statements()
    fill(operator, rows=20)

    assert statements() == with_few
    assert with_few <= 12


def test_a_long_report_says_how_much_of_it_is_shown_and_adds_all_up(
    office: Client, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(operator, rows=7)
    for report in REPORTS.values():
        monkeypatch.setattr(type(report), "rows_shown_max", 5)

    shown = {name: office.get(url(name), MARCH_28) for name in REPORTS}

    bonuses, audit = shown["bonus-cost"], shown["audit"]
    assert "These are the first 5 rows of 7; the totals are of all." in bonuses.content.decode()
    total = {
        column.name: cell.text
        for column, cell in zip(
            bonuses.context["table"].columns, bonuses.context["table"].totals[0], strict=True
        )
    }
    assert (total["template"], total["granted_count"]) == ("Total EUR", "7")
    assert (total["granted_amount"], total["cost_base"]) == ("70.00", "0.00 USD")
    assert "These are the newest 5 rows of 7." in audit.content.decode()
    assert len(audit.context["table"].rows) == 5


def test_the_newest_entries_come_first_and_lead_on(office: Client, operator: Operator) -> None:
    fill(operator, rows=3)

    response = office.get(url("audit"), MARCH_28)

    entries = AuditEntry.objects.order_by("-created_at")
    ids = [row[0].text for row in response.context["table"].rows]
    assert ids == [str(entry.pk) for entry in entries]
    assert f'href="/admin/core/auditentry/{ids[0]}/change/"' in response.content.decode()


def test_so_many_entries_are_counted_and_no_more(
    office: Client, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(operator, rows=4)
    monkeypatch.setattr("reports.selectors.audit._COUNTED_MAX", 3)
    monkeypatch.setattr("reports.selectors.audit.AuditExport.rows_shown_max", 2)

    page = office.get(url("audit"), MARCH_28).content.decode()

    assert "These are the newest 2 rows of more than 3." in page


def test_a_single_pot_is_told_line_by_line(office: Client, operator: Operator) -> None:
    InstanceFactory.create(
        operator=operator, name="Grand", progressive=True, pots=[{"seed": Decimal(10)}]
    )

    upright = office.get(url("jackpot-statement"), MARCH_28).context["table"].upright

    told = [(column.title, [cell.text for cell in cells]) for column, cells in upright]
    assert told == [
        ("Jackpot", ["Grand"]),
        ("Pot", ["main"]),
        ("Currency", ["EUR"]),
        ("Opening", ["10.00"]),
        ("+ Contributions", ["0.00"]),
        ("+ Seeds", ["0.00"]),
        ("+ Boosts", ["0.00"]),
        ("− Wins", ["0.00"]),
        ("= Closing", ["10.00"]),
        ("Wins, number", ["0"]),
        ("Closing in base currency", ["—"]),
    ]


def test_what_others_have_named_is_shown_as_text(office: Client, operator: Operator) -> None:
    evil = "<script>alert(1)</script>"
    BonusGrantFactory.create(
        asked_template=BonusTemplateFactory.create(operator=operator, name=evil),
        granted_at=at("2026-03-28 12:00"),
    )

    page = office.get(url("bonus-cost"), MARCH_28).content.decode()

    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page


def test_personal_data_is_shown_to_whoever_may_see_it(staff_with: Any, operator: Operator) -> None:
    enter(operator, at("2026-03-28 12:00"), after={"player_id": "canary-7"}, reason="canary-8")
    masked = staff_with(*VIEW, "reports.export_audit")
    whole = staff_with(*VIEW, "reports.export_audit", "reports.view_personal_data")

    for client, count in ((masked, 0), (whole, 2)):
        page = client.get(url("audit"), MARCH_28).content.decode()
        file = body(export(client, "audit"))
        assert len(set(re.findall(r"canary-\d", page))) == count
        assert len(set(re.findall(r"canary-\d", file))) == count
    entries = AuditEntry.objects.filter(action="report.exported").order_by("pk")
    assert [entry.after["personal_data"] for entry in entries] == [False, True]
