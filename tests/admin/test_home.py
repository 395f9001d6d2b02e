"""The home page: what needs attention, the figures, the lists behind them, in few statements."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bonuses.enums import CampaignStatus, GrantStatus, IssuanceStatus, TargetStatus
from bonuses.models import ReconciliationRun
from core.admin.display import Tone
from core.admin.panels import Tile
from core.models import BooksCheck
from jackpots.enums import InstanceStatus, WinStatus
from jackpots.models import Instance, LinkTraffic, MeterHour
from operators.models import Operator
from promos.enums import UserPromoStatus
from tests.admin.world import contribute_to, fill_world, lose_to_a_rollback
from tests.factories.bonuses import (
    BonusCampaignFactory,
    BonusGrantFactory,
    BonusIssuanceFactory,
    BonusTemplateFactory,
    CampaignTargetFactory,
    DiscrepancyFactory,
)
from tests.factories.jackpots import (
    BoostFactory,
    InstanceFactory,
    InstanceLinkFactory,
    WinFactory,
)
from tests.factories.operators import LONG_AGO, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory, UserPromoFactory
from tests.factories.webhooks import WebhookEndpointFactory

pytestmark = pytest.mark.django_db

STATEMENTS_MAX = 10
#: Who looks, and whether they still may, is asked on every page.
SIGNED_IN = ("django_session", "auth_user", "staff_")
HOUR = timedelta(hours=1)


def home(client: Client, **query: str) -> str:
    response = client.get("/admin/", query)
    assert response.status_code == 200
    return response.content.decode()


def tiles_of(client: Client) -> dict[str, Tile]:
    return {tile.label: tile for tile in client.get("/admin/").context["tiles"]}


def listed(client: Client, url: str) -> int:
    """Return how many rows the list at the address has."""
    return len(client.get(url).context["cl"].result_list)


def links_in(page: str, text: str) -> list[str]:
    """Return the addresses of the links that say just ``text``."""
    found = re.findall(rf'<a class="wf-link" href="([^"]+)">{re.escape(text)}</a>', page)
    return [url.replace("&amp;", "&") for url in found]


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


# Jackpots and their growth


def test_shows_running_instances_with_their_meters_as_they_are(
    office: Client, operator: Operator, now: datetime
) -> None:
    daily = InstanceFactory.create(operator=operator, name="Daily", pots=[{"seed": "1000"}])
    InstanceFactory.create(operator=operator, name="Rush", paused=True)
    InstanceFactory.create(operator=operator, name="Drafted", status=InstanceStatus.DRAFT)
    contribute_to(daily, PlayerFactory.create(operator=operator), now)

    page = home(office)

    assert "1,001.00 EUR" in page
    assert "Paused" in page
    assert "Drafted" not in page
    [url] = links_in(page, "2 active")
    assert listed(office, url) == 2


def test_a_meter_is_rounded_down_and_can_be_read_whole(office: Client, operator: Operator) -> None:
    InstanceFactory.create(operator=operator, pots=[{"seed": "9.69901848"}])

    assert '<span class="wf-money" title="9.69901848 EUR">9.69 EUR</span>' in home(office)


def test_draws_a_line_for_each_jackpot_of_a_currency(office: Client, operator: Operator) -> None:
    midnight = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    daily = InstanceFactory.create(operator=operator, name="Daily", pots=[{"seed": "12.345"}])
    InstanceFactory.create(operator=operator, name="Weekly", pots=[{"seed": "100"}])
    InstanceFactory.create(operator=OperatorFactory.create(), name="Yen", currency="JPY")
    MeterHour.objects.create(
        pot=daily.pots.get(), hour=midnight - 24 * HOUR, value="2.5", contributed="1.5"
    )

    page = home(office, period="week")

    drawn = json.loads(
        re.search(r'<script id="growth-EUR" type="application/json">(.*?)</script>', page)[1]
    )
    assert drawn["currency"] == "EUR"
    # From the first instant that is known, in steps of two hours, up to now.
    assert drawn["times"][0] == int((midnight - 22 * HOUR).timestamp())
    assert drawn["times"][1] - drawn["times"][0] == 7200
    assert [line["name"] for line in drawn["lines"]] == ["Weekly", "Daily"]
    assert drawn["lines"][1]["values"][0] == "2.50"
    assert drawn["lines"][1]["values"][-1] == "12.34"
    assert set(drawn["lines"][0]["values"][:-1]) == {None}
    assert drawn["lines"][0]["values"][-1] == "100.00"
    assert {len(line["values"]) for line in drawn["lines"]} == {len(drawn["times"])}
    assert "+1.50 EUR" in page
    assert 'id="growth-JPY"' not in page
    assert "In JPY" in page


def test_says_what_to_do_when_nothing_runs(office: Client) -> None:
    page = home(office)

    assert "No instance takes contributions at the moment." in page
    assert "/admin/jackpots/instance/add/" in page
    assert "No campaign is issuing at the moment." in page
    assert "No bonus was granted since" in page
    assert "No grant is active, so nothing is owed." in page
    assert "No promo paid or took back a bonus since" in page
    assert "windfall/dashboard.js" not in page


# Bonuses and promos


@pytest.fixture
def granted(operator: Operator) -> None:
    """Two active grants and an expired one of today, in euros; one of long ago in dollars."""
    template = BonusTemplateFactory.create(operator=operator)
    made = {"asked_template": template, "granted_at": timezone.now()}
    for amount in (10, 5):
        BonusGrantFactory.create(
            **made, bonus_amount=amount, bonus_amount_base=Decimal(amount) * Decimal("1.25")
        )
    BonusGrantFactory.create(
        **made, bonus_amount=20, bonus_amount_base=25, status=GrantStatus.EXPIRED
    )
    BonusGrantFactory.create(
        asked_template=template,
        bonus_currency="USD",
        bonus_amount=Decimal("7.50"),
        bonus_amount_base=Decimal("7.50"),
    )
    offered = BonusTemplateFactory.create(operator=operator, match=True)
    BonusIssuanceFactory.create_batch(2, template=offered, status=IssuanceStatus.AWAITING_DEPOSIT)


@pytest.mark.usefixtures("granted")
def test_the_funnel_tells_counts_amounts_and_shares(office: Client) -> None:
    page = home(office, period="today")

    rows = re.findall(
        r'wf-stage-(\w+)">.*?x="([\d.]+)" y="0" width="([\d.]+)" height="10"/></svg>'
        r'.*?href="([^"]+)">(\d+)</a>.*?<span class="wf-stage-amount">(.*?)</span>\s*</li>',
        page,
        re.DOTALL,
    )
    assert [(row[0], row[1], row[2], row[4]) for row in rows] == [
        ("granted", "0.00", "100.00", "3"),
        ("active", "0.00", "66.67", "2"),
        ("completed", "66.67", "0.00", "0"),
        ("forfeited", "66.67", "0.00", "0"),
        ("expired", "66.67", "33.33", "1"),
        ("cancelled", "100.00", "0.00", "0"),
    ]
    assert "43.75 USD" in rows[0][5]
    assert "18.75 USD" in rows[1][5]
    for row in rows:
        assert listed(office, row[3].replace("&amp;", "&")) == int(row[4])


@pytest.mark.usefixtures("granted")
def test_liability_by_currency_and_in_the_base_currency(office: Client) -> None:
    page = home(office)

    panel = page.partition("Bonus liability")[2].partition("</section>")[0]
    # 15 euros are worth 18.75 dollars, and 7.50 dollars are.
    assert "15.00 EUR" in panel
    assert "18.75 USD" in panel
    assert "26.25 USD" in panel.partition("<table")[0]
    euros, dollars = re.findall(r"<td>(?:EUR|USD)</td>.*?href=\"([^\"]+)\"", panel)
    assert listed(office, euros.replace("&amp;", "&")) == 2
    assert listed(office, dollars.replace("&amp;", "&")) == 1
    [offers] = links_in(panel, "2")[-1:]
    assert listed(office, offers) == 2


def test_what_promos_cost_leads_to_the_claims(office: Client, operator: Operator) -> None:
    now = timezone.now()
    made = {"promo__operator": operator, "claimed_at": now - HOUR}
    UserPromoFactory.create(**made, status=UserPromoStatus.ACTIVE)
    UserPromoFactory.create(
        **made,
        status=UserPromoStatus.EXPIRED,
        activated_at=now,
        expired_at=now,
        bonus_amount=80,
        bonus_usd_amount=100,
        target_usd_amount=3000,
        clawback_amount=60,
    )
    UserPromoFactory.create(**made, status=UserPromoStatus.CANCELLED, cancelled_at=now)
    UserPromoFactory.create(
        promo=PromoFactory.create(operator=operator),
        status=UserPromoStatus.ACTIVE,
        claimed_at=LONG_AGO,
    )

    page = home(office, period="week")

    panel = page.partition("Cost of promos")[2].partition("</section>")[0]
    assert "125.00 USD" in panel
    assert "160.00 EUR" in panel
    assert "100.00 EUR" in panel
    [paid] = links_in(panel, "2 claims")
    [taken_back] = links_in(panel, "1 claim")
    assert listed(office, paid) == 2
    assert listed(office, taken_back) == 1


def test_campaigns_in_progress_are_told(office: Client, operator: Operator) -> None:
    campaign = BonusCampaignFactory.create(
        operator=operator,
        name="Spring",
        status=CampaignStatus.ISSUING,
        audience_size=3,
        started_at=LONG_AGO,
        committed_base=Decimal("12.50"),
        budget_base=Decimal(1000),
        is_paused=True,
        pause_reason="Too dear",
    )
    CampaignTargetFactory.create_batch(2, campaign=campaign)
    CampaignTargetFactory.create(
        campaign=campaign, status=TargetStatus.SKIPPED, settled_at=LONG_AGO, reason_code="X"
    )

    page = home(office)

    assert "1 of 3 players" in page
    assert "12.50 USD" in page
    assert "of 1,000.00 USD" in page
    assert "Too dear" in page
    [url] = links_in(page, "1 issuing")
    assert listed(office, url) == 1


@pytest.mark.parametrize(
    ("asked", "days"), [("today", 0), ("week", 6), ("month", 29), ("", 6), ("century", 6)]
)
def test_the_period_is_said_and_can_be_chosen(asked: str, days: int, office: Client) -> None:
    midnight = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=days)

    page = home(office, period=asked)

    assert f"since {since.day} {since:%b %Y}, 00:00 UTC" in page
    shown = {
        parse_qs(urlsplit(url).query)["period"][0] for url in re.findall(r"\?period=\w+", page)
    }
    assert len(shown) == 2


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


def test_what_offers_wait_is_for_whoever_may_see_issuances(staff_with: Any, granted: None) -> None:
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
