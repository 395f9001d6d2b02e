"""The figures of bonuses on the home page, worked out by hand, over operators and currencies."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bonuses import dashboard
from bonuses.dashboard import (
    FunnelStage,
    LastReconciliation,
    Liability,
    RunningCampaign,
    read_bonus_figures,
)
from bonuses.enums import (
    CampaignStatus,
    DiscrepancyStatus,
    GrantStatus,
    IssuanceStatus,
    RunStatus,
    TargetStatus,
)
from bonuses.models import BonusGrant, ReconciliationRun
from operators.models import Operator
from tests.concurrency.sabotage import execute, triggers_off
from tests.factories.bonuses import (
    BonusCampaignFactory,
    BonusGrantFactory,
    BonusIssuanceFactory,
    BonusTemplateFactory,
    CampaignTargetFactory,
    DiscrepancyFactory,
)
from tests.factories.operators import LONG_AGO, OperatorFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def since(now: datetime) -> datetime:
    return now - timedelta(days=7)


@pytest.fixture
def neighbour(db: Any) -> Operator:
    """An operator that reports in euros."""
    return OperatorFactory.create(base_currency="EUR")


def grant(operator: Operator, amount: str, currency: str, base: str, **kwargs: Any) -> BonusGrant:
    """Grant ``amount``, which is worth ``base`` to the operator."""
    return BonusGrantFactory.create(
        asked_template=BonusTemplateFactory.create(operator=operator),
        bonus_amount=Decimal(amount),
        bonus_currency=currency,
        bonus_amount_base=Decimal(base),
        base_currency_code=operator.base_currency,
        **kwargs,
    )


def test_nothing_is_known_of_nothing(since: datetime, db: Any) -> None:
    figures = read_bonus_figures(since=since)

    assert (figures.pending.count, figures.pending.oldest_at) == (0, None)
    assert (figures.offer_count, figures.discrepancy_count) == (0, 0)
    assert figures.reconciliation is None
    assert (figures.campaign_count, figures.campaigns) == (0, ())
    assert figures.liabilities == ()
    assert figures.funnel.granted == FunnelStage(0, {})


def test_liability_is_what_active_grants_were_given(
    operator: Operator, neighbour: Operator, since: datetime
) -> None:
    grant(operator, "10.00", "EUR", "12.50")
    grant(operator, "20.50", "EUR", "25.63")
    grant(operator, "0.01000000", "BTC", "600.00")
    grant(operator, "99.00", "EUR", "123.75", status=GrantStatus.COMPLETED)
    grant(operator, "99.00", "EUR", "123.75", status=GrantStatus.FORFEITED)
    grant(neighbour, "7.25", "EUR", "7.25", external=True)
    grant(neighbour, "100", "JPY", "0.61")

    assert read_bonus_figures(since=since).liabilities == (
        Liability("EUR", "EUR", 1, Decimal("7.25"), Decimal("7.25")),
        Liability("JPY", "EUR", 1, Decimal(100), Decimal("0.61")),
        Liability("BTC", "USD", 1, Decimal("0.01"), Decimal(600)),
        Liability("EUR", "USD", 2, Decimal("30.50"), Decimal("38.13")),
    )


def test_liability_has_no_period(operator: Operator, now: datetime) -> None:
    grant(operator, "10.00", "EUR", "12.50", granted_at=LONG_AGO)

    [liability] = read_bonus_figures(since=now).liabilities

    assert liability.grant_count == 1


def test_the_funnel_has_each_grant_of_the_period_in_one_stage(
    operator: Operator, neighbour: Operator, since: datetime
) -> None:
    for status, amounts in (
        (GrantStatus.ACTIVE, ["10.00", "5.00"]),
        (GrantStatus.COMPLETED, ["20.00"]),
        (GrantStatus.FORFEITED, ["1.25"]),
        (GrantStatus.EXPIRED, ["2.00", "2.00"]),
    ):
        for amount in amounts:
            grant(operator, amount, "EUR", amount, status=status, granted_at=since)
    grant(neighbour, "3.00", "EUR", "3.00", status=GrantStatus.ACTIVE, granted_at=since + HOUR)
    earlier = since - timedelta(microseconds=1)
    grant(operator, "500.00", "EUR", "500.00", granted_at=earlier)
    grant(neighbour, "500.00", "EUR", "500.00", granted_at=earlier, status=GrantStatus.EXPIRED)

    funnel = read_bonus_figures(since=since).funnel

    assert funnel.stages == {
        GrantStatus.ACTIVE: FunnelStage(3, {"EUR": Decimal(3), "USD": Decimal(15)}),
        GrantStatus.COMPLETED: FunnelStage(1, {"USD": Decimal(20)}),
        GrantStatus.FORFEITED: FunnelStage(1, {"USD": Decimal("1.25")}),
        GrantStatus.EXPIRED: FunnelStage(2, {"USD": Decimal(4)}),
        GrantStatus.CANCELLED: FunnelStage(0, {}),
    }
    assert funnel.granted == FunnelStage(7, {"EUR": Decimal(3), "USD": Decimal("40.25")})


def test_issuances_wait_for_their_platform_or_for_a_deposit(
    operator: Operator, neighbour: Operator, now: datetime, since: datetime
) -> None:
    template = BonusTemplateFactory.create(operator=operator)
    for hours in (1, 3, 2):
        BonusIssuanceFactory.create(template=template, created_at=now - hours * HOUR)
    BonusIssuanceFactory.create(template=template, status=IssuanceStatus.SUCCEEDED)
    BonusIssuanceFactory.create(template=template, status=IssuanceStatus.FAILED)
    offered = BonusTemplateFactory.create(operator=neighbour, match=True)
    BonusIssuanceFactory.create(template=offered, status=IssuanceStatus.AWAITING_DEPOSIT)

    figures = read_bonus_figures(since=since)

    assert (figures.pending.count, figures.pending.oldest_at) == (3, now - 3 * HOUR)
    assert figures.offer_count == 1


def test_nobody_counts_on_for_ever(
    operator: Operator, since: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "COUNTED_MAX", 2)
    template = BonusTemplateFactory.create(operator=operator, match=True)
    BonusIssuanceFactory.create_batch(4, template=template)
    BonusIssuanceFactory.create_batch(4, template=template, status=IssuanceStatus.AWAITING_DEPOSIT)

    figures = read_bonus_figures(since=since)

    assert (figures.pending.count, figures.pending.oldest_at) == (3, None)
    assert figures.offer_count == 3


def test_open_discrepancies_are_counted(operator: Operator, since: datetime) -> None:
    template = BonusTemplateFactory.create(operator=operator)
    DiscrepancyFactory.create_batch(2, grant__asked_template=template)
    DiscrepancyFactory.create(
        grant__asked_template=template, status=DiscrepancyStatus.FIXED, closed_at=LONG_AGO
    )

    assert read_bonus_figures(since=since).discrepancy_count == 2


def test_the_last_reconciliation_is_the_newest_finished_or_not(
    now: datetime, since: datetime, db: Any
) -> None:
    ReconciliationRun.objects.create(
        status=RunStatus.FINISHED, started_at=now - HOUR, touched_at=now, finished_at=now
    )
    newest = ReconciliationRun.objects.create(
        started_at=now,
        touched_at=now,
        asked_count=12,
        replayed_count=3,
        unknown_count=2,
        unanswered_count=1,
        is_alarming=True,
    )

    assert read_bonus_figures(since=since).reconciliation == LastReconciliation(
        newest.pk, RunStatus.RUNNING, 12, 3, 2, 1, True, now, None
    )


def test_campaigns_in_progress_are_told_newest_first(
    operator: Operator, neighbour: Operator, now: datetime, since: datetime
) -> None:
    issuing = {"status": CampaignStatus.ISSUING, "started_at": now}
    spring = BonusCampaignFactory.create(
        operator=operator,
        name="Spring",
        audience_size=3,
        budget_base=Decimal(100),
        committed_base=Decimal("12.50"),
        **issuing,
    )
    CampaignTargetFactory.create(campaign=spring)
    for _number in range(2):
        CampaignTargetFactory.create(
            campaign=spring, status=TargetStatus.SKIPPED, settled_at=now, reason_code="X"
        )
    paused = BonusCampaignFactory.create(
        operator=neighbour,
        name="Summer",
        audience_size=0,
        is_paused=True,
        pause_reason="Too dear",
        **issuing,
    )
    BonusCampaignFactory.create(operator=operator, name="Draft")
    BonusCampaignFactory.create(
        operator=operator,
        status=CampaignStatus.ISSUED,
        audience_size=0,
        started_at=now,
        finished_at=now,
    )

    figures = read_bonus_figures(since=since)

    assert figures.campaign_count == 2
    zero = Decimal(0)
    assert figures.campaigns == (
        RunningCampaign(
            paused.pk, "Summer", neighbour.name, True, "Too dear", 0, 0, zero, None, "EUR"
        ),
        RunningCampaign(
            spring.pk,
            "Spring",
            operator.name,
            False,
            "",
            3,
            1,
            Decimal("12.5"),
            Decimal(100),
            "USD",
        ),
    )
    assert [each.done_count for each in figures.campaigns] == [0, 2]


# What it costs

_MULTIPLY = """
    INSERT INTO bonuses_bonusgrant
    SELECT made.* FROM bonuses_bonusgrant AS original, generate_series(1, 8000) AS copy,
        jsonb_populate_record(original, jsonb_build_object(
            'id', gen_random_uuid(), 'issuance_id', gen_random_uuid(),
            'platform_bonus_id', 'copy ' || copy,
            'granted_at', original.granted_at - copy * interval '1 minute')) AS made
    WHERE original.status = 'expired'
"""


@pytest.fixture
def _many_grants(operator: Operator, now: datetime) -> None:
    """Many grants that ended long before the period, and two of it."""
    grant(operator, "10.00", "EUR", "12.50", granted_at=now)
    grant(operator, "10.00", "EUR", "12.50", granted_at=now, status=GrantStatus.EXPIRED)
    with triggers_off():
        execute(_MULTIPLY)
    execute("VACUUM ANALYZE bonuses_bonusgrant")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_many_grants")
def test_no_grant_but_those_of_the_figures_is_read(now: datetime) -> None:
    with CaptureQueriesContext(connection) as queries:
        figures = read_bonus_figures(since=now)

    assert figures.funnel.granted.count == 2
    assert len(queries) == 1
    plan = explained(queries[0]["sql"])
    assert "Seq Scan on bonuses_bonusgrant" not in plan
    assert "bonus_grant_outstanding" in plan
    assert "bonus_grant_by_issue" in plan


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_many_grants")
def test_the_check_of_the_cost_can_fail() -> None:
    assert "Seq Scan on bonuses_bonusgrant" in explained(
        "SELECT sum(bonus_amount) FROM bonuses_bonusgrant WHERE total_wagered = 0"
    )


def explained(sql: str) -> str:
    """Return how PostgreSQL would answer the statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())
