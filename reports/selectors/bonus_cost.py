"""Bonus cost and breakage: what bonuses came to, and what of them nobody won over."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import ClassVar

from bonuses.enums import BonusType
from bonuses.reporting import BonusCost, CostsBy, GrantsOf, iterate_bonus_costs
from core import money
from core.money import EXACT, format_decimal
from reports.rules.tables import Column, Kind, Row
from reports.selectors.base import Option, Question, Report

BY = Option("by", "For each", (("template", "template"), ("campaign", "campaign")))
OF = Option(
    "of", "Bonuses", (("granted", "granted in these days"), ("ended", "ended in these days"))
)


def _fate(name: str, title: str, meaning: str) -> tuple[Column, Column]:
    return (
        Column(f"{name}_count", title, Kind.COUNT, f"How many {meaning}."),
        Column(f"{name}_amount", f"{title}, amount", Kind.MONEY, f"The bonuses that {meaning}."),
    )


_COLUMNS = (
    Column("currency", "Currency", Kind.CODE, "Of the bonuses: the players' own."),
    *_fate("granted", "Granted", "were granted, and are in this row"),
    Column(
        "cost_amount",
        "Cost",
        Kind.MONEY,
        "Released, and completed at platforms: what the bonuses cost the house.",
    ),
    Column(
        "breakage_amount",
        "Breakage",
        Kind.MONEY,
        "Forfeited, expired and cancelled: bonuses that nobody won over.",
    ),
    Column(
        "breakage_percent",
        "Breakage, %",
        Kind.PERCENT,
        "Breakage as a share of what was granted.",
        share_of=("breakage_amount", "granted_amount"),
    ),
    Column(
        "cost_base", "Cost, base", Kind.MONEY, "Cost, in the base currency.",
        currency="base_currency",
    ),
    Column(
        "breakage_base", "Breakage, base", Kind.MONEY, "Breakage, in the base currency.",
        currency="base_currency",
    ),
    Column(
        "granted_base", "Granted, base", Kind.MONEY, "Granted, in the base currency.",
        currency="base_currency",
    ),
    Column("base_currency", "Base currency", Kind.CODE, "The operator's own.", on_page=False),
    Column(
        "base_rate",
        "Rate",
        Kind.TEXT,
        "The rates that the grants locked when they were issued, the least and the greatest.",
    ),
    *_fate("completed", "Completed", "were wagered, and released"),
    *_fate("forfeited", "Forfeited", "the player lost by a stake above the maximum, or staff took"),
    *_fate("expired", "Expired", "ran out of time"),
    *_fate("cancelled", "Cancelled", "were taken back"),
    *_fate("active", "Running", "have not ended"),
    Column(
        "released_amount",
        "Released",
        Kind.MONEY,
        "What completing moved to players' own money: bonus and winnings, up to the win cap.",
    ),
    Column(
        "platform_amount",
        "Completed at platforms",
        Kind.MONEY,
        "Bonuses that completed where a platform holds the money: their winnings it knows.",
        optional=True,
    ),
    Column(
        "excess_amount",
        "Held back by win caps",
        Kind.MONEY,
        "Winnings above the caps: the house keeps them.",
        optional=True,
    ),
)  # fmt: skip


class BonusCostReport(Report):
    """Cost and breakage of bonuses, by template or campaign and currency."""

    name = "bonus-cost"
    title = "Bonus cost and breakage"
    icon = "card_giftcard"
    sentence = (
        "What bonuses came to for the house, and what of them was never won over, for each"
        " template or campaign."
    )
    nothing = "No activity: no bonus was granted in these days."
    options: ClassVar = (BY, OF)

    def columns(self, question: Question) -> Sequence[Column]:
        """Return the columns: those of a campaign name it first."""
        template = (
            Column("template_id", "Template id", Kind.CODE, "Its id.", on_page=False),
            Column("template", "Template", Kind.TEXT, "Its name."),
            Column("type", "Type", Kind.TEXT, "What kind of bonus it gives."),
        )
        campaign = (
            Column("campaign_id", "Campaign id", Kind.CODE, "Its id.", on_page=False),
            Column("campaign", "Campaign", Kind.TEXT, "Its name; empty: of no campaign."),
        )
        return [*(campaign if question.option(BY) == "campaign" else ()), *template, *_COLUMNS]

    def rows(self, question: Question) -> Iterator[Row]:
        """Yield one row a template (and campaign) and currency."""
        by = CostsBy(question.option(BY))
        for cost in iterate_bonus_costs(
            operator=question.operator,
            since=question.period.since,
            until=question.period.until,
            by=by,
            of=GrantsOf(question.option(OF)),
        ):
            yield _row_of(cost, by)

    def notes(self, question: Question) -> list[str]:
        """Say which bonuses are counted, and at which rates."""
        if question.option(OF) == "granted":
            which = "Bonuses granted in these days, with what has become of them until now"
        else:
            which = "Bonuses that ended in these days, whenever they were granted"
        return [
            f"{which}. Granted = completed + forfeited + expired + cancelled + running.",
            "Amounts in the base currency are at the rate that each bonus locked at its issue.",
        ]


def _row_of(cost: BonusCost, by: CostsBy) -> Row:
    fates = {
        "granted": cost.granted,
        "completed": cost.completed,
        "forfeited": cost.forfeited,
        "expired": cost.expired,
        "cancelled": cost.cancelled,
        "active": cost.active,
    }
    counts = {f"{name}_count": fate.count for name, fate in fates.items()}
    amounts = {f"{name}_amount": fate.amount for name, fate in fates.items()}
    lost = EXACT.add(cost.forfeited.amount, EXACT.add(cost.expired.amount, cost.cancelled.amount))
    return {
        "template_id": str(cost.template_id),
        "template": cost.template_name,
        "type": str(BonusType(cost.template_type).label),
        "campaign_id": "" if cost.campaign_id is None else str(cost.campaign_id),
        "campaign": (cost.campaign_name or "") if by is CostsBy.CAMPAIGN else "",
        "currency": cost.currency,
        **counts,
        **amounts,
        "breakage_amount": lost,
        "released_amount": cost.released_amount,
        "platform_amount": cost.platform_amount,
        "cost_amount": EXACT.add(cost.released_amount, cost.platform_amount),
        "excess_amount": cost.excess_amount,
        "base_currency": cost.base_currency,
        "granted_base": cost.granted_base,
        "breakage_base": cost.breakage_base,
        "cost_base": _in_minor_units(cost.cost_base, cost.base_currency),
        "base_rate": _rates(cost),
    }


def _in_minor_units(amount: Decimal, currency: str) -> Decimal:
    unit = money.get_currency(currency).minor_unit
    return amount.quantize(unit, rounding="ROUND_HALF_EVEN", context=EXACT)


def _rates(cost: BonusCost) -> str:
    least, greatest = format_decimal(cost.rate_from), format_decimal(cost.rate_to)
    return least if least == greatest else f"{least} to {greatest}"
