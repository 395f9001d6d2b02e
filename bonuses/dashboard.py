"""
The figures of bonuses on the home page, all in one statement and so of one instant.

What it costs, with ten million grants:

- liability reads the active grants off an index of their own (``bonus_grant_outstanding``);
- the funnel reads the grants of its period off an index (``bonus_grant_by_issue``), operator by
  operator, never those before it;
- what waits is counted up to COUNTED_MAX, off partial indexes;
- of each campaign that is shown, at most CAMPAIGNS_MAX, the pending targets are counted, off
  an index.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from bonuses.enums import GrantStatus, RunStatus

#: Whoever has more than so many waiting does not need to know how many.
COUNTED_MAX = 10_000
CAMPAIGNS_MAX = 5

_FIGURES = """
SELECT
    (
        SELECT jsonb_build_array(count(*), min(created_at)) FROM (
            SELECT created_at FROM bonuses_bonusissuance
            WHERE status = 'pending' LIMIT %(most)s + 1
        ) AS pending
    ), (
        SELECT count(*) FROM (
            SELECT FROM bonuses_bonusissuance WHERE status = 'awaiting_deposit' LIMIT %(most)s + 1
        ) AS offered
    ), (
        SELECT count(*) FROM (
            SELECT FROM bonuses_discrepancy WHERE status = 'open' LIMIT %(most)s + 1
        ) AS disagreed
    ), (
        SELECT jsonb_build_array(
            id, status, asked_count, replayed_count, unknown_count, unanswered_count, is_alarming,
            started_at, finished_at)
        FROM bonuses_reconciliationrun ORDER BY id DESC LIMIT 1
    ), (
        SELECT count(*) FROM bonuses_bonuscampaign WHERE status = 'issuing'
    ), (
        SELECT jsonb_agg(jsonb_build_array(
            running.id, running.name, operator.name, running.is_paused, running.pause_reason,
            running.audience_size, (
                SELECT count(*) FROM bonuses_campaigntarget
                WHERE campaign_id = running.id AND status = 'pending'
            ), running.committed_base::text, running.budget_base::text, operator.base_currency
        ) ORDER BY running.id DESC)
        FROM (
            SELECT * FROM bonuses_bonuscampaign
            WHERE status = 'issuing' ORDER BY id DESC LIMIT %(campaigns)s
        ) AS running
        JOIN operators_operator AS operator ON operator.id = running.operator_id
    ), (
        SELECT jsonb_agg(
            jsonb_build_array(currency, base, number, amount::text, amount_base::text)
            ORDER BY base, currency)
        FROM (
            SELECT bonus_currency AS currency, base_currency_code AS base, count(*) AS number,
                sum(bonus_amount) AS amount, sum(bonus_amount_base) AS amount_base
            FROM bonuses_bonusgrant WHERE status = 'active'
            GROUP BY base_currency_code, bonus_currency
        ) AS outstanding
    ), (
        SELECT jsonb_agg(jsonb_build_array(status, base, number, amount_base::text) ORDER BY base)
        FROM (
            SELECT status, base_currency_code AS base, count(*) AS number,
                sum(bonus_amount_base) AS amount_base
            FROM operators_operator AS operator
            JOIN bonuses_bonusgrant ON operator_id = operator.id AND granted_at >= %(since)s
            GROUP BY status, base_currency_code
        ) AS granted
    )
"""


@dataclass(frozen=True, slots=True)
class WaitingIssuances:
    """
    Issuances that wait for their platform: how many, and since when the oldest does.

    Counted up to COUNTED_MAX + 1, which means that there are more; then nobody knows the
    oldest.
    """

    count: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class LastReconciliation:
    """The newest walk through the active grants of platforms, finished or not."""

    id: UUID
    status: RunStatus
    asked_count: int
    replayed_count: int
    unknown_count: int
    unanswered_count: int
    is_alarming: bool
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunningCampaign:
    """A campaign that issues, or is paused while it does: how far it is, and what it cost."""

    id: UUID
    name: str
    operator: str
    is_paused: bool
    pause_reason: str
    audience_size: int
    pending_count: int
    committed_base: Decimal
    budget_base: Decimal | None
    base_currency: str

    @property
    def done_count(self) -> int:
        """Return how many players have been dealt with."""
        return self.audience_size - self.pending_count


@dataclass(frozen=True, slots=True)
class Liability:
    """
    What the active grants of one currency were given, and what that is in the base currency.

    The bonus as it was given, at the rate that was locked then: neither what has been won
    with it since, nor what has been lost of it.
    """

    currency: str
    base_currency: str
    grant_count: int
    amount: Decimal
    amount_base: Decimal


@dataclass(frozen=True, slots=True)
class FunnelStage:
    """Grants of one kind: how many, and what they were given, by base currency."""

    count: int
    amounts: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Funnel:
    """The grants of a period, and what has become of each by now: every one is in one stage."""

    stages: Mapping[GrantStatus, FunnelStage]

    @property
    def granted(self) -> FunnelStage:
        """Return all of them together."""
        amounts: dict[str, Decimal] = {}
        for stage in self.stages.values():
            for currency, amount in stage.amounts.items():
                amounts[currency] = amounts.get(currency, Decimal(0)) + amount
        count = sum(stage.count for stage in self.stages.values())
        return FunnelStage(count, dict(sorted(amounts.items())))


@dataclass(frozen=True, slots=True)
class BonusFigures:
    """Everything that the home page says about bonuses."""

    pending: WaitingIssuances
    #: Counted up to COUNTED_MAX + 1, like the discrepancies.
    offer_count: int
    discrepancy_count: int
    reconciliation: LastReconciliation | None
    campaign_count: int
    campaigns: tuple[RunningCampaign, ...]
    liabilities: tuple[Liability, ...]
    funnel: Funnel


def read_bonus_figures(*, since: datetime) -> BonusFigures:
    """Return the figures of all operators; those of a period are of what was granted in it."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"since": since, "most": COUNTED_MAX, "campaigns": CAMPAIGNS_MAX})
        row = cursor.fetchone()
    assert row is not None, "one row of subselects"
    pending, offers, discrepancies, run, campaign_count, campaigns, liabilities, granted = row
    pending_count, oldest = _json(pending)
    return BonusFigures(
        pending=WaitingIssuances(
            count=pending_count,
            oldest_at=_instant(oldest) if pending_count <= COUNTED_MAX else None,
        ),
        offer_count=offers,
        discrepancy_count=discrepancies,
        reconciliation=None if run is None else _reconciliation(*_json(run)),
        campaign_count=campaign_count,
        campaigns=tuple(_campaign(*each) for each in _json(campaigns) or ()),
        liabilities=tuple(
            Liability(currency, base, count, Decimal(amount), Decimal(amount_base))
            for currency, base, count, amount, amount_base in _json(liabilities) or ()
        ),
        funnel=_funnel(_json(granted) or ()),
    )


def _reconciliation(run_id: str, status: str, *counts_and_instants: Any) -> LastReconciliation:
    asked, replayed, unknown, unanswered, is_alarming, started, finished = counts_and_instants
    started_at = _instant(started)
    assert started_at is not None, "a run has begun"
    return LastReconciliation(
        id=UUID(run_id),
        status=RunStatus(status),
        asked_count=asked,
        replayed_count=replayed,
        unknown_count=unknown,
        unanswered_count=unanswered,
        is_alarming=is_alarming,
        started_at=started_at,
        finished_at=_instant(finished),
    )


def _campaign(campaign_id: str, *columns: Any) -> RunningCampaign:
    name, operator, is_paused, reason, audience, pending, committed, budget, base = columns
    return RunningCampaign(
        id=UUID(campaign_id),
        name=name,
        operator=operator,
        is_paused=is_paused,
        pause_reason=reason,
        audience_size=audience,
        pending_count=pending,
        committed_base=Decimal(committed),
        budget_base=None if budget is None else Decimal(budget),
        base_currency=base,
    )


def _funnel(rows: Any) -> Funnel:
    counts = dict.fromkeys(GrantStatus, 0)
    amounts: dict[GrantStatus, dict[str, Decimal]] = {status: {} for status in GrantStatus}
    for status, base, count, amount in rows:
        counts[GrantStatus(status)] += count
        amounts[GrantStatus(status)][base] = Decimal(amount)
    return Funnel({status: FunnelStage(counts[status], amounts[status]) for status in GrantStatus})


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _json(value: Any) -> Any:
    # A raw cursor of Django returns jsonb as text.
    return json.loads(value) if isinstance(value, str) else value
