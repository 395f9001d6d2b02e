"""Bonus cost and breakage, worked by hand: what came of every grant, and what it cost."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bonuses.enums import CampaignStatus, GrantStatus, TargetStatus
from bonuses.models import BetFunding, BonusCampaign, BonusGrant, BonusTemplate
from operators.models import Operator
from players.models import Player
from tests.bonuses.platform_events import apply, event_of
from tests.factories.bonuses import (
    BonusCampaignFactory,
    BonusGrantFactory,
    BonusTemplateFactory,
    CampaignTargetFactory,
)
from tests.factories.operators import OperatorFactory
from tests.factories.players import PlayerFactory
from tests.plans import conditions_by_index
from tests.reports.conftest import at

pytestmark = pytest.mark.django_db

Ask = Callable[..., list[dict[str, Any]]]
COUNTS = ("granted", "completed", "forfeited", "expired", "cancelled", "active")


def grant(
    template: BonusTemplate, status: str = "active", granted_at: str = "2026-03-28 12:00", **kw: Any
) -> BonusGrant:
    """Return a grant of ten euros, ended an hour after it was granted if it has ended."""
    player = kw.pop("player", None) or PlayerFactory.create(operator=template.operator)
    return BonusGrantFactory.create(
        asked_template=template,
        asked_player=player,
        status=GrantStatus(status),
        granted_at=at(granted_at),
        **kw,
    )


@pytest.fixture
def template(operator: Operator) -> BonusTemplate:
    return BonusTemplateFactory.create(operator=operator, name="Reload")


def counts(row: dict[str, Any]) -> list[tuple[int, Decimal]]:
    return [(row[f"{name}_count"], row[f"{name}_amount"]) for name in COUNTS]


def test_every_grant_came_to_one_end_and_the_row_adds_up(template: BonusTemplate, ask: Ask) -> None:
    """
    Eight of ten euros; a euro was worth 1.10 dollars when the first two were issued.

    One released 25 (and 5 above the cap), and a late bet added 3 to it; another released
    10. Two are lost by a stake above the maximum, one ran out of time, one was taken back.
    One completed at a platform, and one is running.
    """
    rate = {"fx_rate_locked": Decimal("1.1"), "bonus_amount_base": Decimal(11)}
    won = grant(
        template, "completed", released_amount=Decimal(25), excess_amount=Decimal(5), **rate
    )
    BetFunding.objects.create(
        grant=won, bet_ref="late", stake_amount=1, late_main_amount=Decimal(3),
        late_excess_amount=Decimal(-1), funded_at=at("2026-03-28 12:00"),
    )  # fmt: skip
    grant(template, "completed", **rate)
    for status in ("forfeited", "forfeited", "expired", "cancelled", "active"):
        grant(template, status)
    grant(template, "completed", external=True)

    [row] = ask("bonus-cost", "2026-03-28")

    ten = Decimal(10)
    assert counts(row) == [(8, 8 * ten), (3, 3 * ten), (2, 2 * ten), (1, ten), (1, ten), (1, ten)]
    assert (row["template"], row["type"], row["currency"]) == ("Reload", "No deposit", "EUR")
    assert (row["breakage_amount"], row["breakage_percent"]) == (Decimal(40), Decimal("50.0"))
    assert (row["released_amount"], row["excess_amount"]) == (Decimal(38), Decimal(4))
    assert (row["platform_amount"], row["cost_amount"]) == (Decimal(10), Decimal(48))
    # 2 × 11 + 6 × 10; 4 × 10; 38 × 1.1 + 10 × 1.
    assert (row["granted_base"], row["breakage_base"]) == (Decimal(82), Decimal(40))
    assert (row["cost_base"], row["base_currency"]) == (Decimal("51.80"), "USD")
    assert row["base_rate"] == "1 to 1.1"


def test_a_bonus_counts_on_the_day_it_was_granted_or_on_the_day_it_ended(
    template: BonusTemplate, ask: Ask
) -> None:
    """Midnight in Malta is at 23:00 on the 28th, and at 22:00 on the 29th."""
    grant(template, "expired", "2026-03-28 22:59", expired_at=at("2026-03-28 23:00"))
    grant(template, "forfeited", "2026-03-28 23:00", forfeited_at=at("2026-03-29 21:59"))
    grant(template, "cancelled", "2026-03-29 21:59", cancelled_at=at("2026-03-29 22:00"))
    grant(template, "completed", "2026-03-29 22:00", completed_at=at("2026-03-29 22:01"))
    grant(template, "active", "2026-03-29 12:00")

    [granted] = ask("bonus-cost", "2026-03-29")
    [ended] = ask("bonus-cost", "2026-03-29", of="ended")

    assert [count for count, _amount in counts(granted)] == [3, 0, 1, 0, 1, 1]
    assert [count for count, _amount in counts(ended)] == [2, 0, 1, 1, 0, 0]
    [after] = ask("bonus-cost", "2026-03-30", of="ended")
    assert [count for count, _amount in counts(after)] == [2, 1, 0, 0, 1, 0]


@pytest.mark.parametrize("year", [1970, 2099])
def test_a_bonus_ended_when_we_heard_of_it_whatever_the_platforms_clock_says(
    year: int, template: BonusTemplate, ask: Ask
) -> None:
    ended = grant(template, external=True)
    event = event_of(ended.pk, "cancelled", ts=datetime(year, 1, 1, 12, tzinfo=UTC))

    apply(ended, event, now=at("2026-03-29 12:00"))

    [row] = ask("bonus-cost", "2026-03-29", of="ended")
    assert row["cancelled_count"] == 1
    assert ask("bonus-cost", f"{year}-01-01", of="ended") == []


def test_templates_and_currencies_are_rows_of_their_own(operator: Operator, ask: Ask) -> None:
    weekend = BonusTemplateFactory.create(operator=operator, name="weekend")
    # Two of one name are two templates.
    daily = [BonusTemplateFactory.create(operator=operator, name="Daily") for _ in range(2)]
    yen: Player = PlayerFactory.create(operator=operator, currency="JPY")
    grant(weekend)
    grant(weekend, player=yen)
    for each in daily:
        grant(each)

    rows = ask("bonus-cost", "2026-03-28")

    assert [(row["template"], row["currency"]) for row in rows] == [
        ("Daily", "EUR"), ("Daily", "EUR"), ("weekend", "EUR"), ("weekend", "JPY"),
    ]  # fmt: skip
    assert {row["template_id"] for row in rows[:2]} == {str(each.pk) for each in daily}


def campaign_of(template: BonusTemplate, name: str, *grants: BonusGrant) -> BonusCampaign:
    campaign = BonusCampaignFactory.create(
        operator=template.operator, template=template, name=name, status=CampaignStatus.ISSUING,
        audience_size=len(grants), started_at=at("2026-03-01 00:00"),
    )  # fmt: skip
    for each in grants:
        CampaignTargetFactory.create(
            campaign=campaign, player=each.player, issuance=each.issuance,
            status=TargetStatus.GRANTED, settled_at=each.granted_at,
        )  # fmt: skip
    return campaign


def test_by_campaign_and_what_is_of_none_comes_last(template: BonusTemplate, ask: Ask) -> None:
    spring = campaign_of(
        template, "Spring", grant(template, "expired"), grant(template, "completed")
    )
    campaign_of(template, "autumn", grant(template))
    grant(template, "forfeited")

    rows = ask("bonus-cost", "2026-03-28", by="campaign")

    assert [
        (row["campaign"], row["template"], row["granted_count"], row["breakage_percent"])
        for row in rows
    ] == [
        ("autumn", "Reload", 1, Decimal(0)),
        ("Spring", "Reload", 2, Decimal("50.0")),
        ("", "Reload", 1, Decimal("100.0")),
    ]
    assert [row["campaign_id"] for row in rows][1:] == [str(spring.pk), ""]
    assert "campaign" not in ask("bonus-cost", "2026-03-28")[0]


def test_another_operators_bonuses_are_not_told(template: BonusTemplate, ask: Ask) -> None:
    grant(template)
    neighbour = OperatorFactory.create()
    grant(BonusTemplateFactory.create(operator=neighbour))
    grant(BonusTemplateFactory.create(operator=neighbour))

    assert [row["granted_count"] for row in ask("bonus-cost", "2026-03-28")] == [1]
    theirs = ask("bonus-cost", "2026-03-28", other=neighbour)
    assert [row["granted_count"] for row in theirs] == [1, 1]
    assert ask("bonus-cost", "2026-03-27") == []


@pytest.mark.parametrize(
    ("of", "index", "at_which"),
    [
        ("granted", "bonus_grant_by_issue", "granted_at"),
        ("ended", "bonus_grant_by_end",
         "COALESCE(completed_at, forfeited_at, expired_at, cancelled_at)"),
    ],
    ids=["granted", "ended"],
)  # fmt: skip
def test_the_grants_of_a_period_are_found_through_an_index_in_one_statement(
    of: str, index: str, at_which: str, template: BonusTemplate, ask: Ask
) -> None:
    for number in range(3):
        grant(template, "expired", expired_at=at("2026-03-28 12:00") + timedelta(minutes=number))

    with CaptureQueriesContext(connection) as queries:
        ask("bonus-cost", "2026-03-28", of=of)

    assert len(queries) == 1
    [condition] = conditions_by_index(queries[0]["sql"], indexes=(index,))[index]
    assert "operator_id = " in condition
    assert f"{at_which} >= " in condition
    assert f"{at_which} < " in condition
