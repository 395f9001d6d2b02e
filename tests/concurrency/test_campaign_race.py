"""
Workers, starts, pauses and budgets of one campaign at one instant: one bonus a player, no more
than the budget.

The controls take a lock away: without the campaign's, two workers spend the same money twice;
without the target's and the player's, two ask for one player, and only a constraint stops them.
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from bonuses.enums import CampaignStatus
from bonuses.errors import BonusGrantLimitReached
from bonuses.models import BonusCampaign, BonusGrant, BonusIssuance
from bonuses.services import fan_out, issuing
from bonuses.services.requests import BonusRequest
from core import locks
from core.actors import Actor, ActorKind
from core.idempotency import IdempotencyKey
from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from tests.bonuses.campaigns import Campaigning, again, check_sums, grants_of, stats_of
from tests.concurrency.sabotage import at_once
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
ACTOR = Actor(kind=ActorKind.TASK, ref="race")
ONE = Decimal("12.50")


def begin(count: int, **kwargs: Any) -> tuple[Campaigning, BonusCampaign, list[Player]]:
    operator: Operator = OperatorFactory.create()
    ExchangeRateFactory.create(operator=operator)
    players = PlayerFactory.create_batch(count, operator=operator)
    world = Campaigning(operator, ACTOR, NOW)
    return world, world.draft(players, **kwargs), players


def run_until_done(world: Campaigning, campaign: BonusCampaign) -> None:
    while stats_of(campaign).get("pending") and not again(campaign).is_paused:
        world.run(campaign)


def both_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let two workers pass the failpoint together, whatever they have seen until then."""
    meeting = threading.Barrier(2)
    failpoint = fan_out.failpoint

    def meet(passed: str) -> None:
        if passed == name:
            meeting.wait(timeout=60)
        failpoint(passed)

    monkeypatch.setattr(fan_out, "failpoint", meet)


def test_a_campaign_that_many_start_is_started_once() -> None:
    world, campaign, _players = begin(5)

    started = at_once([lambda: world.start(campaign)] * 8)

    assert {each.audience_size for each in started} == {5}
    assert stats_of(campaign) == {"pending": 5}
    assert AuditEntry.objects.filter(action="bonus.campaign.started").count() == 1


def test_workers_at_once_give_each_player_one_bonus() -> None:
    world, campaign, players = begin(24)
    world.start(campaign)

    handled = at_once([lambda: world.run(campaign)] * 4)
    run_until_done(world, campaign)

    assert stats_of(campaign) == {"granted": 24}
    assert [grant.player_id for grant in grants_of(campaign)] == [each.pk for each in players]
    assert again(campaign).status == CampaignStatus.ISSUED
    assert sum(handled) >= 24
    assert AuditEntry.objects.filter(action="bonus.campaign.finished").count() == 1


def test_control_without_locks_two_workers_ask_for_one_player(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, campaign, players = begin(1)
    world.start(campaign)
    monkeypatch.setattr(locks, "lock_exclusively", lambda *_: None)
    monkeypatch.setattr(locks, "lock_many", list)
    monkeypatch.setattr(locks, "lock_many_skipping", list)
    both_at(monkeypatch, "campaign.before_request")
    target = campaign.targets.get()

    def ask() -> str:
        try:
            fan_out._request(target.pk, players[0].pk, campaign.pk, actor=ACTOR, now=NOW)
        except IntegrityError:
            return "stopped by the constraint"
        return "asked"

    assert Counter(at_once([ask, ask])) == {"asked": 1, "stopped by the constraint": 1}


@pytest.mark.parametrize("number", range(3))
def test_workers_at_once_never_spend_more_than_the_budget(number: int) -> None:
    world, campaign, _players = begin(20, budget_base=7 * ONE)
    world.start(campaign)

    at_once([lambda: world.run(campaign)] * 4)
    run_until_done(world, campaign)

    assert stats_of(campaign) == {"granted": 7, "pending": 13}
    stored = again(campaign)
    assert (stored.committed_base, stored.is_paused) == (7 * ONE, True)
    assert AuditEntry.objects.filter(action="bonus.campaign.paused").count() == 1


def test_control_without_the_campaigns_lock_one_sum_is_spent_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, campaign, players = begin(2, budget_base=ONE)
    world.start(campaign)
    monkeypatch.setattr(locks, "lock_many", list)
    both_at(monkeypatch, "campaign.before_request")
    targets = list(campaign.targets.order_by("pk"))

    def ask(number: int) -> Callable[[], Any]:
        return lambda: fan_out._request(
            targets[number].pk, players[number].pk, campaign.pk, actor=ACTOR, now=NOW
        )

    asked = at_once([ask(0), ask(1)])

    # The column was read twice and written twice: the second write forgot the first.
    assert [issuance is not None for issuance in asked] == [True, True]
    assert again(campaign).committed_base == ONE
    spent = sum(target.cost_base or 0 for target in campaign.targets.all())
    assert spent == 2 * ONE


def test_after_a_pause_has_returned_nothing_more_is_asked_for() -> None:
    world, campaign, _players = begin(30)
    world.start(campaign)
    asked: list[int] = []

    def pause() -> None:
        while not BonusIssuance.objects.exists():
            pass
        world.move("pause_campaign", campaign)
        asked.append(BonusIssuance.objects.count())

    at_once([pause, *[lambda: world.run(campaign)] * 3])

    assert BonusIssuance.objects.count() == asked[0]
    assert asked[0] < 30
    check_sums(campaign)


def test_a_limit_holds_between_two_campaigns_and_the_api() -> None:
    world, first, players = begin(6)
    template = first.template
    template.max_grants_per_player = 1
    template.save(update_fields=["max_grants_per_player"])
    second = world.draft(players, template)
    for campaign in (first, second):
        world.start(campaign)

    def ask_for(player: Player) -> Callable[[], str]:
        key = f"own-{player.pk}"

        def ask() -> str:
            try:
                issuing.issue_bonus(
                    operator=world.operator,
                    request=BonusRequest(
                        template_id=template.pk,
                        player_reference=player.reference,
                        idempotency_key=key,
                    ),
                    key=IdempotencyKey(value=key, fingerprint="one"),
                    actor=ACTOR,
                    clock=world.clock(),
                )
            except BonusGrantLimitReached:
                return "refused"
            return "granted"

        return ask

    at_once(
        [
            lambda: world.run(first),
            lambda: world.run(second),
            *[ask_for(player) for player in players],
        ]
    )
    for campaign in (first, second):
        run_until_done(world, campaign)

    granted = Counter(BonusGrant.objects.values_list("player_id", flat=True))
    assert granted == {player.pk: 1 for player in players}
    for campaign in (first, second):
        counts = stats_of(campaign)
        assert counts.get("granted", 0) + counts.get("skipped", 0) == 6


def test_the_locks_go_down(record_locks: Any) -> None:
    world, campaign, players = begin(1)
    world.start(campaign)
    target = campaign.targets.get()

    with record_locks() as tables, transaction.atomic():
        fan_out._request.__wrapped__(  # type: ignore[attr-defined]
            target.pk, players[0].pk, campaign.pk, actor=ACTOR, now=NOW
        )

    assert tables == ["bonuses_bonuscampaign", "bonuses_campaigntarget"]
