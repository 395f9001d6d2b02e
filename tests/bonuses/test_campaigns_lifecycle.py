"""A campaign's life: who is written down at its start, pauses, and ends that nothing undoes."""

from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from bonuses import tasks
from bonuses.enums import CampaignStatus
from bonuses.models import BonusTemplate, CampaignTarget
from bonuses.ports import PlatformUnavailable
from bonuses.services import campaigns, fan_out
from core.actors import Actor
from core.models import AuditEntry, OutboxMessage
from operators.models import Operator
from players.models import Player
from tests.bonuses.campaigns import HOUR, Campaigning, again, stats_of
from tests.bonuses.conftest import ScriptedPlatform
from tests.factories.bonuses import BonusIssuanceFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory, SegmentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Campaigning:
    ExchangeRateFactory.create(operator=operator)
    return Campaigning(operator, actor, now)


@pytest.fixture
def players(operator: Operator) -> list[Player]:
    return PlayerFactory.create_batch(5, operator=operator)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the sweep sends to the broker."""
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(
        fan_out.current_app,
        "send_task",
        lambda name, **options: messages.append({"name": name, **options}),
    )
    return messages


# Start


def test_the_audience_is_who_belongs_at_the_start(
    world: Campaigning, operator: Operator, players: list[Player]
) -> None:
    segment = SegmentFactory.create(operator=operator, rules={"min_vip_level": 1})
    PlayerFactory.create(vip_level=3)
    vip = PlayerFactory.create(operator=operator, vip_level=3)
    campaign = world.draft([])
    campaign.segment = segment
    campaign.save(update_fields=["segment"])

    world.start(campaign)
    PlayerFactory.create(operator=operator, vip_level=3)

    assert stats_of(campaign) == {"pending": 1}
    assert again(campaign).audience_size == 1
    assert CampaignTarget.objects.get().player_id == vip.pk


def test_a_start_tells_the_trail_and_the_outbox_and_the_workers(
    world: Campaigning,
    players: list[Player],
    sent: list[dict[str, Any]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        campaign = world.started(players)
        assert sent == []

    assert [message["kwargs"] for message in sent] == [
        {"campaign_id": str(campaign.pk)}
    ] * campaigns.CHAINS
    assert (campaign.status, campaign.started_at) == (CampaignStatus.ISSUING, world.now)
    assert AuditEntry.objects.get().action == "bonus.campaign.started"
    assert OutboxMessage.objects.get().topic == "bonus.campaign.started"


def test_nobody_in_the_audience_finishes_at_once(world: Campaigning) -> None:
    campaign = world.started([])

    assert (campaign.status, campaign.finished_at) == (CampaignStatus.ISSUED, world.now)
    assert (campaign.audience_size, stats_of(campaign)) == (0, {})
    topics = OutboxMessage.objects.order_by("pk").values_list("topic", flat=True)
    assert list(topics) == ["bonus.campaign.started", "bonus.campaign.finished"]


# Pause


def test_a_paused_campaign_asks_for_nothing_until_it_is_resumed(
    world: Campaigning, players: list[Player], sent: list[dict[str, Any]]
) -> None:
    campaign = world.started(players)

    paused = world.move("pause_campaign", campaign, reason="Wrong amount?")
    world.run(campaign)
    tasks.continue_campaigns.apply()

    assert (paused.is_paused, paused.pause_reason) == (True, "Wrong amount?")
    assert (stats_of(campaign), sent) == ({"pending": 5}, [])
    world.move("resume_campaign", campaign)
    world.run(campaign)
    assert stats_of(campaign) == {"granted": 5}
    actions = AuditEntry.objects.filter(action__startswith="bonus.campaign").order_by("pk")
    assert [entry.action.removeprefix("bonus.campaign.") for entry in actions] == [
        "started",
        "paused",
        "resumed",
        "finished",
    ]


def test_a_pause_in_the_middle_stops_the_run(
    world: Campaigning, players: list[Player], platform: ScriptedPlatform
) -> None:
    campaign = world.started(players)

    def pause_at_the_second(_order: Any) -> None:
        if len(platform.orders) == 2:
            world.move("pause_campaign", campaign)

    platform.on_grant = pause_at_the_second

    world.run(campaign)

    # What was in flight is settled; nothing more is asked for.
    assert stats_of(campaign) == {"granted": 2, "pending": 3}


def test_what_was_in_flight_can_finish_a_paused_campaign(
    world: Campaigning, players: list[Player], platform: ScriptedPlatform
) -> None:
    platform.answers = [PlatformUnavailable("Gone")]
    campaign = world.started(players[:1])
    world.run(campaign)
    world.move("pause_campaign", campaign)
    world.retry(at=world.now + HOUR)

    fan_out.continue_campaigns(clock=world.clock(world.now + HOUR), limit=10)

    done = again(campaign)
    assert (done.status, done.is_paused, done.pause_reason) == (CampaignStatus.ISSUED, False, "")


def test_a_template_that_is_switched_off_pauses_its_campaign(
    world: Campaigning, players: list[Player]
) -> None:
    campaign = world.started(players)
    BonusTemplate.objects.update(is_active=False)

    world.run(campaign)

    assert stats_of(campaign) == {"pending": 5}
    assert again(campaign).pause_reason == "The bonus template was switched off."


# The database itself


@pytest.mark.parametrize("status", ["granted", "skipped", "failed"])
@pytest.mark.parametrize("to", ["pending", "granted", "skipped", "failed"])
def test_a_settled_target_stays_as_it_is(
    status: str, to: str, world: Campaigning, players: list[Player]
) -> None:
    campaign = world.started(players[:1])
    issuance = BonusIssuanceFactory.create(template=campaign.template, player=players[0])
    targets = CampaignTarget.objects.all()
    targets.update(status=status, settled_at=world.now, issuance=issuance)
    if status == to:
        return

    with pytest.raises(DatabaseError), transaction.atomic():
        targets.update(status=to, settled_at=None if to == "pending" else world.now)
    with pytest.raises(DatabaseError), transaction.atomic():
        targets.delete()
