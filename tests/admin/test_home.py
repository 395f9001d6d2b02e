"""The home page: what runs, whether the books balance, and which links fail, in few statements."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.models import BooksCheck
from jackpots.enums import InstanceStatus
from operators.models import Operator
from tests.admin.world import contribute_to, fill_world
from tests.factories.jackpots import InstanceFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db

STATEMENTS_MAX = 18


def test_takes_few_statements_however_much_there_is(
    office: Client, operator: Operator, now: datetime
) -> None:
    counts = []
    for rows in (1, 9):
        fill_world(operator, now, rows=rows)
        with CaptureQueriesContext(connection) as queries:
            assert office.get("/admin/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= STATEMENTS_MAX


def test_shows_running_instances_with_their_meters_as_they_are(
    office: Client, operator: Operator, now: datetime
) -> None:
    daily = InstanceFactory.create(operator=operator, name="Daily", pots=[{"seed": "1000"}])
    InstanceFactory.create(operator=operator, name="Rush", paused=True)
    InstanceFactory.create(operator=operator, name="Drafted", status=InstanceStatus.DRAFT)
    contribute_to(daily, PlayerFactory.create(operator=operator), now)

    page = office.get("/admin/").content.decode()

    assert "1,001.00 EUR" in page
    assert "Paused" in page
    assert "Drafted" not in page
    assert "Draft 1" in page
    assert "Active 2" in page


def test_a_meter_is_rounded_down_and_can_be_read_whole(office: Client, operator: Operator) -> None:
    InstanceFactory.create(operator=operator, pots=[{"seed": "9.69901848"}])

    page = office.get("/admin/").content.decode()

    assert '<span class="wf-money" title="9.69901848 EUR">9.69 EUR</span>' in page


def test_says_whether_the_books_balance(office: Client, now: datetime) -> None:
    assert "The books have not been checked yet" in office.get("/admin/").content.decode()

    BooksCheck.objects.create(started_at=now, finished_at=now, checked_count=3)
    assert ">Balanced</span>" in office.get("/admin/").content.decode()

    difference = {"check": "wallets", "subject": "#7", "recorded": "1", "computed": "2"}
    failed = BooksCheck.objects.create(
        started_at=now,
        finished_at=now + timedelta(seconds=2),
        checked_count=3,
        differences=[difference],
    )
    page = office.get("/admin/").content.decode()
    assert ">1 difference</span>" in page
    assert f"/admin/core/bookscheck/{failed.pk}/change/" in page
    detail = office.get(f"/admin/core/bookscheck/{failed.pk}/change/").content.decode()
    assert "wallets" in detail
    assert "#7" in detail


def test_shows_only_what_the_person_may_see(staff_with: Any, operator: Operator) -> None:
    InstanceFactory.create(operator=operator, name="Daily")

    books_only = staff_with("core.view_bookscheck").get("/admin/").content.decode()
    jackpots_only = staff_with("jackpots.view_instance").get("/admin/").content.decode()

    assert "Daily" not in books_only
    assert "Books" in books_only
    assert "Daily" in jackpots_only
    assert "The books have not" not in jackpots_only
    assert "/admin/operators/apikey/" not in jackpots_only


def test_says_what_to_do_when_nothing_runs(office: Client) -> None:
    page = office.get("/admin/").content.decode()

    assert "No instance takes contributions at the moment." in page
    assert "/admin/jackpots/instance/add/" in page
