"""A preview says what a start at the same instant then does, and changes nothing."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from bonuses.enums import IssuanceStatus
from bonuses.errors import BonusTemplateNotActive
from bonuses.models import BonusCampaign, BonusTemplate
from bonuses.services.previews import CampaignPreview, preview_campaign
from core.actors import Actor
from operators.models import Operator
from players.models import Player
from tests.bonuses.campaigns import HOUR, Campaigning, again, stats_of
from tests.factories.activity import bet_by, deposit_by
from tests.factories.bonuses import (
    BonusGrantFactory,
    BonusIssuanceFactory,
    BonusTemplateFactory,
)
from tests.factories.games import GameFactory
from tests.factories.operators import LONG_AGO, ExchangeRateFactory
from tests.factories.players import PlayerFactory, SegmentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Campaigning:
    ExchangeRateFactory.create(operator=operator)
    ExchangeRateFactory.create(operator=operator, currency="JPY", usd_rate=Decimal("0.0067"))
    ExchangeRateFactory.create(operator=operator, currency="BTC", usd_rate=Decimal(60_000))
    return Campaigning(operator, actor, now)


def crowd(world: Campaigning, template: BonusTemplate) -> list[Player]:
    """Return players of every sort: some may have it, in several currencies, some may not."""
    operator, now = world.operator, world.now
    players = [
        *PlayerFactory.create_batch(3, operator=operator),
        *PlayerFactory.create_batch(2, operator=operator, currency="JPY", deposit_count=1),
        PlayerFactory.create(operator=operator, currency="BTC"),
        PlayerFactory.create(operator=operator, currency="CHF"),
        PlayerFactory.create(operator=operator, is_blocked=True),
        PlayerFactory.create(operator=operator, is_blocked=True, self_excluded_until=now + HOUR),
        PlayerFactory.create(operator=operator, self_excluded_until=now + HOUR),
        PlayerFactory.create(operator=operator, self_excluded_until=now),
    ]
    for status in IssuanceStatus:
        holder = PlayerFactory.create(operator=operator)
        BonusIssuanceFactory.create(template=template, player=holder, status=status)
        players.append(holder)
    return players


def look(world: Campaigning, campaign: BonusCampaign) -> CampaignPreview:
    with CaptureQueriesContext(connection) as queries:
        preview = preview_campaign(operator=world.operator, campaign_id=campaign.pk, now=world.now)
    assert all(query["sql"].lstrip().startswith(("SELECT", "WITH")) for query in queries), queries
    return preview


def what_happened(campaign: BonusCampaign) -> tuple[int, int, Decimal, dict[str, int]]:
    """Return audience, granted, cost, and skips by code."""
    counts = stats_of(campaign)
    skips: dict[str, int] = {}
    for code in campaign.targets.filter(status="skipped").values_list("reason_code", flat=True):
        skips[code] = skips.get(code, 0) + 1
    stored = again(campaign)
    assert stored.audience_size is not None
    return stored.audience_size, counts.get("granted", 0), stored.committed_base, skips


def as_said(preview: CampaignPreview) -> tuple[int, int, Decimal, dict[str, int]]:
    return preview.audience_size, preview.eligible_count, preview.cost_base, preview.skips


@pytest.mark.parametrize("kind", ["", "spins", "match", "reload"])
def test_what_is_said_is_what_happens(kind: str, world: Campaigning) -> None:
    traits: dict[str, Any] = {kind: True} if kind else {}
    template = BonusTemplateFactory.create(
        operator=world.operator, max_grants_per_player=1, **traits
    )
    campaign = world.draft(crowd(world, template), template)

    preview = look(world, campaign)
    world.start(campaign)
    world.run(campaign)

    assert as_said(preview) == what_happened(campaign)
    assert preview.is_upper_bound is (kind in ("match", "reload"))
    assert preview.skips == {
        "BONUS_GRANT_LIMIT_REACHED": 3,
        "EXCHANGE_RATE_MISSING": 1,
        "PLAYER_BLOCKED": 2,
        "PLAYER_SELF_EXCLUDED": 1,
    }


def test_ten_euros_cost_what_each_currency_makes_of_them(world: Campaigning) -> None:
    campaign = world.draft(
        [
            PlayerFactory.create(operator=world.operator),
            PlayerFactory.create(operator=world.operator, currency="JPY"),
            PlayerFactory.create(operator=world.operator, currency="BTC"),
        ]
    )

    # 12.50; 1865 yen are 12.4955; 0.00020833 bitcoins are 12.4998.
    assert look(world, campaign).cost_base == Decimal("12.50") + Decimal("12.50") * 2


def test_a_bonus_below_the_least_unit_is_not_one(world: Campaigning) -> None:
    template = BonusTemplateFactory.create(
        operator=world.operator, config={"amount": "0.005", "currency": "EUR"}
    )
    campaign = world.draft(
        [PlayerFactory.create(operator=world.operator, currency="JPY")], template
    )

    preview = look(world, campaign)
    world.start(campaign)
    world.run(campaign)

    assert preview.skips == {"BONUS_NOT_ELIGIBLE": 1}
    assert as_said(preview) == what_happened(campaign)


def test_cashback_is_worked_out_for_each(world: Campaigning) -> None:
    operator, now = world.operator, world.now
    template = BonusTemplateFactory.create(operator=operator, cashback=True)
    game = GameFactory.create(operator=operator)
    week_ago = now - timedelta(days=7)

    def lose(amount: Any, *, at: datetime = now - HOUR, **kwargs: Any) -> Player:
        player = PlayerFactory.create(operator=operator, **kwargs)
        with transaction.atomic():
            deposit_by(player, 100_000, now=now - timedelta(days=30))
            bet_by(player, game, amount, payout=Decimal(0), now=at)
        return player

    players = [
        lose(100),
        lose(20),
        lose("19.99"),
        lose(100, at=week_ago),
        lose(100, at=week_ago - timedelta(microseconds=1)),
        lose(50_000, currency="JPY"),
        PlayerFactory.create(operator=operator),
        PlayerFactory.create(operator=operator, currency="CHF"),
        lose(100),
    ]
    Player.objects.filter(pk=players[-1].pk).update(is_blocked=True)
    paid_back = lose(100)
    before = BonusTemplateFactory.create(operator=operator)
    BonusGrantFactory.create(
        asked_template=before,
        asked_player=paid_back,
        loss_from=week_ago,
        loss_until=now - HOUR / 2,
    )
    campaign = world.draft([*players, paid_back], template)

    preview = look(world, campaign)
    world.start(campaign)
    world.run(campaign)

    assert preview.skips == {
        "BONUS_NOT_ELIGIBLE": 4,
        "EXCHANGE_RATE_MISSING": 1,
        "PLAYER_BLOCKED": 1,
    }
    assert as_said(preview) == what_happened(campaign)


def test_it_takes_no_more_statements_for_more_players(world: Campaigning) -> None:
    def statements(count: int) -> int:
        Player.objects.bulk_create(
            Player(
                operator=world.operator,
                reference=f"{count}-{number}",
                currency="EUR",
                created_at=LONG_AGO,
            )
            for number in range(count)
        )
        campaign = world.draft([])
        campaign.segment = SegmentFactory.create(operator=world.operator, rules={})
        campaign.save(update_fields=["segment"])
        with CaptureQueriesContext(connection) as queries:
            look(world, campaign)
        return len(queries)

    assert statements(2) == statements(2_000)


def test_a_template_that_is_switched_off_gives_nothing(world: Campaigning) -> None:
    template = BonusTemplateFactory.create(operator=world.operator, is_active=False)
    campaign = world.draft([], template)

    with pytest.raises(BonusTemplateNotActive):
        look(world, campaign)
    with pytest.raises(BonusTemplateNotActive):
        world.start(campaign)
    assert again(campaign).status == "draft"
