"""A campaign's budget: what is granted and in flight never costs more, and who may go on."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from bonuses.books import check_budgets
from bonuses.enums import CampaignStatus
from bonuses.errors import CampaignBudgetReached, CampaignWrongState
from bonuses.models import BonusCampaign, CampaignTarget
from bonuses.ports import PlatformRejected, PlatformUnavailable
from bonuses.services import fan_out
from core.actors import Actor
from core.errors import InvalidRequest
from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from tests.bonuses.campaigns import HOUR, Campaigning, again, stats_of
from tests.bonuses.conftest import ScriptedPlatform
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db

#: One bonus of ten euros, in the base currency.
ONE = Decimal("12.50")


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Campaigning:
    ExchangeRateFactory.create(operator=operator)
    return Campaigning(operator, actor, now)


@pytest.fixture
def players(operator: Operator) -> list[Player]:
    return PlayerFactory.create_batch(5, operator=operator)


@pytest.mark.parametrize(
    ("budget", "granted"),
    [(5 * ONE, 5), (3 * ONE, 3), (4 * ONE - Decimal("0.01"), 3), (Decimal(0), 0)],
)
def test_as_many_are_granted_as_fit(
    budget: Decimal, granted: int, world: Campaigning, players: list[Player]
) -> None:
    campaign = world.started(players, budget_base=budget)

    world.run(campaign)

    left = {} if granted == 5 else {"pending": 5 - granted}
    assert stats_of(campaign) == {**({"granted": granted} if granted else {}), **left}
    stored = again(campaign)
    assert stored.committed_base == granted * ONE
    assert stored.is_paused is bool(left)


def test_reaching_it_pauses_and_says_so(world: Campaigning, players: list[Player]) -> None:
    campaign = world.started(players, budget_base=Decimal(30))

    world.run(campaign)

    reason = "Budget reached: 25.00 of 30.00 USD is committed, and the next bonus costs 12.50 USD."
    assert again(campaign).pause_reason == reason
    entry = AuditEntry.objects.get(action="bonus.campaign.paused")
    assert (entry.reason, entry.actor_kind) == (reason, "task")


def test_it_goes_on_only_after_the_budget_was_raised(
    world: Campaigning, players: list[Player]
) -> None:
    campaign = world.started(players, budget_base=Decimal(30))
    world.run(campaign)

    with pytest.raises(CampaignBudgetReached):
        world.move("resume_campaign", campaign)
    world.move("set_campaign_budget", campaign, budget_base=Decimal(26))
    with pytest.raises(CampaignBudgetReached):
        world.move("resume_campaign", campaign)
    world.move("set_campaign_budget", campaign, budget_base=Decimal(50))
    world.move("resume_campaign", campaign)
    world.run(campaign)
    assert stats_of(campaign) == {"granted": 4, "pending": 1}

    world.move("set_campaign_budget", campaign, budget_base=None)
    world.move("resume_campaign", campaign)
    world.run(campaign)
    assert stats_of(campaign) == {"granted": 5}
    entry = AuditEntry.objects.filter(action="bonus.campaign.budget_set").order_by("pk")[1]
    assert (entry.before, entry.after) == (
        {"budget_base": "26.00000000"},
        {"budget_base": "50"},
    )


def test_what_is_in_flight_counts_and_what_fails_comes_back(
    world: Campaigning, players: list[Player], platform: ScriptedPlatform
) -> None:
    platform.answers = [PlatformUnavailable("Gone"), PlatformUnavailable("Gone")]
    campaign = world.started(players, budget_base=2 * ONE)
    world.run(campaign)
    assert stats_of(campaign) == {"pending": 5}
    assert again(campaign).committed_base == 2 * ONE
    platform.answers = [PlatformRejected("NO"), PlatformRejected("NO")]

    world.retry(at=world.now + HOUR)
    world.settle(campaign, at=world.now + HOUR)

    assert stats_of(campaign) == {"failed": 2, "pending": 3}
    assert again(campaign).committed_base == 0


def test_an_offer_commits_what_its_cap_allows(
    world: Campaigning, operator: Operator, players: list[Player]
) -> None:
    match = BonusTemplateFactory.create(operator=operator, match=True)
    campaign = world.started(players, match, budget_base=Decimal(500))

    world.run(campaign)

    assert stats_of(campaign) == {"granted": 2, "pending": 3}
    assert again(campaign).committed_base == Decimal(500)


def test_a_budget_below_what_is_committed_is_refused(
    world: Campaigning, players: list[Player]
) -> None:
    campaign = world.started(players, budget_base=2 * ONE)
    world.run(campaign)

    with pytest.raises(InvalidRequest) as refusal:
        world.move("set_campaign_budget", campaign, budget_base=2 * ONE - Decimal("0.01"))

    assert refusal.value.members["errors"][0]["detail"] == "25.00 USD is committed already."
    assert again(campaign).budget_base == 2 * ONE


def test_a_finished_campaign_and_a_draft(world: Campaigning, players: list[Player]) -> None:
    draft, done = world.draft(players), world.started([])

    with pytest.raises(CampaignWrongState):
        world.move("set_campaign_budget", done, budget_base=ONE)
    assert world.move("set_campaign_budget", draft, budget_base=ONE).budget_base == ONE


def test_nobody_else_can_give_the_budgets_reason(world: Campaigning, players: list[Player]) -> None:
    campaign = world.started(players)

    with pytest.raises(InvalidRequest):
        world.move("pause_campaign", campaign, reason="Budget reached: by hand")


def test_the_database_refuses_more_than_the_budget(
    world: Campaigning, players: list[Player]
) -> None:
    campaign = world.started(players, budget_base=2 * ONE)
    world.run(campaign)
    stored = BonusCampaign.objects.filter(pk=campaign.pk)

    with pytest.raises(IntegrityError), transaction.atomic():
        stored.update(committed_base=3 * ONE)
    with pytest.raises(IntegrityError), transaction.atomic():
        stored.update(budget_base=ONE)


def test_the_sweep_leaves_a_campaign_that_its_budget_paused(
    world: Campaigning, players: list[Player], monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = world.started(players, budget_base=ONE)
    world.run(campaign)
    sent: list[str] = []
    monkeypatch.setattr(fan_out.current_app, "send_task", lambda name, **_: sent.append(name))

    assert fan_out.continue_campaigns(clock=world.clock(), limit=10) == 0
    assert (again(campaign).status, sent) == (CampaignStatus.ISSUING, [])


def test_the_books_find_a_sum_that_is_not_its_parts(
    world: Campaigning, players: list[Player]
) -> None:
    campaign = world.started(players)
    world.run(campaign)
    assert list(check_budgets()) == []

    CampaignTarget.objects.filter(player=players[0]).update(cost_base=ONE + 1)

    [difference] = check_budgets()
    assert difference.subject == f"committed_base of campaign {campaign.pk}"
    assert (difference.recorded, difference.computed) == (5 * ONE, 5 * ONE + 1)
