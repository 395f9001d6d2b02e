"""
What bonuses cost, and what of them was never won over: the figures behind the report.

Grants are counted once, either by when they were granted or by when they ended. What has
become of them is as it stands now.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

from django.db import connection

from operators.models import Operator


class CostsBy(Enum):
    """Whose cost a row is: that of a template, or of a campaign."""

    TEMPLATE = "template"
    CAMPAIGN = "campaign"


class GrantsOf(Enum):
    """Which grants a period has: those granted in it, or those that ended in it."""

    GRANTED = "granted"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Fate:
    """How many grants came to one end, and the bonuses that they were of."""

    count: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BonusCost:
    """
    The grants of one template (and campaign) in one currency.

    ``released_amount`` is what moved to players' own money where we hold it, winnings
    included and late bets counted; ``platform_amount`` the bonuses that completed where a
    platform does. Amounts in the base currency are at the rates that the grants locked,
    from ``rate_from`` to ``rate_to``.
    """

    template_id: UUID
    template_name: str
    template_type: str
    campaign_id: UUID | None
    campaign_name: str | None
    currency: str
    base_currency: str
    granted: Fate
    completed: Fate
    forfeited: Fate
    expired: Fate
    cancelled: Fate
    active: Fate
    released_amount: Decimal
    excess_amount: Decimal
    platform_amount: Decimal
    granted_base: Decimal
    breakage_base: Decimal
    cost_base: Decimal
    rate_from: Decimal
    rate_to: Decimal


_IN_PERIOD = {
    GrantsOf.GRANTED: "bonus.granted_at >= %(since)s AND bonus.granted_at < %(until)s",
    GrantsOf.ENDED: (
        "bonus.status <> 'active' AND"
        " coalesce(bonus.completed_at, bonus.forfeited_at, bonus.expired_at, bonus.cancelled_at)"
        " >= %(since)s AND coalesce(bonus.completed_at, bonus.forfeited_at, bonus.expired_at,"
        " bonus.cancelled_at) < %(until)s"
    ),
}

# A grant comes from one issuance, and an issuance from one target at most.
_CAMPAIGN = {
    CostsBy.TEMPLATE: (
        "LEFT JOIN (SELECT NULL::uuid AS id, NULL::text AS name) AS campaign ON true"
    ),
    CostsBy.CAMPAIGN: """
        LEFT JOIN bonuses_campaigntarget AS target ON target.issuance_id = bonus.issuance_id
        LEFT JOIN bonuses_bonuscampaign AS campaign ON campaign.id = target.campaign_id
    """,
}

# What a completed grant has come to is its columns and the late amounts of its bets. They
# are looked for where there can be any: a CASE alone keeps the planner from looking always.
_COSTS = """
    WITH bonus AS MATERIALIZED (
        SELECT bonus.template_id, bonus.issuance_id, bonus.status, bonus.bonus_amount,
            bonus.bonus_currency, bonus.bonus_amount_base, bonus.base_currency_code,
            bonus.fx_rate_locked,
            CASE WHEN bonus.status = 'completed' AND bonus.is_internal
                THEN bonus.released_amount + coalesce((
                    SELECT sum(late_main_amount) FROM bonuses_betfunding
                    WHERE grant_id = bonus.id), 0)
                ELSE 0 END AS released,
            CASE WHEN bonus.status = 'completed' AND bonus.is_internal
                THEN bonus.excess_amount + coalesce((
                    SELECT sum(late_excess_amount) FROM bonuses_betfunding
                    WHERE grant_id = bonus.id), 0)
                ELSE 0 END AS excess,
            CASE WHEN bonus.status = 'completed' AND NOT bonus.is_internal
                THEN bonus.bonus_amount ELSE 0 END AS by_platform
        FROM bonuses_bonusgrant AS bonus
        WHERE bonus.operator_id = %(operator)s AND {in_period}
    )
    SELECT template.id, template.name, template.type, campaign.id, campaign.name,
        bonus.bonus_currency, bonus.base_currency_code,
        count(*), sum(bonus.bonus_amount),
        {fates},
        sum(bonus.released), sum(bonus.excess), sum(bonus.by_platform),
        sum(bonus.bonus_amount_base),
        coalesce(sum(bonus.bonus_amount_base) FILTER (
            WHERE bonus.status IN ('forfeited', 'expired', 'cancelled')), 0),
        sum((bonus.released + bonus.by_platform) * bonus.fx_rate_locked),
        min(bonus.fx_rate_locked), max(bonus.fx_rate_locked)
    FROM bonus
    JOIN bonuses_bonustemplate AS template ON template.id = bonus.template_id
    {campaign}
    GROUP BY template.id, template.name, template.type, campaign.id, campaign.name,
        bonus.bonus_currency, bonus.base_currency_code
    ORDER BY {order}, bonus.bonus_currency, bonus.base_currency_code
"""

_FATES = ("completed", "forfeited", "expired", "cancelled", "active")

_ORDER = {
    CostsBy.TEMPLATE: "lower(template.name), template.id",
    CostsBy.CAMPAIGN: (
        "campaign.id IS NULL, lower(campaign.name), campaign.id, lower(template.name), template.id"
    ),
}


def iterate_bonus_costs(
    *, operator: Operator, since: datetime, until: datetime, by: CostsBy, of: GrantsOf
) -> Iterator[BonusCost]:
    """
    Yield what the grants of a period cost, by template or campaign and currency, by name.

    Reads the grants of the period through the index of its instant, and the bets that the
    bonuses of the completed ones paid for. One statement.
    """
    fates = ", ".join(
        f"count(*) FILTER (WHERE bonus.status = '{fate}'),"
        f" coalesce(sum(bonus.bonus_amount) FILTER (WHERE bonus.status = '{fate}'), 0)"
        for fate in _FATES
    )
    statement = _COSTS.format(
        in_period=_IN_PERIOD[of], fates=fates, campaign=_CAMPAIGN[by], order=_ORDER[by]
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"operator": operator.pk, "since": since, "until": until})
        rows = cursor.fetchall()
    for row in rows:
        numbers = row[7:19]
        counted = [Fate(*numbers[at : at + 2]) for at in range(0, 12, 2)]
        yield BonusCost(*row[:7], *counted, *row[19:])
