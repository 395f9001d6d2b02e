"""Drafts in the back office: the fields of their kind, every mistake beside its field."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from core.models import AuditEntry
from jackpots.enums import DropType, InstanceStatus
from jackpots.models import Instance
from operators.models import Operator
from tests.admin.conftest import messages_of, page_of
from tests.factories.jackpots import InstanceFactory, PrizeFactory

pytestmark = pytest.mark.django_db

ADD = "/admin/jackpots/instance/add/"


def rows(prefix: str, *each: dict[str, str]) -> dict[str, str]:
    """Return the fields of a form's rows as a browser sends them."""
    fields = {f"{prefix}-TOTAL_FORMS": str(len(each)), f"{prefix}-INITIAL_FORMS": "0"}
    for number, row in enumerate(each):
        fields.update({f"{prefix}-{number}-{name}": value for name, value in row.items()})
    return fields


def filled_in(operator: Operator, **given: str) -> dict[str, str]:
    return {
        "operator": str(operator.pk),
        "name": "Daily",
        "currency": "EUR",
        "contribution_type": "percent",
        "contribution_percent": "0.5",
        "funding": "operator",
        "timezone": "UTC",
        **rows("pots", {"name": "main", "share": "1"}),
        **rows("prizes"),
        **given,
    }


def test_without_a_kind_the_page_lets_choose_one(office: Client) -> None:
    for query in ({}, {"kind": "lottery"}):
        page = office.get(ADD, query).content.decode()
        assert 'href="?kind=raffle"' in page
        assert 'href="?kind=progressive"' in page
    assert office.post(ADD, {}).status_code == 200
    assert Instance.objects.exists() is False


def test_each_kind_has_its_own_fields(office: Client) -> None:
    raffle = office.get(ADD, {"kind": "raffle"}).content.decode()
    progressive = office.get(ADD, {"kind": "progressive"}).content.decode()

    assert 'name="ticket_cost"' in raffle
    assert 'name="prizes-TOTAL_FORMS"' in raffle
    assert "drop_type" not in raffle
    assert 'name="ticket_cost"' not in progressive
    assert 'name="prizes-TOTAL_FORMS"' not in progressive
    assert 'name="pots-0-drop_type"' in progressive


def test_drafts_a_raffle(office: Client, superuser: Any, operator: Operator) -> None:
    given = filled_in(
        operator,
        ticket_cost="1.50",
        opt_in_required="on",
        opens_at="2026-03-01T00:00",
        closes_at="2026-04-01T00:00",
        recurrence="monthly",
        timezone="Europe/Malta",
        **rows(
            "prizes",
            {"name": "Grand", "share": "0.8", "count": "1", "priority": "0", "min_tickets": "1"},
            {"name": "Small", "amount": "10", "count": "5", "priority": "1", "min_tickets": "2"},
        ),
    )

    response = office.post(f"{ADD}?kind=raffle", given, follow=True)

    instance = Instance.objects.get()
    assert response.redirect_chain == [(page_of(instance, "change"), 302)]
    assert messages_of(response) == ["Daily was drafted. Link it to others, then activate it."]
    assert (instance.kind, instance.status) == ("raffle", InstanceStatus.DRAFT)
    assert (instance.operator, instance.currency) == (operator, "EUR")
    assert instance.contribution_percent == Decimal("0.5")
    assert instance.ticket_cost == Decimal("1.5")
    assert instance.opt_in_required is True
    assert instance.opens_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert (instance.recurrence, instance.timezone) == ("monthly", "Europe/Malta")
    assert list(instance.prizes.order_by("pk").values_list("name", "share", "amount", "count")) == [
        ("Grand", Decimal("0.8"), None, 1),
        ("Small", None, Decimal(10), 5),
    ]
    assert AuditEntry.objects.get().actor_ref == str(superuser.pk)


def test_drafts_a_progressive_with_pots_that_drop(office: Client, operator: Operator) -> None:
    given = filled_in(
        operator,
        contribution_type="fixed",
        contribution_percent="",
        contribution_amount="0.25",
        funding="player",
        **rows(
            "pots",
            {
                "name": "mini",
                "share": "0.6",
                "seed": "100",
                "ceiling": "2000",
                "drop_type": "must_hit_by_amount",
                "drop_amount": "1000",
            },
            {"name": "mega", "share": "0.4", "drop_type": "hit_rate", "drop_probability": "0.001"},
        ),
    )

    office.post(f"{ADD}?kind=progressive", given)

    instance = Instance.objects.get()
    assert instance.contribution_amount == Decimal("0.25")
    assert instance.funding == "player"
    pots = instance.pots.order_by("position").values_list("name", "share", "seed", "drop_type")
    assert list(pots) == [
        ("mini", Decimal("0.6"), Decimal(100), DropType.MUST_HIT_BY_AMOUNT),
        ("mega", Decimal("0.4"), Decimal(0), DropType.HIT_RATE),
    ]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"currency": "XXX"}, "currency"),
        ({"contribution_percent": ""}, "contribution_percent"),
        ({"contribution_percent": "0"}, "contribution_percent"),
        ({"contribution_percent": "100.1"}, "contribution_percent"),
        ({"contribution_percent": "1e1"}, "contribution_percent"),
        ({"contribution_amount": "1"}, "contribution_amount"),
        ({"funding": "nobody"}, "funding"),
        ({"opens_at": "tomorrow"}, "opens_at"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "localtime"}, "timezone"),
        ({"operator": "0"}, "operator"),
    ],
)
def test_a_field_that_cannot_be_is_marked(
    given: dict[str, str], field: str, office: Client, operator: Operator
) -> None:
    response = office.post(f"{ADD}?kind=raffle", {**filled_in(operator), **given})

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert Instance.objects.exists() is False


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"name": "", "share": "1"}, "name"),
        ({"name": "main", "share": "1.1"}, "share"),
        ({"name": "main", "share": "1", "drop_type": "hit_rate"}, "drop_probability"),
        ({"name": "main", "share": "1", "drop_type": "manual", "drop_amount": "5"}, "drop_amount"),
        ({"name": "main", "share": "1", "seed": "NaN"}, "seed"),
    ],
)
def test_a_pot_that_cannot_be_is_marked(
    row: dict[str, str], field: str, office: Client, operator: Operator
) -> None:
    given = filled_in(operator, **rows("pots", row))

    response = office.post(f"{ADD}?kind=progressive", given)

    assert list(response.context["form"].pots.forms[0].errors) == [field]
    assert Instance.objects.exists() is False


def test_what_only_the_service_knows_is_marked_where_it_belongs(
    office: Client, operator: Operator
) -> None:
    given = filled_in(
        operator,
        opens_at="2026-04-01T00:00",
        closes_at="2026-03-01T00:00",
        **rows(
            "pots",
            {"name": "main", "share": "0.5", "seed": "10", "ceiling": "5"},
            {"name": "main", "share": "0.4"},
        ),
        **rows(
            "prizes",
            {"name": "Odd", "amount": "0.001", "count": "1", "priority": "0", "min_tickets": "1"},
        ),
    )

    response = office.post(f"{ADD}?kind=raffle", given)

    form = response.context["form"]
    assert response.status_code == 400
    assert list(form.errors) == ["closes_at"]
    assert form.pots.non_form_errors() == ["The shares must sum to exactly 1; these sum to 0.9."]
    assert [list(row.errors) for row in form.pots.forms] == [["ceiling"], ["name"]]
    assert [list(row.errors) for row in form.prizes.forms] == [["amount"]]
    assert Instance.objects.exists() is False
    assert AuditEntry.objects.exists() is False


def test_a_draft_opens_for_editing_with_its_own_terms(office: Client, operator: Operator) -> None:
    draft = InstanceFactory.create(
        operator=operator, name="Daily", status=InstanceStatus.DRAFT, pots=[{"seed": "12.50"}]
    )
    PrizeFactory.create(instance=draft, name="Grand")

    page = office.get(page_of(draft, "edit")).content.decode()

    assert 'value="Daily"' in page
    assert 'name="pots-0-seed" value="12.5"' in page
    assert 'name="prizes-0-name" value="Grand"' in page
    assert 'name="operator"' not in page


def test_a_draft_is_edited_and_keeps_its_operator_and_kind(
    office: Client, operator: Operator
) -> None:
    draft = InstanceFactory.create(operator=operator, status=InstanceStatus.DRAFT)
    given = {**filled_in(operator, name="Renamed", ticket_cost="2"), "operator": "0"}

    response = office.post(page_of(draft, "edit"), given, follow=True)

    changed = Instance.objects.get()
    assert messages_of(response) == ["Renamed was changed."]
    assert (changed.name, changed.operator, changed.kind) == ("Renamed", operator, "raffle")
    assert changed.ticket_cost == Decimal(2)
    assert AuditEntry.objects.get().action == "jackpot.instance.updated"


@pytest.mark.parametrize("status", [status for status in InstanceStatus if status != "draft"])
def test_what_is_no_longer_a_draft_is_not_edited(
    status: InstanceStatus, office: Client, operator: Operator
) -> None:
    instance = InstanceFactory.create(operator=operator, name="Daily", status=status)

    page = office.get(page_of(instance, "edit")).content.decode()
    response = office.post(page_of(instance, "edit"), filled_in(operator, name="Renamed"))

    assert "Its terms were fixed" in page
    assert response.status_code == 409
    assert Instance.objects.get().name == "Daily"
