"""bonuses.metrics: what platforms have not answered, campaigns, reconciliation."""

import math
from datetime import datetime, timedelta

import pytest

from bonuses.enums import IssuanceStatus, RunStatus
from bonuses.models import BonusCampaign, CampaignTarget, ReconciliationRun
from operators.models import Operator
from players.models import Player
from tests.bonuses.campaigns import Campaigning
from tests.factories.bonuses import BonusIssuanceFactory, DiscrepancyFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.watching import searched_by, told_by

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def players(operator: Operator) -> list[Player]:
    ExchangeRateFactory.create(operator=operator)
    return PlayerFactory.create_batch(3, operator=operator)


@pytest.fixture
def campaign(
    operator: Operator, players: list[Player], actor: object, now: datetime
) -> BonusCampaign:
    """A campaign that was started five hours ago, and of whose targets none has been asked for."""
    return Campaigning(operator, actor, now - 5 * HOUR).started(players)  # type: ignore[arg-type]


def test_where_nothing_happens_everything_is_nothing(now: datetime) -> None:
    found = told_by("bonuses", now)

    assert found.pop("reconciliation_age_seconds") == math.inf
    assert set(found.values()) == {0}


def test_issuances_are_pending_until_the_platform_has_answered(now: datetime) -> None:
    for hours, status in (
        (2, IssuanceStatus.PENDING),
        (4, IssuanceStatus.PENDING),
        (9, IssuanceStatus.SUCCEEDED),
        (9, IssuanceStatus.AWAITING_DEPOSIT),
    ):
        BonusIssuanceFactory.create(external=True, status=status, created_at=now - hours * HOUR)

    found = told_by("bonuses", now)

    assert found["issuances_pending"] == 2
    assert found["issuances_oldest_pending_seconds"] == 4 * 3600


def test_a_campaign_stands_still_since_it_last_dealt_with_somebody(
    campaign: BonusCampaign, now: datetime
) -> None:
    since_its_start = told_by("bonuses", now)
    target = CampaignTarget.objects.filter(campaign=campaign).order_by("pk").first()
    assert target is not None
    CampaignTarget.objects.filter(pk=target.pk).update(status="skipped", settled_at=now - 2 * HOUR)

    found = told_by("bonuses", now)

    assert since_its_start["campaigns_longest_standstill_seconds"] == 5 * 3600
    assert found["campaigns_longest_standstill_seconds"] == 2 * 3600
    assert (found["campaigns_issuing"], found["campaigns_paused"]) == (1, 0)


def test_a_campaign_that_waits_for_its_platform_does_not_stand_still(
    campaign: BonusCampaign, now: datetime
) -> None:
    for target in CampaignTarget.objects.filter(campaign=campaign):
        CampaignTarget.objects.filter(pk=target.pk).update(
            issuance=BonusIssuanceFactory.create(
                template=campaign.template, player=target.player, external=True
            )
        )

    assert told_by("bonuses", now)["campaigns_longest_standstill_seconds"] == 0


def test_a_paused_campaign_is_counted_and_does_not_stand_still(
    campaign: BonusCampaign, now: datetime
) -> None:
    BonusCampaign.objects.filter(pk=campaign.pk).update(is_paused=True, pause_reason="Because")

    found = told_by("bonuses", now)

    assert (found["campaigns_issuing"], found["campaigns_paused"]) == (0, 1)
    assert found["campaigns_longest_standstill_seconds"] == 0


def test_reconciliation_tells_when_the_last_run_was_finished_and_how(now: datetime) -> None:
    for hours, is_alarming in ((30, True), (3, False), (2, True)):
        at = now - hours * HOUR
        ReconciliationRun.objects.create(
            status=RunStatus.FINISHED,
            is_alarming=is_alarming,
            started_at=at,
            touched_at=at,
            finished_at=at,
        )
    ReconciliationRun.objects.create(started_at=now, touched_at=now)

    found = told_by("bonuses", now)

    assert found["reconciliation_age_seconds"] == 2 * 3600
    assert found["reconciliation_alarming"] == 1


def test_discrepancies_are_counted_while_they_are_open(now: datetime) -> None:
    DiscrepancyFactory.create()
    DiscrepancyFactory.create(status="explained", explanation="A test.", closed_at=now)

    assert told_by("bonuses", now)["discrepancies_open"] == 1


def test_large_tables_are_asked_through_an_index(now: datetime) -> None:
    # Each of these holds nothing but what is counted.
    partial = ("bonus_issuance_due", "bonus_campaign_issuing")

    searched = searched_by("bonuses", now, "campaign_target_by_status", *partial)

    assert [searched[index] for index in partial] == [[""]] * 2
    conditions = searched["campaign_target_by_status"]
    assert len(conditions) == 2, "what waits, and what was settled last"
    for condition in conditions:
        assert "campaign_id = " in condition
        assert "status" in condition
