"""How promos were used, and what they cost: the figures behind the report."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

from operators.models import Operator


@dataclass(frozen=True, slots=True)
class PromoUsage:
    """
    The claims of one promo by players of one currency.

    ``given_amount`` less ``clawback_amount`` is what they cost. ``cost_usd`` is that in US
    dollars: a deposit promo's at the rate of its activation, an instant one's at the rate in
    force at the claim; ``unpriced_count`` claims had none, and are not in it.
    """

    promo_id: UUID
    code: str
    type: str
    currency: str
    claim_count: int
    single_use_count: int
    waiting_count: int
    active_count: int
    completed_count: int
    cancelled_count: int
    expired_count: int
    given_amount: Decimal
    clawback_amount: Decimal
    shortfall_amount: Decimal
    wagered_usd: Decimal
    cost_usd: Decimal
    unpriced_count: int


# Priced as the promo's own page prices them: a clawback costs as much less as it is of the
# bonus, so what was taken back whole has cost nothing, whatever was rounded.
_USAGE = """
    WITH claim AS MATERIALIZED (
        SELECT claim.promo_id, claim.batch_code_id, claim.status, claim.bonus_amount,
            claim.bonus_currency, claim.clawback_amount, claim.clawback_shortfall,
            claim.wagered_usd_amount, claim.rate,
            CASE WHEN claim.bonus_usd_amount IS NOT NULL THEN claim.bonus_usd_amount
                 WHEN claim.bonus_currency = 'USD' THEN claim.bonus_amount
                 WHEN claim.bonus_amount IS NOT NULL THEN claim.bonus_amount * (
                    SELECT usd_rate FROM operators_exchangerate AS rate
                    WHERE rate.operator_id = claim.operator_id
                        AND rate.currency = claim.bonus_currency
                        AND rate.valid_from <= claim.claimed_at
                    ORDER BY valid_from DESC, id DESC LIMIT 1)
            END AS given_usd
        FROM promos_userpromo AS claim
        WHERE claim.operator_id = %(operator)s
            AND claim.claimed_at >= %(since)s AND claim.claimed_at < %(until)s
    )
    SELECT promo.id, promo.code, promo.type, claim.bonus_currency,
        count(*), count(claim.batch_code_id),
        count(*) FILTER (WHERE claim.status = 'CLAIMED'),
        count(*) FILTER (WHERE claim.status = 'ACTIVE'),
        count(*) FILTER (WHERE claim.status = 'COMPLETED'),
        count(*) FILTER (WHERE claim.status = 'CANCELLED'),
        count(*) FILTER (WHERE claim.status = 'EXPIRED'),
        coalesce(sum(claim.bonus_amount), 0),
        coalesce(sum(claim.clawback_amount), 0),
        coalesce(sum(claim.clawback_shortfall), 0),
        sum(claim.wagered_usd_amount),
        coalesce(sum(claim.given_usd - coalesce(
            CASE WHEN claim.bonus_amount > 0
                THEN claim.clawback_amount * claim.given_usd / claim.bonus_amount
                ELSE claim.clawback_amount / coalesce(claim.rate, 1) END, 0)), 0),
        count(*) FILTER (WHERE claim.bonus_amount > 0 AND claim.given_usd IS NULL)
    FROM claim JOIN promos_promo AS promo ON promo.id = claim.promo_id
    GROUP BY promo.id, promo.code, promo.type, claim.bonus_currency
    ORDER BY lower(promo.code), promo.id, claim.bonus_currency
"""


def iterate_promo_usage(
    *, operator: Operator, since: datetime, until: datetime
) -> Iterator[PromoUsage]:
    """
    Yield how the promos were used by the claims of a period, by code and currency.

    What has become of the claims is as it stands now. Reads them through the index of their
    instant. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(_USAGE, {"operator": operator.pk, "since": since, "until": until})
        rows = cursor.fetchall()
    for row in rows:
        yield PromoUsage(*row)
