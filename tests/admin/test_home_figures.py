"""The figures of the home page, as it tells them, and the lists that they lead to."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from bonuses.enums import CampaignStatus, TargetStatus
from jackpots.enums import InstanceStatus
from jackpots.models import MeterHour
from operators.models import Operator
from promos.enums import UserPromoStatus
from tests.admin.home import granted, home, links_in, listed, tiles_of  # noqa: F401 -- a fixture
from tests.admin.world import contribute_to
from tests.factories.bonuses import (
    BonusCampaignFactory,
    CampaignTargetFactory,
)
from tests.factories.jackpots import (
    InstanceFactory,
)
from tests.factories.operators import LONG_AGO, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory, UserPromoFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


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


def test_draws_a_line_for_each_jackpot_that_gained_something(
    office: Client, operator: Operator
) -> None:
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
    # From where the first line rises, in steps of two hours, up to now.
    assert drawn["times"][0] == int((midnight - 24 * HOUR).timestamp())
    assert drawn["times"][1] - drawn["times"][0] == 7200
    [line] = drawn["lines"]
    assert line["name"] == "Daily"
    assert line["gained"][:2] == ["0.00", "1.50"]
    assert line["gained"][-1] == "1.50"
    assert line["values"][:2] == [None, "2.50"]
    assert line["values"][-1] == "12.34"
    assert {len(line["values"]), len(line["gained"])} == {len(drawn["times"])}
    # What has gained nothing has a card and no line.
    assert "100.00 EUR" in page
    assert page.count("data-race-line") == 1
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
