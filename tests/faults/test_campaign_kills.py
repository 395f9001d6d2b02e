"""
Workers of a campaign may be killed between any two steps: every player gets exactly one bonus,
asked for under one key, and the counts add up.

Real processes die by SIGKILL in the middle of a run, again and again, and others go on.
"""

import os
import random
import signal
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count

from bonuses.enums import CampaignStatus
from bonuses.models import BonusCampaign, BonusGrant, BonusIssuance, CampaignTarget
from bonuses.selectors import count_targets
from bonuses.services import fan_out, issuing
from core.actors import Actor
from operators.models import Operator
from players.models import Player
from tests.bonuses.campaigns import Campaigning, again, check_sums, stats_of
from tests.factories.operators import LONG_AGO, ExchangeRateFactory
from tests.faults.forking import KILLED, run_forked
from wallets.models import Transfer

pytestmark = pytest.mark.django_db(transaction=True)

#: Where a campaign's worker can die: of its own, and of the issuing that it calls.
OWN_FAILPOINTS = (
    "campaign.before_request",
    "campaign.after_request",
    "campaign.after_attempt",
    "campaign.before_settle",
)
FAILPOINTS = (
    *OWN_FAILPOINTS,
    "issuing.before_adapter",
    "issuing.after_adapter",
    "granting.before_grant",
    "granting.after_credit",
    "issuing.after_settle",
)
#: The loop: a worker dies at its Nth passing of a failpoint, or whenever the signal comes.
SEED, TARGETS, KILLS, PASSINGS_MAX = 20260329, 400, 54, 12
#: Longer than the lease of an attempt that died.
STEP = timedelta(minutes=2)


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Campaigning:
    ExchangeRateFactory.create(operator=operator)
    return Campaigning(operator, actor, now)


def start(world: Campaigning, count: int) -> BonusCampaign:
    Player.objects.bulk_create(
        Player(
            operator=world.operator,
            reference=f"player-of-{number}",
            currency="EUR",
            created_at=LONG_AGO,
        )
        for number in range(count)
    )
    return world.started(list(Player.objects.filter(operator=world.operator)))


def work(campaign: BonusCampaign, at: datetime) -> None:
    """Do what a worker and its beat do for a campaign, at an instant."""
    issuing.retry_due_issuances(clock=lambda: at, limit=1_000)
    fan_out.settle_targets(campaign_id=campaign.pk, limit=1_000, clock=lambda: at)
    fan_out.issue_campaign(campaign_id=campaign.pk, clock=lambda: at)


def die_at_passing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let an armed failpoint kill at its passing ``number``, not at the first."""
    passed = {"count": 0}
    failpoint = fan_out.failpoint

    def count(name: str) -> None:
        if f"{name}:kill" == os.environ.get("FAILPOINTS"):
            passed["count"] += 1
            if passed["count"] < number:
                return
        failpoint(name)

    for module in ("fan_out", "attempts", "granting"):
        monkeypatch.setattr(f"bonuses.services.{module}.failpoint", count)


def everybody_has_one(campaign: BonusCampaign, count: int) -> None:
    assert stats_of(campaign) == {"granted": count}
    assert again(campaign).status == CampaignStatus.ISSUED
    grants = BonusGrant.objects.filter(issuance__granted_by_ref=str(campaign.pk))
    assert grants.count() == count
    assert grants.values("player_id").distinct().count() == count
    # The grant's id is what a platform is asked under: one a player.
    issuances = BonusIssuance.objects.filter(granted_by_ref=str(campaign.pk))
    assert issuances.aggregate(n=Count("grant_id", distinct=True))["n"] == count
    assert Transfer.objects.filter(reference__endswith=":credit").count() == count
    targets = CampaignTarget.objects.filter(campaign=campaign)
    assert targets.values("issuance_id").distinct().count() == count


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_a_worker_that_is_killed_loses_and_doubles_nothing(
    failpoint: str, world: Campaigning
) -> None:
    campaign = start(world, 5)

    died = run_forked(lambda: work(campaign, world.now), failpoints=f"{failpoint}:kill")

    assert died == KILLED
    check_sums(campaign)
    work(campaign, world.now + STEP)
    everybody_has_one(campaign, 5)


def test_a_loop_of_kills_converges(world: Campaigning, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = start(world, TARGETS)
    dice = random.Random(SEED)
    at, kills = world.now, 0

    for number in range(KILLS):
        at += STEP
        with monkeypatch.context() as patch:
            die_at_passing(patch, dice.randint(1, PASSINGS_MAX))
            where = f"{FAILPOINTS[number % len(FAILPOINTS)]}:kill"
            died = run_forked(lambda at=at: work(campaign, at), failpoints=where)  # type: ignore[misc]
        kills += died == KILLED
        counts = count_targets(campaign_ids=[campaign.pk])[campaign.pk]
        assert sum(counts.values()) == TARGETS

    check_sums(campaign)
    assert kills == KILLS
    assert 0 < stats_of(campaign)["granted"] < TARGETS
    work(campaign, at + STEP)
    everybody_has_one(campaign, TARGETS)


def test_workers_that_die_beside_each_other_converge(world: Campaigning) -> None:
    campaign = start(world, 80)
    dice = random.Random(SEED)
    at = world.now
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]

    for _round in range(4):
        at += STEP
        workers = [spawn(campaign, at) for _ in range(3)]
        for worker in workers:
            time.sleep(dice.uniform(0.05, 0.3))
            os.kill(worker, signal.SIGKILL)
        for worker in workers:
            os.waitpid(worker, 0)
        check_sums(campaign)
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]

    work(campaign, at + STEP)
    everybody_has_one(campaign, 80)


def spawn(campaign: BonusCampaign, at: datetime) -> int:
    """Start a worker and return its process id; it goes on until it is killed or done."""
    child = os.fork()
    if child == 0:
        try:
            work(campaign, at)
        finally:
            os._exit(0)
    return child


def test_control_without_the_link_a_kill_asks_twice(
    world: Campaigning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ask in a transaction of its own, under a key of the moment, and a kill doubles a bonus."""
    campaign = start(world, 1)
    request_locked, request_bonus = fan_out._request_locked, fan_out.request_bonus

    def under_another_key(**given: Any) -> Any:
        given["request"] = type(given["request"])(
            template_id=given["request"].template_id,
            player_reference=given["request"].player_reference,
            idempotency_key=f"{given['request'].idempotency_key}:{given['now']}",
            granted_by=given["request"].granted_by,
        )
        return request_bonus(**given)

    def committed_too_soon(*args: Any, **kwargs: Any) -> Any:
        issuance = request_locked(*args, **kwargs)
        CampaignTarget.objects.update(issuance=None, cost_base=None)
        return issuance

    with monkeypatch.context() as patch:
        patch.setattr(fan_out, "request_bonus", under_another_key)
        patch.setattr(fan_out, "_request_locked", committed_too_soon)
        died = run_forked(
            lambda: work(campaign, world.now), failpoints="campaign.after_request:kill"
        )
        assert died == KILLED
        fan_out.issue_campaign(campaign_id=campaign.pk, clock=world.clock(world.now + STEP))

    assert Player.objects.count() == 1
    assert BonusIssuance.objects.count() == 2
