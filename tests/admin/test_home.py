"""The home page: what needs attention and where it leads, for whom, in few statements."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bonuses.enums import IssuanceStatus
from bonuses.models import ReconciliationRun
from core.admin.display import Tone
from core.models import BooksCheck
from jackpots.enums import WinStatus
from jackpots.models import Instance, LinkTraffic
from operators.models import Operator
from tests.admin.home import granted, home, links_in, listed, tiles_of  # noqa: F401 -- a fixture
from tests.admin.world import contribute_to, fill_world, lose_to_a_rollback
from tests.factories.bonuses import (
    BonusIssuanceFactory,
    BonusTemplateFactory,
    DiscrepancyFactory,
)
from tests.factories.jackpots import (
    BoostFactory,
    InstanceFactory,
    InstanceLinkFactory,
    WinFactory,
)
from tests.factories.operators import LONG_AGO
from tests.factories.players import PlayerFactory
from tests.factories.webhooks import WebhookEndpointFactory

pytestmark = pytest.mark.django_db

STATEMENTS_MAX = 10
#: Who looks, and whether they still may, is asked on every page.
SIGNED_IN = ("django_session", "auth_user", "staff_")
HOUR = timedelta(hours=1)


# What it costs


def test_takes_ten_statements_however_much_there_is(
    office: Client, operator: Operator, now: datetime
) -> None:
    counts = []
    for rows in (1, 9):
        fill_world(operator, now, rows=rows)
        with CaptureQueriesContext(connection) as queries:
            home(office, period="month")
        own = [
            query["sql"]
            for query in queries
            if not any(table in query["sql"] for table in SIGNED_IN)
        ]
        counts.append(len(own))

    assert counts[0] == counts[1]
    assert counts[0] <= STATEMENTS_MAX


# What needs attention


def test_what_needs_somebody_comes_first(office: Client, operator: Operator) -> None:
    now = timezone.now()
    difference = {"check": "wallets", "subject": "#7", "recorded": "1", "computed": "2"}
    BooksCheck.objects.create(
        started_at=now, finished_at=now, checked_count=3, differences=[difference]
    )
    WebhookEndpointFactory.create(operator=operator, failing_since=now - 2 * HOUR)

    tiles = office.get("/admin/").context["tiles"]

    assert [(tile.label, tile.tone) for tile in tiles[:2]] == [
        ("Books", Tone.BAD),
        ("Endpoints that fail", Tone.WARNING),
    ]
    assert [tile for tile in tiles[2:] if tile.needs_somebody] == []
    assert "2 of 9 need somebody." in home(office)


def test_nothing_needs_anybody_once_everything_is_well(office: Client) -> None:
    now = timezone.now()
    BooksCheck.objects.create(started_at=now, finished_at=now, checked_count=3)

    page = home(office)

    assert "Nothing needs anybody at the moment." in page
    assert page.count("wf-tile-warning") == 0
    assert page.count("wf-tile-bad") == 0


@pytest.mark.parametrize(
    ("hours", "differences", "value", "tone", "note"),
    [
        (0, [], "Balanced", Tone.GOOD, "3 checks, 0\xa0minutes ago."),
        (37, [], "Overdue", Tone.WARNING, "Last checked 1\xa0day ago: is beat running?"),
        (
            2,
            [{}],
            "1 difference",
            Tone.BAD,
            "2\xa0hours ago. Look at them before anything is paid.",
        ),
        (37, [{}, {}], "2 differences", Tone.BAD, "1\xa0day ago. Look at them before anything"),
    ],
)
def test_says_whether_the_books_balance_and_since_when(
    hours: int, differences: list[Any], value: str, tone: Tone, note: str, office: Client
) -> None:
    assert tiles_of(office)["Books"].value == "None yet"
    at = timezone.now() - hours * HOUR
    check = BooksCheck.objects.create(
        started_at=at, finished_at=at, checked_count=3, differences=differences
    )

    tile = tiles_of(office)["Books"]

    assert (tile.value, tile.tone) == (value, tone)
    assert tile.note.startswith(note)
    assert tile.url == f"/admin/core/bookscheck/{check.pk}/change/"
    assert (value in office.get(tile.url).content.decode()) is (value != "Overdue")


@pytest.mark.parametrize(
    ("columns", "value", "tone"),
    [
        ({}, "Finished", Tone.GOOD),
        ({"status": "running", "finished_at": None}, "Running", Tone.BUSY),
        ({"unknown_count": 1}, "Incomplete", Tone.WARNING),
        ({"unanswered_count": 1}, "Incomplete", Tone.WARNING),
        ({"unknown_count": 5, "is_alarming": True}, "Alarming", Tone.BAD),
        ({"finished_at": -37}, "Overdue", Tone.WARNING),
        ({"status": "running", "finished_at": None, "started_at": -37}, "Overdue", Tone.WARNING),
    ],
)
def test_says_how_the_last_reconciliation_went(
    columns: dict[str, Any], value: str, tone: Tone, office: Client
) -> None:
    assert tiles_of(office)["Last reconciliation"].value == "None yet"
    now = timezone.now()
    given = {"status": "finished", "started_at": 0, "finished_at": 0, **columns}
    for name in ("started_at", "finished_at"):
        if given[name] is not None:
            given[name] = now + given[name] * HOUR
    run = ReconciliationRun.objects.create(touched_at=now, asked_count=5, **given)

    tile = tiles_of(office)["Last reconciliation"]

    assert (tile.value, tile.tone) == (value, tone)
    assert tile.url == f"/admin/bonuses/reconciliationrun/{run.pk}/change/"


@pytest.mark.parametrize(("minutes", "tone"), [(4, Tone.BUSY), (6, Tone.WARNING)])
def test_an_issuance_that_waits_long_needs_somebody(
    minutes: int, tone: Tone, office: Client, operator: Operator
) -> None:
    template = BonusTemplateFactory.create(operator=operator)
    at = timezone.now() - timedelta(minutes=minutes)
    BonusIssuanceFactory.create(template=template, created_at=at)

    tile = tiles_of(office)["Issuances waiting"]

    assert (tile.value, tile.tone) == ("1", tone)
    assert tile.note == f"The oldest for {minutes}\xa0minutes."


@pytest.fixture
def troubled(operator: Operator) -> None:
    """Something of everything that may need somebody, and beside it what does not."""
    now = timezone.now()
    template = BonusTemplateFactory.create(operator=operator)
    BonusIssuanceFactory.create_batch(2, template=template, created_at=now - HOUR)
    BonusIssuanceFactory.create(template=template, status=IssuanceStatus.FAILED)
    DiscrepancyFactory.create_batch(3, grant__asked_template=template)
    DiscrepancyFactory.create(
        grant__asked_template=template, status="explained", explanation="x", closed_at=now
    )
    instance = InstanceFactory.create(operator=operator, progressive=True, name="Drops")
    pot = instance.pots.get()
    for cycle, status in enumerate(WinStatus, start=1):
        WinFactory.create(pot=pot, cycle=cycle, status=status)
    for cycle in range(10, 14):
        WinFactory.create(pot=pot, cycle=cycle, last_error="No answer")
    lose_to_a_rollback(instance, PlayerFactory.create(operator=operator), now)
    for minutes in (59, 61):
        WebhookEndpointFactory.create(
            operator=operator, failing_since=now - timedelta(minutes=minutes)
        )


@pytest.mark.usefixtures("troubled")
@pytest.mark.parametrize(
    ("label", "count"),
    [
        ("Issuances waiting", 2),
        ("Open discrepancies", 3),
        ("Wins not paid yet", 4),
        ("Rollback losses to explain", 1),
        ("Endpoints that fail", 1),
    ],
)
def test_a_tile_leads_to_exactly_what_it_counts(label: str, count: int, office: Client) -> None:
    tile = tiles_of(office)[label]

    assert tile.value == str(count)
    assert tile.needs_somebody
    assert listed(office, tile.url) == count


def test_what_waits_for_a_second_person_is_counted_and_listed(
    office: Client, operator: Operator
) -> None:
    assert tiles_of(office)["Approvals waiting"].value == "0"
    assert "Waiting for a second person" not in home(office)
    instance = InstanceFactory.create(operator=operator, progressive=True)
    pot, now = instance.pots.get(), timezone.now()
    WinFactory.create(
        pot=pot, status=WinStatus.AWAITING_APPROVAL, amount=5000, found_at=now - 2 * HOUR
    )
    BoostFactory.create(pot=pot, requested_at=now - HOUR, amount=77)
    BoostFactory.create(pot=pot, requested_at=LONG_AGO)

    tile = tiles_of(office)["Approvals waiting"]
    page = home(office)

    assert (tile.value, tile.tone) == ("2", Tone.WARNING)
    assert tile.note.startswith("The first for 2\xa0hours.")
    assert page.index("5,000.00 EUR") < page.index("77.00 EUR")
    queue = office.get(tile.url)
    assert len(queue.context["rows"]) == 2


def test_failures_of_links_are_told_with_their_lists(office: Client, operator: Operator) -> None:
    now = timezone.now()
    daily, weekly, monthly = (
        InstanceFactory.create(operator=operator, name=name) for name in ("D", "Weekly", "Monthly")
    )
    for position, target in enumerate((weekly, monthly)):
        InstanceLinkFactory.create(source=daily, target=target, position=position)
    Instance.objects.filter(pk=weekly.pk).update(opt_in_required=True)
    for wager in (100, 101):
        player = PlayerFactory.create(operator=operator)
        contribute_to(daily, player, now, wager=Decimal(wager))
    # As the fold will count them, within the second.
    LinkTraffic.objects.create(
        source=daily,
        target=weekly,
        hour=now.replace(minute=0, second=0, microsecond=0),
        error_code="OPT_IN_REQUIRED",
        count=2,
    )

    tile = tiles_of(office)["Link failures, 24 hours"]
    page = home(office)

    assert (tile.value, tile.tone) == ("2", Tone.WARNING)
    assert listed(office, tile.url) == 2
    [row] = links_in(page, "2")
    assert listed(office, row) == 2
    assert "OPT_IN_REQUIRED" in page


# Who may see what


@pytest.mark.parametrize(
    ("permission", "seen"),
    [
        ("approvals.view_approval", "Approvals waiting"),
        ("core.view_bookscheck", "Books"),
        ("jackpots.view_win", "Wins not paid yet"),
        ("jackpots.view_rollbackloss", "Rollback losses to explain"),
        ("jackpots.view_instance", "Link failures, 24 hours"),
        ("bonuses.view_bonusissuance", "Issuances waiting"),
        ("bonuses.view_discrepancy", "Open discrepancies"),
        ("bonuses.view_reconciliationrun", "Last reconciliation"),
        ("adapters.view_webhookendpoint", "Endpoints that fail"),
    ],
)
def test_a_tile_is_for_whoever_may_see_its_list(
    permission: str, seen: str, staff_with: Any, office: Client
) -> None:
    assert list(tiles_of(staff_with(permission))) == [seen]
    assert seen in tiles_of(office)


@pytest.mark.parametrize(
    ("permission", "panels"),
    [
        ("jackpots.view_instance", ["Jackpots and their growth"]),
        ("bonuses.view_bonuscampaign", ["Campaigns in progress"]),
        ("bonuses.view_bonusgrant", ["Wagering funnel", "Bonus liability"]),
        ("promos.view_userpromo", ["Cost of promos"]),
        ("jackpots.view_win", []),
        ("bonuses.view_bonusissuance", []),
    ],
)
def test_a_panel_is_for_whoever_may_see_what_it_counts(
    permission: str, panels: list[str], staff_with: Any, operator: Operator
) -> None:
    page = home(staff_with(permission))

    assert re.findall(r"<header class=\"wf-panel-head\">\s*<h2>(.*?)</h2>", page) == panels


@pytest.mark.usefixtures("granted")
def test_what_offers_wait_is_for_whoever_may_see_issuances(staff_with: Any) -> None:
    assert "wait for a deposit" not in home(staff_with("bonuses.view_bonusgrant"))
    assert "wait for a deposit" in home(
        staff_with("bonuses.view_bonusgrant", "bonuses.view_bonusissuance")
    )


def test_failures_lead_nowhere_for_whoever_may_not_see_contributions(
    staff_with: Any, operator: Operator
) -> None:
    source, target = InstanceFactory.create_batch(2, operator=operator)
    LinkTraffic.objects.create(
        source=source, target=target, hour=timezone.now(), error_code="PLAYER_BLOCKED", count=3
    )

    page = home(staff_with("jackpots.view_instance"))

    assert "/admin/jackpots/contribution/" not in page
    assert '<div class="wf-tile wf-tile-warning">' in page
