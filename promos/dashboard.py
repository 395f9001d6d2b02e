"""
What promos cost in a period, on the home page.

What it costs to read: the claims whose bonus was paid in the period, and those of which
something was taken back in it, each off an index of its own (``user_promo_paid``,
``user_promo_taken_back``); never the claims before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce

from core import money

#: When a claim's bonus was paid: at its activation, or at once. The index says the same.
PAID_AT = Coalesce(F("activated_at"), F("completed_at"))
#: When a claim ended before its target, which is when its bonus is taken back.
TAKEN_BACK_AT = Coalesce(F("cancelled_at"), F("expired_at"))

# In US dollars as the pages of promos have it: a bonus of a deposit promo is known so, an
# instant one is converted at the rate that was in force at the claim, which may be missing.
# What was taken back is worth as much less as it is of the bonus.
_COST = """
SELECT currency, is_paid, count(*), sum(amount),
    coalesce(sum(CASE WHEN bonus_amount > 0 THEN amount * given / bonus_amount
                      ELSE amount / coalesce(rate, 1) END), 0),
    count(*) FILTER (WHERE bonus_amount > 0 AND given IS NULL)
FROM (
    SELECT moved.*,
        CASE WHEN moved.bonus_usd_amount IS NOT NULL THEN moved.bonus_usd_amount
             WHEN moved.currency = 'USD' THEN moved.bonus_amount
             ELSE moved.bonus_amount * dollars.usd_rate END AS given
    FROM (
        SELECT true AS is_paid, bonus_amount AS amount, bonus_currency AS currency,
            bonus_amount, bonus_usd_amount, rate, operator_id, claimed_at
        FROM promos_userpromo
        WHERE coalesce(activated_at, completed_at) >= %(since)s AND bonus_amount > 0
        UNION ALL
        SELECT false, clawback_amount, bonus_currency,
            bonus_amount, bonus_usd_amount, rate, operator_id, claimed_at
        FROM promos_userpromo
        WHERE coalesce(cancelled_at, expired_at) >= %(since)s AND clawback_amount > 0
    ) AS moved
    LEFT JOIN LATERAL (
        SELECT usd_rate FROM operators_exchangerate AS rate
        WHERE rate.operator_id = moved.operator_id AND rate.currency = moved.currency
          AND rate.valid_from <= moved.claimed_at
        ORDER BY valid_from DESC, id DESC LIMIT 1
    ) AS dollars ON moved.bonus_usd_amount IS NULL AND moved.currency <> 'USD'
) AS priced
GROUP BY currency, is_paid
ORDER BY currency
"""


@dataclass(frozen=True, slots=True)
class CurrencyCost:
    """What was paid to players in one currency, and what was taken back from them."""

    currency: str
    paid_count: int = 0
    paid: Decimal = Decimal(0)
    taken_back_count: int = 0
    taken_back: Decimal = Decimal(0)

    @property
    def cost(self) -> Decimal:
        """Return what it cost; below zero if more was taken back than paid."""
        return self.paid - self.taken_back


@dataclass(frozen=True, slots=True)
class PromoCost:
    """
    What promos cost in a period: bonuses paid in it, less what was taken back in it.

    The bonus that is taken back may have been paid before the period.
    """

    currencies: tuple[CurrencyCost, ...] = ()
    cost_usd: Decimal = Decimal(0)
    #: Payments in a currency that had no rate; the dollars are without them.
    unpriced_count: int = 0


def read_promo_cost(*, since: datetime) -> PromoCost:
    """Return what the promos of all operators have cost since then, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_COST, {"since": since})
        return _cost_of(cursor.fetchall())


def _cost_of(rows: Iterable[tuple[str, bool, int, Decimal, Decimal, int]]) -> PromoCost:
    paid: dict[str, tuple[int, Decimal]] = {}
    taken: dict[str, tuple[int, Decimal]] = {}
    cost_usd, unpriced_count = Decimal(0), 0
    for currency, is_paid, count, amount, usd, unpriced in rows:
        (paid if is_paid else taken)[currency] = (count, amount)
        cost_usd += usd if is_paid else -usd
        unpriced_count += unpriced
    nothing = (0, Decimal(0))
    return PromoCost(
        currencies=tuple(
            CurrencyCost(currency, *paid.get(currency, nothing), *taken.get(currency, nothing))
            for currency in sorted({*paid, *taken})
        ),
        cost_usd=money.round_half_even(cost_usd),
        unpriced_count=unpriced_count,
    )
