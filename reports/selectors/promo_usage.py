"""Promo usage: who claimed what, what came of it, and what it cost."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from core import money
from core.money import EXACT
from operators.selectors import USD
from promos.enums import PromoType
from promos.reporting import PromoUsage, iterate_promo_usage
from reports.rules.tables import Column, Kind, Row
from reports.selectors.base import Question, Report
from reports.selectors.rates import BaseRates

_COLUMNS = (
    Column("promo_id", "Promo id", Kind.CODE, "Its id.", on_page=False),
    Column("code", "Code", Kind.CODE, "The promo's own code."),
    Column("type", "Type", Kind.TEXT, "Instant, or a match of a deposit."),
    Column("currency", "Currency", Kind.CODE, "Of the bonuses: the players' own."),
    Column("claim_count", "Claims", Kind.COUNT, "How many players claimed it in these days."),
    Column("given_amount", "Given", Kind.MONEY, "The bonuses that were paid out."),
    Column("clawback_amount", "Taken back", Kind.MONEY, "What was taken back at the end."),
    Column(
        "shortfall_amount",
        "Could not be taken back",
        Kind.MONEY,
        "What was due, but not in the balance.",
        optional=True,
    ),
    Column("cost_amount", "Cost", Kind.MONEY, "Given, less what was taken back."),
    Column(
        "cost_base", "Cost, base", Kind.MONEY, "Cost, in the base currency.",
        currency="base_currency",
    ),
    Column("base_currency", "Base currency", Kind.CODE, "The operator's own.", on_page=False),
    Column(
        "base_rate",
        "Rate",
        Kind.RATE,
        "Units of the base currency for one US dollar.",
        on_page=False,
    ),
    Column(
        "completed_percent",
        "Completed, %",
        Kind.PERCENT,
        "Completed claims as a share of all.",
        share_of=("completed_count", "claim_count"),
    ),
    Column("waiting_count", "Waiting", Kind.COUNT, "Claims that wait for their deposit."),
    Column("active_count", "Active", Kind.COUNT, "Claims that are being rolled over."),
    Column("completed_count", "Completed", Kind.COUNT, "Claims that reached their target."),
    Column("cancelled_count", "Cancelled", Kind.COUNT, "Claims that were given up."),
    Column("expired_count", "Expired", Kind.COUNT, "Claims that ran out of time."),
    Column(
        "single_use_count",
        "By single-use code",
        Kind.COUNT,
        "How many of them by a code of a batch.",
        optional=True,
    ),
    Column(
        "wagered_usd", "Wagered towards targets", Kind.MONEY, "What counted.", currency="usd",
    ),
    Column("usd", "US dollars", Kind.CODE, "The currency of targets.", on_page=False),
    Column(
        "unpriced_count",
        "Without a rate",
        Kind.COUNT,
        "Claims that had no exchange rate when they were made: the cost in the base currency"
        " is without them.",
        optional=True,
    ),
)  # fmt: skip


class PromoUsageReport(Report):
    """How each promo was used, by currency."""

    name = "promo-usage"
    title = "Promo usage"
    icon = "confirmation_number"
    sentence = "How often each promo was claimed, what became of the claims, and what they cost."
    nothing = "No activity: no promo was claimed in these days."

    def columns(self, question: Question) -> Sequence[Column]:
        """Return the columns."""
        return _COLUMNS

    def rows(self, question: Question) -> Iterator[Row]:
        """Yield one row a promo and currency."""
        rates = BaseRates(question.operator, at=question.rates_at)
        for usage in iterate_promo_usage(
            operator=question.operator,
            since=question.period.since,
            until=question.period.until,
        ):
            yield _row_of(usage, rates)

    def notes(self, question: Question) -> list[str]:
        """Say which claims are counted, and how they are priced."""
        rates = BaseRates(question.operator, at=question.rates_at)
        stated = rates.describe(USD)
        return [
            "Claims made in these days, with what has become of them until now.",
            "Claims = waiting + active + completed + cancelled + expired.",
            "The cost in the base currency goes by way of US dollars, at the rate of each claim."
            + (f" {stated}" if stated else ""),
        ]


def _row_of(usage: PromoUsage, rates: BaseRates) -> Row:
    rate = rates.find(USD)
    return {
        "promo_id": str(usage.promo_id),
        "code": usage.code,
        "type": str(PromoType(usage.type).label),
        "currency": usage.currency,
        "claim_count": usage.claim_count,
        "single_use_count": usage.single_use_count,
        "waiting_count": usage.waiting_count,
        "active_count": usage.active_count,
        "completed_count": usage.completed_count,
        "cancelled_count": usage.cancelled_count,
        "expired_count": usage.expired_count,
        "given_amount": usage.given_amount,
        "clawback_amount": usage.clawback_amount,
        "shortfall_amount": usage.shortfall_amount,
        "cost_amount": EXACT.subtract(usage.given_amount, usage.clawback_amount),
        "wagered_usd": _cents(usage.wagered_usd),
        "usd": USD,
        "cost_base": rates.convert(usage.cost_usd, USD),
        "base_currency": rates.base,
        "base_rate": None if rate is None else rate.rate,
        "unpriced_count": usage.unpriced_count,
    }


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(
        money.get_currency(USD).minor_unit, rounding="ROUND_HALF_EVEN", context=EXACT
    )
