"""A campaign gives every player of its audience at most one bonus, and says what became of each."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bonuses import tasks
from bonuses.enums import CampaignStatus, IssuanceStatus, TargetStatus
from bonuses.models import BonusIssuance, CampaignTarget
from bonuses.ports import PlatformRejected, PlatformUnavailable
from bonuses.rules.retries import TRIED_FOR
from bonuses.services import campaigns, fan_out, issuing
from core.actors import Actor
from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from tests.bonuses.campaigns import (
    HOUR,
    Campaigning,
    again,
    check_sums,
    grants_of,
    reasons_of,
    stats_of,
)
from tests.bonuses.conftest import ScriptedPlatform
from tests.factories.activity import deposit_by
from tests.factories.bonuses import BonusIssuanceFactory, BonusTemplateFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory

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


# The run


def test_everybody_gets_one_bonus_and_the_campaign_finishes(
    world: Campaigning, players: list[Player]
) -> None:
    campaign = world.started(players)
    assert stats_of(campaign) == {"pending": 5}

    assert world.run(campaign) == 5

    assert stats_of(campaign) == {"granted": 5}
    assert [grant.player_id for grant in grants_of(campaign)] == [each.pk for each in players]
    done = again(campaign)
    assert (done.status, done.finished_at) == (CampaignStatus.ISSUED, world.now)
    # Ten euros are 12.50 US dollars.
    assert done.committed_base == Decimal("62.50")
    assert AuditEntry.objects.filter(action="bonus.campaign.finished").count() == 1
    grant = grants_of(campaign)[0]
    assert grant.issuance.idempotency_key == f"campaign:{campaign.pk}:{players[0].pk}"
    assert grant.references == {"campaign_id": str(campaign.pk)}


def test_the_counts_add_up_after_every_step(
    world: Campaigning, players: list[Player], platform: ScriptedPlatform
) -> None:
    campaign = world.started(players)
    seen: list[dict[str, int]] = []
    platform.on_grant = lambda _order: seen.append(stats_of(campaign))
    platform.answers = [None, PlatformRejected("NO", "Not this one"), PlatformUnavailable("Gone")]

    world.run(campaign)

    assert [counts["pending"] for counts in seen] == [5, 4, 3, 3, 2]
    assert stats_of(campaign) == {"granted": 3, "failed": 1, "pending": 1}


def test_who_may_not_have_it_is_skipped_for_its_own_reason(
    world: Campaigning, operator: Operator
) -> None:
    template = BonusTemplateFactory.create(operator=operator, max_grants_per_player=1)
    someone = PlayerFactory.create(operator=operator, reference="someone")
    PlayerFactory.create(operator=operator, reference="blocked", is_blocked=True)
    PlayerFactory.create(
        operator=operator, reference="excluded", self_excluded_until=world.now + HOUR
    )
    had = PlayerFactory.create(operator=operator, reference="had-it")
    BonusIssuanceFactory.create(template=template, player=had)
    PlayerFactory.create(operator=operator, reference="franc", currency="CHF")
    players = list(Player.objects.filter(operator=operator))
    campaign = world.started(players, template)

    world.run(campaign)

    assert stats_of(campaign) == {"granted": 1, "skipped": 4}
    assert reasons_of(campaign) == {
        "blocked": "PLAYER_BLOCKED",
        "excluded": "PLAYER_SELF_EXCLUDED",
        "had-it": "BONUS_GRANT_LIMIT_REACHED",
        "franc": "EXCHANGE_RATE_MISSING",
    }
    [grant] = grants_of(campaign)
    assert grant.player_id == someone.pk
    assert again(campaign).status == CampaignStatus.ISSUED


def test_a_rejection_is_a_failure_with_the_platforms_word_and_costs_nothing(
    world: Campaigning, players: list[Player], platform: ScriptedPlatform
) -> None:
    platform.answers = [PlatformRejected("PLAYER_UNKNOWN", "Never heard of them")]
    campaign = world.started(players[:1])

    world.run(campaign)

    target = CampaignTarget.objects.get()
    assert (target.status, target.reason_code) == (TargetStatus.FAILED, "PLAYER_UNKNOWN")
    assert (target.reason, target.cost_base) == ("Never heard of them", None)
    assert again(campaign).committed_base == 0
    assert again(campaign).status == CampaignStatus.ISSUED


def test_no_answer_leaves_it_pending_until_the_retry_and_the_sweep(
    world: Campaigning, players: list[Player], platform: ScriptedPlatform
) -> None:
    platform.answers = [PlatformUnavailable("Gone")]
    campaign = world.started(players[:1])
    world.run(campaign)
    assert stats_of(campaign) == {"pending": 1}
    assert again(campaign).committed_base == Decimal("12.50")

    assert world.run(campaign) == 0
    world.retry(at=world.now + HOUR)
    assert stats_of(campaign) == {"pending": 1}
    finished_count = fan_out.continue_campaigns(clock=world.clock(world.now + HOUR), limit=10)

    assert finished_count == 1
    assert stats_of(campaign) == {"granted": 1}
    assert len({order.grant_id for order in platform.orders}) == 1
    assert again(campaign).finished_at == world.now + HOUR


def test_an_issuance_that_is_given_up_fails_its_target(
    world: Campaigning, players: list[Player], platform: ScriptedPlatform
) -> None:
    platform.answers = [PlatformUnavailable("Gone")]
    campaign = world.started(players[:1])
    world.run(campaign)
    platform.answers = [PlatformUnavailable("Still gone")]
    world.retry(at=world.now + TRIED_FOR)

    assert world.settle(campaign) == 1

    assert stats_of(campaign) == {"failed": 1}
    assert again(campaign).committed_base == 0
    assert BonusIssuance.objects.get().status == IssuanceStatus.FAILED


def test_one_that_nobody_ever_asked_for_says_that_it_was_given_up(
    world: Campaigning, players: list[Player], actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = world.started(players[:1])

    def die(**_given: Any) -> None:
        raise RuntimeError("killed before the attempt")

    with monkeypatch.context() as patch:
        patch.setattr(fan_out, "attempt_issuance", die)
        world.run(campaign)
    issuing.give_up_issuance(
        operator=world.operator,
        issuance_id=BonusIssuance.objects.get().pk,
        reason="A mistake",
        actor=actor,
        clock=lambda: world.now,
    )

    assert world.settle(campaign) == 1
    assert reasons_of(campaign) == {players[0].reference: "GIVEN_UP"}


def test_a_platform_that_is_down_is_not_asked_for_everybody(
    world: Campaigning, operator: Operator, platform: ScriptedPlatform
) -> None:
    players = PlayerFactory.create_batch(fan_out.UNANSWERED_MAX + 3, operator=operator)
    platform.answers = [PlatformUnavailable("Down")] * len(players)
    campaign = world.started(players)

    world.run(campaign)

    assert len(platform.orders) == fan_out.UNANSWERED_MAX
    assert BonusIssuance.objects.count() == fan_out.UNANSWERED_MAX
    check_sums(campaign)


def test_an_offer_is_granted_when_it_is_made(
    world: Campaigning, operator: Operator, players: list[Player]
) -> None:
    campaign = world.started(players, BonusTemplateFactory.create(operator=operator, match=True))

    world.run(campaign)

    assert stats_of(campaign) == {"granted": 5}
    assert again(campaign).status == CampaignStatus.ISSUED
    # What the cap allows: 200 euros are 250 US dollars.
    assert again(campaign).committed_base == Decimal(1250)
    assert set(BonusIssuance.objects.values_list("status", flat=True)) == {"awaiting_deposit"}
    deposit_by(players[0], 50, now=world.now + HOUR)
    assert [grant.player_id for grant in grants_of(campaign)] == [players[0].pk]


def test_a_target_that_cannot_be_handled_stops_no_other(
    world: Campaigning, players: list[Player], monkeypatch: pytest.MonkeyPatch
) -> None:
    request_bonus = fan_out.request_bonus

    def fail_for_one(**given: Any) -> Any:
        if given["request"].player_reference == players[2].reference:
            raise RuntimeError("a bug")
        return request_bonus(**given)

    monkeypatch.setattr(fan_out, "request_bonus", fail_for_one)
    campaign = world.started(players)

    world.run(campaign)

    assert stats_of(campaign) == {"granted": 4, "pending": 1}
    monkeypatch.undo()
    world.run(campaign)
    assert stats_of(campaign) == {"granted": 5}


def test_a_run_makes_room_for_others_and_leaves_the_rest_to_a_task(
    world: Campaigning, players: list[Player], django_capture_on_commit_callbacks: Any
) -> None:
    campaign = world.started(players)
    ticks = iter(range(1_000))

    with django_capture_on_commit_callbacks() as callbacks:
        handled = fan_out.issue_campaign(
            campaign_id=campaign.pk,
            clock=lambda: world.now + timedelta(seconds=next(ticks)),
            goes_on=True,
        )

    assert 0 < handled < 5
    assert len(callbacks) == 1
    assert stats_of(campaign) == {"granted": handled, "pending": 5 - handled}


# Twice, at the wrong time, without a broker


def test_a_task_that_is_delivered_twice_gives_nothing_twice(
    world: Campaigning, players: list[Player]
) -> None:
    campaign = world.started(players)
    message = {"campaign_id": str(campaign.pk), "goes_on": False, "of_a_newer_release": 1}

    first = tasks.issue_campaign.apply(kwargs=message).get()
    second = tasks.issue_campaign.apply(kwargs=message).get()

    assert (first, second) == (5, 0)
    assert len(grants_of(campaign)) == 5
    assert stats_of(campaign) == {"granted": 5}


def test_a_draft_and_a_finished_campaign_are_left_alone(
    world: Campaigning, players: list[Player]
) -> None:
    draft, done = world.draft(players), world.started([])

    assert (world.run(draft), world.run(done)) == (0, 0)
    assert BonusIssuance.objects.exists() is False


def test_a_lost_task_is_replaced_by_the_sweep(
    world: Campaigning, players: list[Player], sent: list[dict[str, Any]]
) -> None:
    campaign = world.started(players)

    tasks.continue_campaigns.apply().get()

    [message] = sent
    assert message["kwargs"] == {"campaign_id": str(campaign.pk), "goes_on": False}
    assert message["expires"] == 10
    tasks.issue_campaign.apply(kwargs=message["kwargs"])
    assert stats_of(campaign) == {"granted": 5}
    tasks.continue_campaigns.apply().get()
    assert len(sent) == 1


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_holds_up_nobody(
    client: Any, world: Campaigning, players: list[Player], monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = world.draft(players)

    def refuse(*_args: Any, **_options: Any) -> None:
        raise ConnectionError("no broker")

    with monkeypatch.context() as patch:
        patch.setattr(campaigns.current_app, "send_task", refuse)
        response = client.post(f"/v1/bonus-campaigns/{campaign.pk}/issue")

    assert response.status_code == 202, response.content
    assert response.json()["stats"]["pending"] == 5
    found: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(
            fan_out.current_app, "send_task", lambda _name, **options: found.append(options)
        )
        tasks.continue_campaigns.apply()
    tasks.issue_campaign.apply(kwargs=found[0]["kwargs"])
    assert stats_of(campaign) == {"granted": 5}
