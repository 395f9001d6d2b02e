"""
The terms of an instance: everything that is fixed when a draft is activated.

Terms are checked as a whole, also when only a part of them changes, so a draft is at
every moment one that could be activated.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from core.errors import InvalidRequest
from core.instants import format_instant
from core.money import (
    AMOUNT_LIMIT,
    EXACT,
    format_decimal,
    get_currency,
    has_only_minor_units,
)
from jackpots.enums import ContributionType, DropType, Funding, InstanceKind, Recurrence
from jackpots.models import Instance, Pot, Prize
from jackpots.rules.contributions import ContributionTerms

#: One contribution is split over all pots, so their number is part of the hot path.
POTS_MAX = 10
PRIZES_MAX = 100
#: Every prize is a row, a payment and a message, all of one transaction.
WINNERS_MAX = 10_000

#: Instants in other years are mistakes; what is counted from these stays in the calendar.
SCHEDULE_YEARS = range(2000, 2201)

#: A field that cannot be so (a JSON pointer without its first slash), and why not.
Problem = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DropTerms:
    """What makes a pot drop; only the member that belongs to the type is set."""

    type: DropType = DropType.MANUAL
    amount: Decimal | None = None
    at: datetime | None = None
    probability: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PotTerms:
    """One pot: its share of every contribution, and the value that it starts with."""

    name: str
    share: Decimal
    seed: Decimal = Decimal(0)
    ceiling: Decimal | None = None
    drop: DropTerms = DropTerms()


@dataclass(frozen=True, slots=True)
class PrizeTerms:
    """A prize of a raffle, drawn ``count`` times: an amount, or a share of the pot."""

    name: str
    amount: Decimal | None = None
    share: Decimal | None = None
    count: int = 1
    priority: int = 0
    min_tickets: int = 1


@dataclass(frozen=True, slots=True)
class InstanceTerms:
    """All that an operator says of an instance; the defaults are the contract's (API.md)."""

    name: str
    kind: InstanceKind
    currency: str
    contribution: ContributionTerms
    funding: Funding = Funding.OPERATOR
    opt_in_required: bool = False
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    pots: tuple[PotTerms, ...] = (PotTerms(name="main", share=Decimal(1)),)
    ticket_cost: Decimal | None = None
    prizes: tuple[PrizeTerms, ...] = ()
    recurrence: Recurrence | None = None
    timezone: str = "UTC"
    carry_opt_ins: bool = False


def check_terms(*, terms: InstanceTerms) -> None:
    """
    Refuse terms that contradict themselves.

    :raises InvalidRequest: with one entry for every field that cannot be so.
    """
    problems = [
        *_contribution_problems(terms),
        *_schedule_problems(terms),
        *_pot_problems(terms),
        *_prize_problems(terms),
    ]
    if problems:
        raise InvalidRequest(
            "One or more fields are invalid.",
            errors=[
                {"pointer": f"/{pointer}", "code": "invalid", "detail": detail}
                for pointer, detail in problems
            ],
        )


def _contribution_problems(terms: InstanceTerms) -> Iterator[Problem]:
    amount = terms.contribution.amount
    if (
        terms.funding == Funding.PLAYER
        and amount is not None
        and not has_only_minor_units(amount, get_currency(terms.currency))
    ):
        yield (
            "contribution/amount",
            f"Players pay it, so it may have no more decimals than {terms.currency}.",
        )
    if terms.ticket_cost is not None and terms.kind != InstanceKind.RAFFLE:
        yield "ticket_cost", "Only a raffle has tickets."


def _schedule_problems(terms: InstanceTerms) -> Iterator[Problem]:
    instants = [("opens_at", terms.opens_at), ("closes_at", terms.closes_at)]
    instants += [(f"pots/{n}/drop/at", pot.drop.at) for n, pot in enumerate(terms.pots)]
    for pointer, instant in instants:
        if instant is not None and instant.year not in SCHEDULE_YEARS:
            yield pointer, f"It must be in the years {SCHEDULE_YEARS[0]} to {SCHEDULE_YEARS[-1]}."
    if (
        terms.opens_at is not None
        and terms.closes_at is not None
        and terms.closes_at <= terms.opens_at
    ):
        yield "closes_at", "It must be after opens_at."
    if terms.carry_opt_ins and terms.kind != InstanceKind.RAFFLE:
        yield "carry_opt_ins", "Only a raffle has a next run."


def _pot_problems(terms: InstanceTerms) -> Iterator[Problem]:
    if not 1 <= len(terms.pots) <= POTS_MAX:
        yield "pots", f"An instance has 1 to {POTS_MAX} pots."
        return
    whole = sum((pot.share for pot in terms.pots), Decimal(0))
    if whole != 1:
        yield "pots", f"The shares must sum to exactly 1; these sum to {format_decimal(whole)}."
    names: set[str] = set()
    for index, pot in enumerate(terms.pots):
        if pot.name in names:
            yield f"pots/{index}/name", "Another pot has this name already."
        names.add(pot.name)
        if pot.ceiling is not None and pot.ceiling <= pot.seed:
            yield f"pots/{index}/ceiling", "It must be above the seed."
        for pointer, detail in _drop_problems(pot, terms.kind):
            yield f"pots/{index}/drop{pointer}", detail


def _drop_problems(pot: PotTerms, kind: InstanceKind) -> Iterator[Problem]:
    if kind == InstanceKind.RAFFLE and pot.drop.type != DropType.MANUAL:
        yield "", "The pots of a raffle are drawn; they have no drop but manual."
    if pot.drop.amount is None:
        return
    if pot.drop.amount <= pot.seed:
        yield "/amount", "It must be above the seed."
    if pot.ceiling is not None and pot.drop.amount > pot.ceiling:
        yield "/amount", "The pot can never reach it: it is above the ceiling."


def _prize_problems(terms: InstanceTerms) -> Iterator[Problem]:
    if not terms.prizes:
        return
    if terms.kind != InstanceKind.RAFFLE:
        yield "prizes", "Only a raffle has prizes."
    if len(terms.prizes) > PRIZES_MAX:
        yield "prizes", f"A raffle has at most {PRIZES_MAX} prizes."
        return
    if sum(prize.count for prize in terms.prizes) > WINNERS_MAX:
        yield "prizes", f"A raffle draws at most {WINNERS_MAX} winners."
    currency = get_currency(terms.currency)
    for index, prize in enumerate(terms.prizes):
        if prize.amount is not None and not has_only_minor_units(prize.amount, currency):
            yield (
                f"prizes/{index}/amount",
                f"A player wins it, so it may have no more decimals than {currency.code}.",
            )
    amounts = reduce(
        EXACT.add,
        (
            EXACT.multiply(prize.amount, Decimal(prize.count))
            for prize in terms.prizes
            if prize.amount
        ),
        Decimal(0),
    )
    if amounts >= AMOUNT_LIMIT:
        yield (
            "prizes",
            f"The amounts times their counts sum to {format_decimal(amounts)}; that is too much.",
        )
    whole = sum((prize.share * prize.count for prize in terms.prizes if prize.share), Decimal(0))
    if whole > 1:
        yield (
            "prizes",
            f"The shares times their counts sum to {format_decimal(whole)}; 1 is the whole pot.",
        )


# At rest


def read_terms(*, instance: Instance) -> InstanceTerms:
    """Return the terms of a stored instance, pots and prizes in the order they were given."""
    return InstanceTerms(
        name=instance.name,
        kind=InstanceKind(instance.kind),
        currency=instance.currency,
        contribution=ContributionTerms(
            type=ContributionType(instance.contribution_type),
            amount=instance.contribution_amount,
            percent=instance.contribution_percent,
        ),
        funding=Funding(instance.funding),
        opt_in_required=instance.opt_in_required,
        opens_at=instance.opens_at,
        closes_at=instance.closes_at,
        pots=tuple(_pot_terms(pot) for pot in instance.pots.order_by("position")),
        ticket_cost=instance.ticket_cost,
        prizes=tuple(_prize_terms(prize) for prize in instance.prizes.order_by("pk")),
        recurrence=Recurrence(instance.recurrence) if instance.recurrence else None,
        timezone=instance.timezone,
        carry_opt_ins=instance.carry_opt_ins,
    )


def build_columns(*, terms: InstanceTerms) -> dict[str, Any]:
    """Return the terms as columns of the instance's own row."""
    return {
        "name": terms.name,
        "kind": terms.kind,
        "currency": terms.currency,
        "contribution_type": terms.contribution.type,
        "contribution_amount": terms.contribution.amount,
        "contribution_percent": terms.contribution.percent,
        "funding": terms.funding,
        "opt_in_required": terms.opt_in_required,
        "opens_at": terms.opens_at,
        "closes_at": terms.closes_at,
        "ticket_cost": terms.ticket_cost,
        "recurrence": terms.recurrence or "",
        "timezone": terms.timezone,
        "carry_opt_ins": terms.carry_opt_ins,
    }


def build_pots(*, instance: Instance, terms: InstanceTerms) -> list[Pot]:
    """Return the pots of the terms as rows of ``instance``, not yet stored."""
    return [
        Pot(
            instance=instance,
            position=position,
            name=pot.name,
            share=pot.share,
            seed=pot.seed,
            opening=pot.seed,
            ceiling=pot.ceiling,
            drop_type=pot.drop.type,
            drop_amount=pot.drop.amount,
            drop_at=pot.drop.at,
            drop_probability=pot.drop.probability,
        )
        for position, pot in enumerate(terms.pots)
    ]


def build_prizes(*, instance: Instance, terms: InstanceTerms) -> list[Prize]:
    """Return the prizes of the terms as rows of ``instance``, not yet stored."""
    return [Prize(instance=instance, **asdict(prize)) for prize in terms.prizes]


def describe_terms(*, terms: InstanceTerms) -> dict[str, Any]:
    """Return the terms as the audit trail keeps them: amounts and instants as strings."""
    described: dict[str, Any] = _described(asdict(terms))
    return described


def _pot_terms(pot: Pot) -> PotTerms:
    return PotTerms(
        name=pot.name,
        share=pot.share,
        seed=pot.seed,
        ceiling=pot.ceiling,
        drop=DropTerms(
            type=DropType(pot.drop_type),
            amount=pot.drop_amount,
            at=pot.drop_at,
            probability=pot.drop_probability,
        ),
    )


def _prize_terms(prize: Prize) -> PrizeTerms:
    return PrizeTerms(
        name=prize.name,
        amount=prize.amount,
        share=prize.share,
        count=prize.count,
        priority=prize.priority,
        min_tickets=prize.min_tickets,
    )


def _described(value: Any) -> Any:
    match value:
        case Decimal():
            return format_decimal(value)
        case datetime():
            return format_instant(value)
        case dict():
            return {name: _described(item) for name, item in value.items()}
        case list() | tuple():
            return [_described(item) for item in value]
        case _:
            return value
