"""The list of contributions: found by what has an index, narrowed where there is none."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import new_id
from jackpots.admin.contributions import first_id_at
from jackpots.models import Contribution, Instance
from operators.models import Operator
from tests.admin.world import contribute_to
from tests.factories.jackpots import InstanceFactory, InstanceLinkFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/jackpots/contribution/"


@pytest.fixture
def daily(operator: Operator, now: datetime) -> Instance:
    """Two players have contributed to it; the linked leg of each has failed."""
    daily = InstanceFactory.create(operator=operator, name="Daily")
    weekly = InstanceFactory.create(operator=operator, name="Weekly", opt_in_required=True)
    InstanceLinkFactory.create(source=daily, target=weekly)
    for reference in ("ada", "grace"):
        contribute_to(daily, PlayerFactory.create(operator=operator, reference=reference), now)
    return daily


def rows(office: Client, **query: Any) -> list[Contribution]:
    response = office.get(LIST, query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def test_newest_first(office: Client, daily: Instance) -> None:
    shown = [row.pk for row in rows(office)]

    assert len(shown) == 4
    assert shown == sorted(shown, reverse=True)


def test_filter_by_instance_uses_the_index_of_instances(office: Client, daily: Instance) -> None:
    with CaptureQueriesContext(connection) as queries:
        found = rows(office, instance__id__exact=str(daily.pk))

    assert [row.role for row in found] == ["main", "main"]
    (sql,) = [
        query["sql"] for query in queries if 'ORDER BY "jackpots_contribution"' in query["sql"]
    ]
    assert (
        'ORDER BY "jackpots_contribution"."xid" DESC, "jackpots_contribution"."number" DESC' in sql
    )


def test_filter_by_status_and_error(office: Client, daily: Instance) -> None:
    assert {row.status for row in rows(office, status__exact="failed")} == {"failed"}
    assert len(rows(office, error_code="OPT_IN_REQUIRED")) == 2
    assert rows(office, error_code="PLAYER_BLOCKED") == []


def test_an_outcome_alone_is_looked_for_in_the_last_week_and_the_page_says_so(
    office: Client, daily: Instance
) -> None:
    note = "Only the last 7 days are searched"

    assert note in office.get(LIST, {"status__exact": "failed"}).content.decode()
    assert note in office.get(LIST, {"error_code": "OPT_IN_REQUIRED"}).content.decode()
    for narrowed in ({"period": "any"}, {"instance__id__exact": str(daily.pk)}, {"q": "ada"}):
        page = office.get(LIST, {"status__exact": "failed", **narrowed}).content.decode()
        assert note not in page
    assert note not in office.get(LIST).content.decode()


def test_a_period_is_a_range_of_the_primary_key(office: Client, daily: Instance) -> None:
    with CaptureQueriesContext(connection) as queries:
        found = rows(office, period="hour")

    assert len(found) == 4
    assert any('"jackpots_contribution"."id" >= ' in query["sql"] for query in queries)
    assert not any('"created_at" >' in query["sql"] for query in queries)


def test_ids_are_ordered_by_time() -> None:
    before = first_id_at(timezone.now() - timedelta(milliseconds=2))
    made = new_id()
    after = first_id_at(timezone.now() + timedelta(milliseconds=2))

    assert before < made < after
    assert (
        str(first_id_at(datetime(1970, 1, 1, tzinfo=UTC)))
        == "0" * 8 + "-0000-0000-0000-" + "0" * 12
    )


def test_search_by_id_by_request_and_by_player(office: Client, daily: Instance) -> None:
    one = Contribution.objects.filter(role="linked").first()
    assert one is not None

    assert [row.pk for row in rows(office, q=str(one.pk))] == [one.pk]
    assert len(rows(office, q=str(one.request_id))) == 2
    assert {row.player_id for row in rows(office, q="ada")} == {
        PlayerFactory._meta.model.objects.get(reference="ada").pk
    }
    assert rows(office, q="ad") == []


def test_the_page_of_a_leg_shows_the_whole_request(office: Client, daily: Instance) -> None:
    failed = Contribution.objects.filter(status="failed").first()
    assert failed is not None

    page = office.get(f"{LIST}{failed.pk}/change/").content.decode()

    assert "The instance needs an opt-in, and the player has not opted in." in page
    assert "Daily" in page
    assert "1.00 EUR" in page
    assert "100.00 EUR" in page


def test_amounts_carry_their_currency(office: Client, daily: Instance) -> None:
    page = office.get(LIST).content.decode()

    assert '<span class="wf-money">100.00 EUR</span>' in page
    assert '<span class="wf-money">1.00 EUR</span>' in page
